"""Policies and match conditions in CEL, through the front door."""

import importlib.util
from typing import Any

import pytest

from tests.integration.conftest import Api, Run

GROUP = "/apis/admissionregistration.k8s.io/v1"
MAPS = "/api/v1/namespaces/default/configmaps"
RULE = {"operations": ["CREATE", "UPDATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["configmaps"]}
needs_cel = pytest.mark.skipif(importlib.util.find_spec("cel_expr_python") is None, reason="cel-expr-python is not installed")


def config_map(name: str = "m", **data: str) -> dict[str, Any]:
    return {"metadata": {"name": name}, "data": data}


async def policy(api: Api, *validations: dict[str, Any], binding: dict[str, Any] | None = None, **spec: Any) -> None:
    """A policy on config maps and its binding."""
    body = {"metadata": {"name": "p"}, "spec": {"matchConstraints": {"resourceRules": [RULE]}, "validations": list(validations), **spec}}
    made = await api("POST", f"{GROUP}/validatingadmissionpolicies", body)
    assert made.status == 201, made.body
    bound = {"metadata": {"name": "b"}, "spec": {"policyName": "p", "validationActions": ["Deny"], **(binding or {})}}
    made = await api("POST", f"{GROUP}/validatingadmissionpolicybindings", bound)
    assert made.status == 201, made.body


DENIED = "configmaps \"m\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: "
SMALL = {"expression": "size(object.data) <= 1"}


@needs_cel
@pytest.mark.parametrize(
    ("spec", "validation", "expected"),
    [
        ({}, {"expression": "size(object.data) <= 2"}, ""),
        ({}, SMALL, "failed expression: size(object.data) <= 1"),
        ({}, {**SMALL, "message": "too big"}, "too big"),
        ({}, {**SMALL, "messageExpression": "'has ' + string(size(object.data))"}, "has 2"),
        ({}, {**SMALL, "message": "too big", "messageExpression": "object.nothing"}, "too big"),
        ({}, {"expression": "object.nothing == 1"}, "expression 'object.nothing == 1' resulted in error: no such key: nothing"),
        ({"failurePolicy": "Ignore"}, {"expression": "object.nothing == 1"}, ""),
        ({"matchConditions": [{"name": "c", "expression": "request.userInfo.username == 'nobody'"}]}, SMALL, ""),
        ({"matchConditions": [{"name": "c", "expression": "request.operation == 'CREATE'"}]}, {**SMALL, "message": "no"}, "no"),
        (
            {"variables": [{"name": "n", "expression": "size(object.data)"}, {"name": "more", "expression": "variables.n + 1"}]},
            {"expression": "variables.more == 2", "message": "variables"}, "variables",
        ),
        ({}, {"expression": "namespaceObject.metadata.name == 'default' && oldObject == null"}, ""),
    ],
)  # fmt: skip
def test_validations(run: Run, spec: dict[str, Any], validation: dict[str, Any], expected: str) -> None:
    async def scenario(api: Api) -> None:
        await policy(api, validation, **spec)
        answer = await api("POST", MAPS, config_map(a="1", b="2"))
        if not expected:
            assert answer.status == 201
            return
        assert answer.summary == (422, "Invalid", DENIED + expected)
        text = DENIED.partition("forbidden: ")[2] + expected
        assert answer.body["details"] == {"name": "m", "kind": "configmaps", "causes": [{"message": text}]}

    run(scenario)


@needs_cel
def test_reasons_and_actions(run: Run) -> None:
    async def scenario(api: Api) -> None:
        await policy(api, {**SMALL, "reason": "Forbidden"}, binding={"validationActions": ["Warn"]})
        answer = await api("POST", MAPS, config_map(a="1", b="2"))
        words = "Validation failed for ValidatingAdmissionPolicy 'p' with binding 'b': failed expression: size(object.data) <= 1"
        assert (answer.status, answer.warnings) == (201, [f'299 - "{words}"'])
        await api.patch("merge", f"{GROUP}/validatingadmissionpolicybindings/b", {"spec": {"validationActions": ["Deny", "Audit"]}})
        answer = await api("POST", MAPS, config_map("n", a="1", b="2"))
        assert answer.summary[:2] == (403, "Forbidden")
        await api("DELETE", f"{GROUP}/validatingadmissionpolicybindings/b")
        assert (await api("POST", MAPS, config_map("n", a="1", b="2"))).status == 201

    run(scenario)


@needs_cel
def test_parameters(run: Run) -> None:
    async def scenario(api: Api) -> None:
        reference = {"name": "limits", "namespace": "default", "parameterNotFoundAction": "Deny"}
        validation = {"expression": "size(object.data) <= int(params.data.most)", "messageExpression": "'at most ' + params.data.most"}
        kind = {"apiVersion": "v1", "kind": "ConfigMap"}
        await policy(api, validation, binding={"paramRef": reference}, paramKind=kind)
        missing = "failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction"
        assert (await api("POST", MAPS, config_map(a="1"))).summary == (422, "Invalid", DENIED + missing)
        loosened = {"spec": {"paramRef": {**reference, "parameterNotFoundAction": "Allow"}}}
        await api.patch("merge", f"{GROUP}/validatingadmissionpolicybindings/b", loosened)
        assert (await api("POST", MAPS, config_map("limits", most="1"))).status == 201
        assert (await api("POST", MAPS, config_map(a="1", b="2"))).summary == (422, "Invalid", f"{DENIED}at most 1")
        assert (await api("POST", MAPS, config_map(a="1"))).status == 201

    run(scenario)


@needs_cel
@pytest.mark.parametrize(("match_policy", "status"), [("Equivalent", 422), ("Exact", 201)])
def test_another_version_is_no_way_around_a_policy(run: Run, match_policy: str, status: int) -> None:
    async def scenario(api: Api) -> None:
        rule = {"operations": ["*"], "apiGroups": ["autoscaling"], "apiVersions": ["v1"], "resources": ["horizontalpodautoscalers"]}
        validation = {"expression": "object.spec.targetCPUUtilizationPercentage < 50"}
        await policy(api, validation, matchConstraints={"resourceRules": [rule], "matchPolicy": match_policy})
        target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "d"}
        resource = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}}
        spec = {"scaleTargetRef": target, "maxReplicas": 3, "metrics": [{"type": "Resource", "resource": resource}]}
        answer = await api(
            "POST", "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers", {"metadata": {"name": "h"}, "spec": spec}
        )
        assert answer.status == status

    run(scenario)


@needs_cel
def test_expressions_are_compiled_when_written(run: Run) -> None:
    async def scenario(api: Api) -> None:
        spec = {"matchConstraints": {"resourceRules": [RULE]}, "validations": [{"expression": "object.spec +"}]}
        answer = await api("POST", f"{GROUP}/validatingadmissionpolicies", {"metadata": {"name": "p"}, "spec": spec})
        assert (answer.status, answer.body["details"]["causes"][0]["field"]) == (422, "spec.validations[0].expression")
        assert "compilation failed: ERROR: <input>:1:14: Syntax error" in answer.body["message"]

    run(scenario)


def test_what_is_not_enforced_is_said(run: Run) -> None:
    async def scenario(api: Api) -> None:
        group = GROUP.replace("v1", "v1beta1")
        body = {"metadata": {"name": "b"}, "spec": {"policyName": "p"}}
        answer = await api("POST", f"{group}/mutatingadmissionpolicybindings", body)
        if answer.status == 404:
            answer = await api("POST", f"{GROUP}/mutatingadmissionpolicybindings", body)
        kind = "MutatingAdmissionPolicyBinding"
        text = f'299 - "{kind} is stored and served, but this version of proa does not enforce it yet"'
        assert (answer.status, answer.warnings) == (201, [text])

    run(scenario)
