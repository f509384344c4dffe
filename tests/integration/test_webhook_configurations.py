"""What a webhook configuration must be like, through the front door."""

from typing import Any

import pytest

from tests.integration.conftest import Api, Run

GROUP = "/apis/admissionregistration.k8s.io/v1"
RULE = {"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"]}
SERVICE = {"name": "hook", "namespace": "web"}
HOOK = {
    "name": "hook.web.example", "sideEffects": "None", "admissionReviewVersions": ["v1"], "rules": [RULE],
    "clientConfig": {"service": SERVICE},
}  # fmt: skip
INVALID, REQUIRED, UNSUPPORTED = "FieldValueInvalid", "FieldValueRequired", "FieldValueNotSupported"
FORM = "; desired format: https://host[/path]"

CASES: list[tuple[dict[str, Any], list[tuple[str, str, str]]]] = [
    ({"name": "hook"}, [(INVALID, "name", 'Invalid value: "hook": should be a domain with at least three segments separated by dots')]),
    ({"name": ""}, [(REQUIRED, "name", "Required value")]),
    ({"sideEffects": "Some"}, [(UNSUPPORTED, "sideEffects", 'Unsupported value: "Some": supported values: "None", "NoneOnDryRun"')]),
    ({"admissionReviewVersions": []}, [(REQUIRED, "admissionReviewVersions", "Required value: must specify one of v1, v1beta1")]),
    ({"admissionReviewVersions": ["v2", "v2"]}, [
        (INVALID, "admissionReviewVersions[1]", 'Invalid value: "v2": duplicate version'),
        (INVALID, "admissionReviewVersions", 'Invalid value: ["v2","v2"]: must include at least one of v1, v1beta1')]),
    ({"timeoutSeconds": 31}, [(INVALID, "timeoutSeconds", "Invalid value: 31: the timeout value must be between 1 and 30 seconds")]),
    ({"failurePolicy": "Maybe"}, [(UNSUPPORTED, "failurePolicy", 'Unsupported value: "Maybe": supported values: "Fail", "Ignore"')]),
    ({"matchPolicy": "Maybe"}, [(UNSUPPORTED, "matchPolicy", 'Unsupported value: "Maybe": supported values: "Equivalent", "Exact"')]),
    ({"clientConfig": {}}, [(REQUIRED, "clientConfig", "Required value: exactly one of url or service is required")]),
    ({"clientConfig": {"url": "http://u@example.com/a?b=c#d"}}, [
        (INVALID, "clientConfig.url", f"Invalid value: \"http\": 'https' is the only allowed URL scheme{FORM}"),
        (INVALID, "clientConfig.url", 'Invalid value: "u": user information is not permitted in the URL'),
        (INVALID, "clientConfig.url", 'Invalid value: "d": fragments are not permitted in the URL'),
        (INVALID, "clientConfig.url", 'Invalid value: "b=c": query parameters are not permitted in the URL')]),
    ({"clientConfig": {"url": "https:///a"}}, [(INVALID, "clientConfig.url", f'Invalid value: "": host must be specified{FORM}')]),
    ({"clientConfig": {"service": {"namespace": "n"}}}, [(REQUIRED, "clientConfig.service.namespace", "Required value")]),
    ({"clientConfig": {"service": {"name": "s"}}}, [(REQUIRED, "clientConfig.service.name", "Required value")]),
    ({"clientConfig": {"service": {**SERVICE, "path": "ab//c", "port": 70000}}}, [
        (INVALID, "clientConfig.service.port",
         "Invalid value: 70000: port is not valid: must be between 1 and 65535, inclusive"),
        (INVALID, "clientConfig.service.path", "Invalid value: \"ab//c\": must start with a '/'"),
        (INVALID, "clientConfig.service.path", 'Invalid value: "ab//c": segment[1] may not be empty')]),
    ({"rules": [{**RULE, "operations": [], "apiVersions": [""], "scope": "All", "resources": ["pods/*", "pods/log"]}]}, [
        (REQUIRED, "rules[0].operations", "Required value"), (REQUIRED, "rules[0].apiVersions[0]", "Required value"),
        (INVALID, "rules[0].resources[1]", "Invalid value: \"pods/log\": if 'pods/*' is present, must not specify pods/log"),
        (UNSUPPORTED, "rules[0].scope", 'Unsupported value: "All": supported values: "*", "Cluster", "Namespaced"')]),
    ({"matchConditions": [{"name": "a", "expression": "object.x"}, {"name": "a", "expression": "params.x == 1"}]}, [
        (INVALID, "matchConditions[0].expression", 'Invalid value: "object.x": must evaluate to bool but got dyn'),
        (INVALID, "matchConditions[1].expression", 'Invalid value: "params.x == 1": compilation failed: ERROR: <input>:1:1: undeclared '
         "reference to 'params' (in container '')\n | params.x == 1\n | ^"),
        ("FieldValueDuplicate", "matchConditions[1].name", 'Duplicate value: "a"')]),
]  # fmt: skip


@pytest.mark.parametrize(("change", "causes"), CASES, ids=[next(iter(change)) for change, _ in CASES])
def test_configurations_that_can_not_be(run: Run, change: dict[str, Any], causes: list[tuple[str, str, str]]) -> None:
    async def scenario(api: Api) -> None:
        for plural in ("validatingwebhookconfigurations", "mutatingwebhookconfigurations"):
            answer = await api("POST", f"{GROUP}/{plural}", {"metadata": {"name": "w"}, "webhooks": [{**HOOK, **change}]})
            found = [(each["reason"], each["field"], each["message"]) for each in answer.body["details"]["causes"]]
            assert (answer.status, found) == (422, [(reason, f"webhooks[0].{field}", message) for reason, field, message in causes])

    run(scenario)


def test_names_are_used_once(run: Run) -> None:
    async def scenario(api: Api) -> None:
        answer = await api("POST", f"{GROUP}/validatingwebhookconfigurations", {"metadata": {"name": "w"}, "webhooks": [HOOK, HOOK]})
        cause = {"reason": "FieldValueDuplicate", "message": 'Duplicate value: "hook.web.example"', "field": "webhooks[1].name"}
        assert answer.body["details"]["causes"] == [cause]

    run(scenario)
