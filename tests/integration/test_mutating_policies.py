"""MutatingAdmissionPolicies through the front door."""

from typing import Any

import pytest

from tests.integration.conftest import Api, Run

GROUP = "/apis/admissionregistration.k8s.io/v1"
PODS, MAPS = "/api/v1/namespaces/default/pods", "/api/v1/namespaces/default/configmaps"
RULE = {"operations": ["CREATE", "UPDATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods", "configmaps"]}


def pod(name: str = "p") -> dict[str, Any]:
    return {"metadata": {"name": name}, "spec": {"containers": [{"name": "a", "image": "i"}]}}


def applying(expression: str) -> dict[str, Any]:
    return {"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": expression}}


def patching(expression: str) -> dict[str, Any]:
    return {"patchType": "JSONPatch", "jsonPatch": {"expression": expression}}


async def policy(api: Api, *mutations: dict[str, Any], name: str = "p", binding: dict[str, Any] | None = None, **spec: Any) -> None:
    constraints = {"matchConstraints": {"resourceRules": [RULE]}, "reinvocationPolicy": "Never"}
    body = {"metadata": {"name": name}, "spec": {**constraints, "mutations": list(mutations), **spec}}
    made = await api("POST", f"{GROUP}/mutatingadmissionpolicies", body)
    assert made.status == 201, made.body
    bound = {"metadata": {"name": f"{name}-b"}, "spec": {"policyName": name, **(binding or {})}}
    made = await api("POST", f"{GROUP}/mutatingadmissionpolicybindings", bound)
    assert made.status == 201, made.body


def test_apply_configurations_are_merged(run: Run) -> None:
    async def scenario(api: Api) -> None:
        sidecar = "Object.spec.initContainers{name: 'mesh', image: 'mesh:' + variables.tag, restartPolicy: 'Always'}"
        await policy(
            api, applying(f"Object{{spec: Object.spec{{initContainers: [{sidecar}]}}}}"),
            applying("Object{metadata: Object.metadata{labels: {'seen': object.metadata.name}}}"),
            variables=[{"name": "tag", "expression": "'v' + string(size(object.spec.containers))"}],
            matchConditions=[{"name": "pods", "expression": "request.resource.resource == 'pods'"},
                             {"name": "new", "expression": "!object.spec.?initContainers.orValue([]).exists(c, c.name == 'mesh')"}],
        )  # fmt: skip
        answer = await api("POST", PODS, pod())
        assert answer.status == 201, answer.body
        found = answer.body["spec"]["initContainers"]
        assert [(each["name"], each["image"], each["restartPolicy"], each["imagePullPolicy"]) for each in found] == [
            ("mesh", "mesh:v1", "Always", "IfNotPresent")
        ]
        assert (answer.body["metadata"]["labels"], [each["name"] for each in answer.body["spec"]["containers"]]) == ({"seen": "p"}, ["a"])
        assert (await api("POST", MAPS, {"metadata": {"name": "m"}})).body["metadata"].get("labels") is None

    run(scenario)


def test_json_patches(run: Run) -> None:
    async def scenario(api: Api) -> None:
        escaped = (
            "[JSONPatch{op: 'test', path: '/metadata/name', value: 'm'}, JSONPatch{op: 'add', path: '/data', value: {'n': '1'}},"
            " JSONPatch{op: 'add', path: '/metadata/labels', value: {}},"
            " JSONPatch{op: 'add', path: '/metadata/labels/' + jsonpatch.escapeKey('a.io/b'), value: request.userInfo.username}]"
        )
        await policy(api, patching(escaped))
        made = await api("POST", MAPS, {"metadata": {"name": "m"}}, user="admin", x_remote_group="system:masters")
        assert made.status == 201, made.body
        assert (made.body["data"], made.body["metadata"]["labels"]) == ({"n": "1"}, {"a.io/b": "admin"})
        other = await api("POST", MAPS, {"metadata": {"name": "other"}})
        assert (other.status, other.body.get("data")) == (201, None)

    run(scenario)


@pytest.mark.parametrize(
    ("mutation", "problem"),
    [
        (applying("Object{metadata: Object.metadata{labels: {'a': object.nope}}}"),
         "expression 'Object{metadata: Object.metadata{labels: {'a': object.nope}}}' resulted in error: no such key: nope"),
        (applying("Object{metadata: Object.spec{labels: {'a': 'b'}}}"),
         'type mismatch: unexpected type name "Object.spec", expected "Object.metadata", '
         "which matches field name path from root Object type"),
        (applying("Object{spec: Object.spec{wrong: 1}}"),
         "error applying patch: failed to convert patch object to typed object: .spec.wrong: field not declared in schema"),
        (applying("Object{spec: Object.spec{nodeSelector: {'a': 'b'}}}"),
         "error applying patch: invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: .spec.nodeSelector"),
    ],
)  # fmt: skip
def test_mutations_that_fail(run: Run, mutation: dict[str, Any], problem: str) -> None:
    async def scenario(api: Api) -> None:
        await policy(api, mutation)
        text = f"policy 'p' with binding 'p-b' denied request: {problem}"
        answer = await api("POST", PODS, pod())
        assert answer.summary == (403, "Invalid", text)
        assert answer.body["details"] == {"name": "p", "kind": "pods", "causes": [{"message": text}]}
        assert (await api.patch("merge", f"{GROUP}/mutatingadmissionpolicies/p", {"spec": {"failurePolicy": "Ignore"}})).status == 200
        assert (await api("POST", PODS, pod())).status == 201

    run(scenario)


def test_parameters(run: Run) -> None:
    async def scenario(api: Api) -> None:
        assert (await api("POST", MAPS, {"metadata": {"name": "labels"}, "data": {"team": "blue"}})).status == 201
        reference = {"name": "labels", "parameterNotFoundAction": "Deny"}
        mutation = applying("Object{metadata: Object.metadata{labels: {'team': params.data.team}}}")
        await policy(api, mutation, binding={"paramRef": reference}, paramKind={"apiVersion": "v1", "kind": "ConfigMap"})
        assert (await api("POST", PODS, pod())).body["metadata"]["labels"] == {"team": "blue"}
        assert (await api("DELETE", f"{MAPS}/labels")).status == 200
        text = "failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction"
        assert (await api("POST", PODS, pod("q"))).summary == (403, "Invalid", f"policy 'p' with binding 'p-b' denied request: {text}")

    run(scenario)


@pytest.mark.parametrize(("reinvocation", "seen"), [("Never", "nobody"), ("IfNeeded", "second")])
def test_policies_see_what_came_after_them_if_they_want(run: Run, reinvocation: str, seen: str) -> None:
    async def scenario(api: Api) -> None:
        looking = "Object{metadata: Object.metadata{annotations: {'saw': object.metadata.?labels['by'].orValue('nobody')}}}"
        await policy(api, applying(looking), name="a", reinvocationPolicy=reinvocation)
        await policy(api, applying("Object{metadata: Object.metadata{labels: {'by': 'second'}}}"), name="b")
        assert (await api("POST", MAPS, {"metadata": {"name": "m"}})).body["metadata"]["annotations"] == {"saw": seen}

    run(scenario)


def test_a_dry_run_is_changed_too(run: Run) -> None:
    async def scenario(api: Api) -> None:
        await policy(api, applying("Object{metadata: Object.metadata{labels: {'by': 'me'}}}"))
        answer = await api("POST", f"{MAPS}?dryRun=All", {"metadata": {"name": "m"}})
        assert answer.body["metadata"]["labels"] == {"by": "me"}
        assert (await api("GET", f"{MAPS}/m")).status == 404

    run(scenario)


def test_policies_that_can_not_be(run: Run) -> None:
    async def scenario(api: Api) -> None:
        rule = {**RULE, "operations": ["DELETE"]}
        mutations = [
            {"patchType": "Merge"}, {"patchType": "JSONPatch", "applyConfiguration": {"expression": "Object{}"}},
            applying("1"), patching("[JSONPatch{op: 'add', paht: '/x'}]"), applying(" "),
        ]  # fmt: skip
        spec = {"matchConstraints": {"resourceRules": [rule]}, "mutations": mutations}
        answer = await api("POST", f"{GROUP}/mutatingadmissionpolicies", {"metadata": {"name": "p"}, "spec": spec})
        found = [(each["reason"], each["field"]) for each in answer.body["details"]["causes"]]
        assert (answer.status, found) == (422, [
            ("FieldValueNotSupported", "spec.matchConstraints.resourceRules.operations"),
            ("FieldValueNotSupported", "spec.mutations[0].patchType"),
            ("FieldValueInvalid", "spec.mutations[1].applyConfiguration"), ("FieldValueRequired", "spec.mutations[1].jsonPatch"),
            ("FieldValueInvalid", "spec.mutations[2].applyConfiguration.expression"),
            ("FieldValueInvalid", "spec.mutations[3].jsonPatch.expression"),
            ("FieldValueRequired", "spec.mutations[4].applyConfiguration.expression"),
            ("FieldValueRequired", "spec.reinvocationPolicy"),
        ])  # fmt: skip
        messages = [each["message"] for each in answer.body["details"]["causes"]]
        assert messages[4] == 'Invalid value: "1": must evaluate to Object but got int'
        assert "undefined field 'paht'" in messages[5]

    run(scenario)
