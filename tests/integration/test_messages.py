"""What requests are told that can't be served as they are: types of fields, names, versions, methods, media types, parameters."""

from typing import Any

import pytest

from tests.integration.conftest import TYPES, Api, Run
from tests.integration.refusals import changed

Object = dict[str, Any]
CORE = "/api/v1/namespaces/default"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
LABELS = {"a": "b"}
DEPLOYMENT: Object = {
    "metadata": {"name": "d"},
    "spec": {
        "selector": {"matchLabels": LABELS},
        "template": {"metadata": {"labels": LABELS}, "spec": {"containers": [{"name": "c", "image": "i"}]}},
    },
}
CONTAINER = "spec.template.spec.containers.0"
UNMARSHAL = "json: cannot unmarshal"
QUANTITY = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"spec.replicas": "three"}, f"{UNMARSHAL} string into Go struct field DeploymentSpec.spec.replicas of type int32"),
        ({"spec.replicas": 1.5}, f"{UNMARSHAL} number 1.5 into Go struct field DeploymentSpec.spec.replicas of type int32"),
        ({"spec.replicas": 1 << 40}, f"{UNMARSHAL} number 1099511627776 into Go struct field DeploymentSpec.spec.replicas of type int32"),
        ({"spec.paused": "yes"}, f"{UNMARSHAL} string into Go struct field DeploymentSpec.spec.paused of type bool"),
        ({"spec.template.spec.containers": {}},
         f"{UNMARSHAL} object into Go struct field PodSpec.spec.template.spec.containers of type []v1.Container"),
        ({"metadata.labels": {"a": 1}}, f"{UNMARSHAL} number into Go struct field ObjectMeta.metadata.labels of type string"),
        ({"spec.strategy": {"rollingUpdate": {"maxSurge": True}}}, f"{UNMARSHAL} bool into Go value of type int32"),
        ({f"{CONTAINER}.resources": {"limits": {"cpu": "abc"}}}, QUANTITY),
        ({"metadata.creationTimestamp": "yesterday"},
         'parsing time "yesterday" as "2006-01-02T15:04:05Z07:00": cannot parse "yesterday" as "2006"'),
    ],
)  # fmt: skip
def test_fields_of_a_wrong_type(run: Run, changes: Object, why: str) -> None:
    async def scenario(api: Api) -> None:
        answer = await api("POST", DEPLOYMENTS, changed(DEPLOYMENT, changes))
        assert answer.summary == (400, "BadRequest", f'Deployment in version "v1" cannot be handled as a Deployment: {why}')

    run(scenario)


MODIFIED = "the object has been modified; please apply your changes to the latest version and try again"
OPTIONS = {"kind": "DeleteOptions", "apiVersion": "v1"}
NEW_RECORD = "The object might have been deleted and then recreated"


@pytest.mark.parametrize(
    ("method", "target", "body", "expected"),
    [
        ("PUT", f"{CORE}/configmaps/a", {"metadata": {"name": "b"}},
         (400, "BadRequest", "the name of the object (b) does not match the name on the URL (a)")),
        ("PUT", f"{CORE}/configmaps/a", {"metadata": {}},
         (400, "BadRequest", "the name of the object (a based on URL) was undeterminable: name must be provided")),
        ("POST", f"{CORE}/configmaps", {"metadata": {}},
         (422, "Invalid", 'ConfigMap "" is invalid: metadata.name: Required value: name or generateName is required')),
        ("POST", f"{CORE}/configmaps", {"metadata": {"name": "b", "resourceVersion": "1"}},
         (500, "", "resourceVersion should not be set on objects to be created")),
        ("POST", f"{CORE}/configmaps", {"metadata": {"name": "a"}}, (409, "AlreadyExists", 'configmaps "a" already exists')),
        ("PUT", f"{CORE}/configmaps/a", {"metadata": {"name": "a", "resourceVersion": "999999"}},
         (409, "Conflict", f'Operation cannot be fulfilled on configmaps "a": {MODIFIED}')),
        ("DELETE", f"{CORE}/configmaps/a", OPTIONS | {"preconditions": {"uid": "x"}},
         (409, "Conflict", 'Operation cannot be fulfilled on ConfigMap "a": the UID in the precondition (x) does not match the UID in '
          f"record ({{uid}}). {NEW_RECORD}")),
        ("DELETE", f"{CORE}/configmaps/a?propagationPolicy=Foo", None, (422, "Invalid", 'DeleteOptions.meta.k8s.io "" is invalid: '
         'propagationPolicy: Unsupported value: "Foo": supported values: "Foreground", "Background", "Orphan", "nil"')),
        ("POST", "/api/v1/namespaces/none/configmaps", {"metadata": {"name": "a"}}, (404, "NotFound", 'namespaces "none" not found')),
        ("GET", f"{CORE}/configmaps?fieldSelector=spec.foo=1", None, (
            400, "BadRequest", '"spec.foo" is not a known field selector: only "metadata.name", "metadata.namespace"')),
        ("GET", f"{CORE}/configmaps?labelSelector=a===b", None,
         (400, "BadRequest", "unable to parse requirement: found '=', expected: identifier")),
        ("GET", f"{CORE}/pods?fieldSelector=spec.foo=1", None, (400, "BadRequest", "field label not supported: spec.foo")),
        ("GET", f"{CORE}/configmaps?continue=abc", None, (400, "BadRequest",
         "invalid continue token: continue key is not valid: invalid character 'i' looking for beginning of value")),
        ("POST", f"{CORE}/configmaps?fieldValidation=Foo", {"metadata": {"name": "b"}}, (422, "Invalid",
         'CreateOptions.meta.k8s.io "" is invalid: fieldValidation: Unsupported value: "Foo": supported values: "", "Ignore", "Strict", '
         '"Warn"')),
    ],
)  # fmt: skip
def test_requests(run: Run, method: str, target: str, body: Object | None, expected: tuple[int, str, str]) -> None:
    async def scenario(api: Api) -> None:
        uid = (await api("POST", f"{CORE}/configmaps", {"metadata": {"name": "a"}})).body["metadata"]["uid"]
        status, reason, message = expected
        assert (await api(method, target, body)).summary == (status, reason, message.replace("{uid}", uid))

    run(scenario)


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("POST", f"{CORE}/configmaps/a"),
        ("PUT", f"{CORE}/configmaps"),
        ("PATCH", f"{CORE}/configmaps"),
        ("POST", "/api/v1/namespaces/default"),
        ("POST", "/version"),
    ],
)
def test_methods_that_a_path_does_not_have(run: Run, method: str, target: str) -> None:
    async def scenario(api: Api) -> None:
        answer = await api(
            method, target, {"metadata": {"name": "a"}}, content_type=TYPES["merge"] if method == "PATCH" else "application/json"
        )
        assert (answer.status, answer.raw) == (405, b"405: Method Not Allowed")
        assert (await api("GET", f"{CORE}/configmaps/a")).status == 404

    run(scenario)
