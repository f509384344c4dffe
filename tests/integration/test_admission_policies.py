"""Policies and match conditions in CEL, through the front door."""

from typing import Any

import pytest

from tests.integration.conftest import Api, Run

GROUP = "/apis/admissionregistration.k8s.io/v1"
MAPS = "/api/v1/namespaces/default/configmaps"
RULE = {"operations": ["CREATE", "UPDATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["configmaps"]}


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


@pytest.mark.parametrize(
    ("spec", "validation", "expected"),
    [
        ({}, {"expression": "size(object.data) <= 2"}, ""),
        ({}, SMALL, "failed expression: size(object.data) <= 1"),
        ({}, {**SMALL, "message": "too big"}, "too big"),
        ({}, {**SMALL, "messageExpression": "'has ' + string(size(object.data))"}, "has 2"),
        ({}, {**SMALL, "message": "too big", "messageExpression": "string(object.nothing)"}, "too big"),
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


def test_expressions_are_compiled_when_written(run: Run) -> None:
    async def scenario(api: Api) -> None:
        spec = {"matchConstraints": {"resourceRules": [RULE]}, "validations": [{"expression": "object.spec +"}]}
        answer = await api("POST", f"{GROUP}/validatingadmissionpolicies", {"metadata": {"name": "p"}, "spec": spec})
        assert (answer.status, answer.body["details"]["causes"][0]["field"]) == (422, "spec.validations[0].expression")
        assert "compilation failed: ERROR: <input>:1:14: Syntax error" in answer.body["message"]

    run(scenario)


async def refusals(api: Api, plural: str, spec: dict[str, Any]) -> list[tuple[str, str, str]]:
    answer = await api("POST", f"{GROUP}/{plural}", {"metadata": {"name": "p"}, "spec": spec})
    assert answer.status == 422, answer.body
    return [(each["reason"], each["field"], each["message"].split("\n")[0]) for each in answer.body["details"]["causes"]]


CONSTRAINTS = {"matchConstraints": {"resourceRules": [RULE]}}
INVALID, REQUIRED = "FieldValueInvalid", "FieldValueRequired"
PAST = "ERROR: <input>:1:1: undeclared reference to"


@pytest.mark.parametrize(
    ("spec", "causes"),
    [
        ({"validations": [{"expression": "true"}]}, [(REQUIRED, "spec.matchConstraints", "Required value")]),
        (CONSTRAINTS, [
            (REQUIRED, "spec.validations", "Required value: validations or auditAnnotations must contain at least one item"),
            (REQUIRED, "spec.auditAnnotations", "Required value: validations or auditAnnotations must contain at least one item")]),
        ({**CONSTRAINTS, "validations": [{"expression": "object.x"}]},
         [(INVALID, "spec.validations[0].expression", 'Invalid value: "object.x": must evaluate to bool but got dyn')]),
        ({**CONSTRAINTS, "validations": [{"expression": "params.x == 1"}]},
         [(INVALID, "spec.validations[0].expression",
           f"Invalid value: \"params.x == 1\": compilation failed: {PAST} 'params' (in container '')")]),
        ({**CONSTRAINTS, "validations": [{"expression": "request.nope == 1"}]},
         [(INVALID, "spec.validations[0].expression",
           "Invalid value: \"request.nope == 1\": compilation failed: ERROR: <input>:1:8: undefined field 'nope'")]),
        ({**CONSTRAINTS, "validations": [{"expression": "variables.a"}], "variables": [{"name": "if", "expression": "true"}]},
         [(INVALID, "spec.variables[0].name", 'Invalid value: "if": name is not a valid CEL identifier'),
          (INVALID, "spec.validations[0].expression",
           "Invalid value: \"variables.a\": compilation failed: ERROR: <input>:1:10: undefined field 'a'")]),
        ({**CONSTRAINTS, "validations": [{"expression": "true", "messageExpression": "authorizer.path('/').check('get').reason()"}]},
         [(INVALID, "spec.validations[0].messageExpression",
           "Invalid value: \"authorizer.path('/').check('get').reason()\": compilation failed: "
           f"{PAST} 'authorizer' (in container '')")]),
        ({**CONSTRAINTS, "validations": [{"expression": "true", "reason": "NotFound", "message": " "}]},
         [(INVALID, "spec.validations[0].message", 'Invalid value: " ": message must be non-empty if specified'),
          ("FieldValueNotSupported", "spec.validations[0].reason",
           'Unsupported value: "NotFound": supported values: "Forbidden", "Invalid", "RequestEntityTooLarge"')]),
        ({**CONSTRAINTS, "auditAnnotations": [{"key": "a", "valueExpression": "1"}, {"key": "a", "valueExpression": "'x'"}]},
         [(INVALID, "spec.auditAnnotations[0].valueExpression",
           'Invalid value: "1": must evaluate to one of [string null_type] but got int'),
          ("FieldValueDuplicate", "spec.auditAnnotations[1].key", 'Duplicate value: "a"')]),
        ({**CONSTRAINTS, "validations": [{"expression": "true"}], "matchConditions": [{"name": "", "expression": "1"}]},
         [(INVALID, "spec.matchConditions[0].expression", 'Invalid value: "1": must evaluate to bool but got int'),
          (REQUIRED, "spec.matchConditions[0].name", "Required value")]),
        ({**CONSTRAINTS, "validations": [{"expression": "true"}], "paramKind": {"apiVersion": "a/b/c", "kind": "X Y"}},
         [(INVALID, "spec.paramKind.apiVersion", 'Invalid value: "a/b/c": unexpected GroupVersion string: a/b/c'),
          (INVALID, "spec.paramKind.kind",
           'Invalid value: "X Y": may have mixed case, but should otherwise match: a DNS-1035 label must consist of '
           "lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character "
           "(e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')")]),
        ({"matchConstraints": {"resourceRules": [{**RULE, "operations": ["*", "GET"], "resources": ["*", "pods"]}]},
          "validations": [{"expression": "true"}]},
         [(INVALID, "spec.matchConstraints.resourceRules[0].operations",
           'Invalid value: ["*","GET"]: if \'*\' is present, must not specify other operations'),
          ("FieldValueNotSupported", "spec.matchConstraints.resourceRules[0].operations[1]",
           'Unsupported value: "GET": supported values: "*", "CONNECT", "CREATE", "DELETE", "UPDATE"'),
          (INVALID, "spec.matchConstraints.resourceRules[0].resources",
           "Invalid value: [\"*\",\"pods\"]: if '*' is present, must not specify other resources without subresources")]),
    ],
)  # fmt: skip
def test_policies_that_can_not_be(run: Run, spec: dict[str, Any], causes: list[tuple[str, str, str]]) -> None:
    async def scenario(api: Api) -> None:
        assert await refusals(api, "validatingadmissionpolicies", spec) == causes

    run(scenario)


def test_bindings_that_can_not_be(run: Run) -> None:
    async def scenario(api: Api) -> None:
        reference = {"name": "a", "selector": {}, "parameterNotFoundAction": "Maybe"}
        spec = {"policyName": "P", "validationActions": ["Deny", "Warn", "Deny"], "paramRef": reference}
        found = await refusals(api, "validatingadmissionpolicybindings", spec)
        assert [(reason, field) for reason, field, _ in found] == [
            (INVALID, "spec.policyName"), ("FieldValueForbidden", "spec.paramRef.name"), ("FieldValueForbidden", "spec.paramRef.selector"),
            ("FieldValueNotSupported", "spec.paramRef.parameterNotFoundAction"), ("FieldValueDuplicate", "spec.validationActions[2]"),
            (INVALID, "spec.validationActions"),
        ]  # fmt: skip
        actions = await refusals(api, "validatingadmissionpolicybindings", {"policyName": "p", "validationActions": []})
        text = "Required value: at least one validation action is required"
        assert actions == [(REQUIRED, "spec.validationActions", text)]

    run(scenario)


def test_expressions_ask_the_authorizer(run: Run) -> None:
    async def scenario(api: Api) -> None:
        mine = "authorizer.group('').resource('configmaps').namespace('default').check('delete').allowed()"
        theirs = "authorizer.serviceAccount('default', 'a').group('').resource('pods').namespace('default').check('create').allowed()"
        here = "authorizer.requestResource.check('create').allowed()"
        await policy(api, {"expression": f"{mine} && {here}", "message": "not you"}, {"expression": f"!{theirs}"})
        role = {"metadata": {"name": "r"}, "rules": [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["create"]}]}
        assert (await api("POST", "/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles", role)).status == 201
        reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "r"}
        subject = {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "eve"}
        bound = {"metadata": {"name": "r"}, "roleRef": reference, "subjects": [subject]}
        assert (await api("POST", "/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings", bound)).status == 201
        assert (await api("POST", MAPS, config_map())).status == 201
        assert (await api("POST", MAPS, config_map("n"), user="eve")).body["message"].endswith("denied request: not you")

    run(scenario)


def test_variables_are_found_when_they_are_needed(run: Run) -> None:
    async def scenario(api: Api) -> None:
        variables = [
            {"name": "bad", "expression": "object.nothing.at.all"},
            {"name": "count", "expression": "size(object.data)"},
            {"name": "twice", "expression": "variables.count * 2"},
        ]
        await policy(api, {"expression": "variables.twice < 4 || variables.bad == 1"}, variables=variables)
        assert (await api("POST", MAPS, config_map(a="1"))).status == 201
        text = (
            "expression 'variables.twice < 4 || variables.bad == 1' resulted in error: "
            'composited variable "bad" fails to evaluate: no such key: nothing'
        )
        assert (await api("POST", MAPS, config_map("n", a="1", b="2"))).body["message"].endswith(text)

    run(scenario)


def test_parameters_by_selector_and_their_problems(run: Run) -> None:
    async def scenario(api: Api) -> None:
        reference = {"selector": {"matchLabels": {"limit": "yes"}}, "parameterNotFoundAction": "Deny", "namespace": "kube-system"}
        validation = {"expression": "size(object.data) != int(params.data.bad)", "messageExpression": "'never ' + params.data.bad"}
        await policy(api, validation, binding={"paramRef": reference}, paramKind={"apiVersion": "v1", "kind": "ConfigMap"})
        system = MAPS.replace("default", "kube-system")
        for bad in ("1", "2"):
            limit = {"metadata": {"name": f"l{bad}", "labels": {"limit": "yes"}}, "data": {"bad": bad, "x": "", "y": ""}}
            labelled = await api("POST", system, limit)
            if bad == "1":
                assert labelled.body["message"].endswith("no params found for policy binding with `Deny` parameterNotFoundAction")
                await api("DELETE", f"{GROUP}/validatingadmissionpolicybindings/b")
                assert (await api("POST", system, limit)).status == 201
        bound = {"metadata": {"name": "b"}, "spec": {"policyName": "p", "validationActions": ["Deny"], "paramRef": reference}}
        assert (await api("POST", f"{GROUP}/validatingadmissionpolicybindings", bound)).status == 201
        assert (await api("POST", MAPS, config_map(a="1"))).summary == (422, "Invalid", f"{DENIED}never 1")
        assert (await api("POST", MAPS, config_map(a="1", b="2"))).summary == (422, "Invalid", f"{DENIED}never 2")
        assert (await api("POST", MAPS, config_map(a="1", b="2", c="3"))).status == 201

    run(scenario)


def test_a_policy_whose_parameters_are_of_no_known_kind(run: Run) -> None:
    async def scenario(api: Api) -> None:
        reference = {"name": "x", "parameterNotFoundAction": "Allow"}
        await policy(api, {"expression": "true"}, binding={"paramRef": reference}, paramKind={"apiVersion": "a.io/v1", "kind": "Nothing"})
        text = (
            "configmaps \"m\" is forbidden: ValidatingAdmissionPolicy 'p' denied request: failed to configure policy: "
            "failed to find resource referenced by paramKind: 'a.io/v1, Kind=Nothing'"
        )
        assert (await api("POST", MAPS, config_map())).summary == (422, "Invalid", text)

    run(scenario)


def test_type_checking(run: Run) -> None:
    async def scenario(api: Api) -> None:
        rule = {"operations": ["*"], "apiGroups": ["apps"], "apiVersions": ["v1"], "resources": ["deployments"]}
        validations = [
            {"expression": "object.spec.replicas > '1'", "messageExpression": "object.metadata.name"},
            {"expression": "object.spec.maxReplicas > 1"},
            {"expression": "object.spec.template.spec.containers.all(c, c.name != 'x') && has(object.metadata.labels)"},
            {"expression": "timestamp('2020-01-01T00:00:00Z') < object.metadata.creationTimestamp"},
        ]
        validations[0].pop("messageExpression")
        await policy(api, *validations, matchConstraints={"resourceRules": [rule]})
        watch = await api.watch(f"{GROUP}/validatingadmissionpolicies?watch=true")
        while True:
            found = (await watch.next())["object"]
            if (found.get("status") or {}).get("observedGeneration"):
                break
        assert found["status"]["observedGeneration"] == 1
        assert found["status"]["typeChecking"]["expressionWarnings"] == [
            {"fieldRef": "spec.validations[0].expression", "warning":
             "apps/v1, Kind=Deployment: ERROR: <input>:1:22: found no matching overload for '_>_' applied to '(int, string)'\n"
             " | object.spec.replicas > '1'\n | .....................^\n"},
            {"fieldRef": "spec.validations[1].expression", "warning":
             "apps/v1, Kind=Deployment: ERROR: <input>:1:12: undefined field 'maxReplicas'\n"
             " | object.spec.maxReplicas > 1\n | ...........^\n"},
        ]  # fmt: skip

    run(scenario)


def test_rules_may_name_objects_and_exclude_some(run: Run) -> None:
    async def scenario(api: Api) -> None:
        constraints = {"resourceRules": [{**RULE, "operations": ["UPDATE"]}], "excludeResourceRules": [{**RULE, "resourceNames": ["free"]}]}
        await policy(api, {"expression": "false", "message": "no"}, matchConstraints=constraints)
        for name in ("free", "bound"):
            assert (await api("POST", MAPS, config_map(name))).status == 201
        answers = [(await api.patch("merge", f"{MAPS}/{name}", {"data": {"a": "1"}})).status for name in ("free", "bound")]
        assert answers == [200, 422]

    run(scenario)


def test_a_costly_expression_is_stopped(run: Run) -> None:
    async def scenario(api: Api) -> None:
        loop = "object.data.all(a, object.data.all(b, object.data.all(c, a + b + c != 'x')))"
        await policy(api, {"expression": loop})
        answer = await api("POST", MAPS, config_map(**{f"k{index}": "v" for index in range(150)}))
        assert answer.summary == (
            422, "Invalid", f"{DENIED}expression '{loop}' resulted in error: operation cancelled: actual cost limit exceeded",
        )  # fmt: skip

    run(scenario)


def test_parameters_are_for_those_who_may_read_them(run: Run) -> None:
    async def scenario(api: Api) -> None:
        rules = [{"apiGroups": ["admissionregistration.k8s.io"], "resources": ["*"], "verbs": ["*"]}]
        role = {"metadata": {"name": "policies"}, "rules": rules}
        assert (await api("POST", "/apis/rbac.authorization.k8s.io/v1/clusterroles", role)).status == 201
        subject = {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "eve"}
        reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "policies"}
        bound = {"metadata": {"name": "policies"}, "roleRef": reference, "subjects": [subject]}
        assert (await api("POST", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", bound)).status == 201
        kind = {"apiVersion": "v1", "kind": "Secret"}
        spec = {**CONSTRAINTS, "validations": [{"expression": "true"}], "paramKind": kind}
        answer = await api("POST", f"{GROUP}/validatingadmissionpolicies", {"metadata": {"name": "p"}, "spec": spec}, user="eve")
        eve = "&{eve  [system:authenticated] map[]}"
        about = "(kind=Secret, apiVersion=v1)"
        text = f'Forbidden: user {eve} must have "get" permission on all objects of the referenced paramKind {about}'
        assert answer.body["details"]["causes"] == [{"reason": "FieldValueForbidden", "message": text, "field": "spec.paramKind"}]
        assert (await api("POST", f"{GROUP}/validatingadmissionpolicies", {"metadata": {"name": "p"}, "spec": spec})).status == 201
        params = {"name": "s", "namespace": "kube-system", "parameterNotFoundAction": "Deny"}
        binding = {"metadata": {"name": "b"}, "spec": {"policyName": "p", "validationActions": ["Deny"], "paramRef": params}}
        answer = await api("POST", f"{GROUP}/validatingadmissionpolicybindings", binding, user="eve")
        text = f'Forbidden: user {eve} does not have "get" permission on the object referenced by paramRef'
        assert answer.body["details"]["causes"] == [{"reason": "FieldValueForbidden", "message": text, "field": "spec.paramRef"}]

    run(scenario)


def test_policies_are_replaced_by_those_who_know_them(run: Run) -> None:
    async def scenario(api: Api) -> None:
        await policy(api, {"expression": "true"})
        body = {"metadata": {"name": "p"}, "spec": {**CONSTRAINTS, "validations": [{"expression": "false"}]}}
        answer = await api("PUT", f"{GROUP}/validatingadmissionpolicies/p", body)
        assert answer.body["details"]["causes"][0]["field"] == "metadata.resourceVersion"

    run(scenario)
