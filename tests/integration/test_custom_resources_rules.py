"""CEL rules of custom resources through the front door."""

import copy
from typing import Any

import pytest

from tests.integration.conftest import Api, Run
from tests.integration.test_custom_resources import CRDS, WIDGETS, definition, establish, widget

pytest.importorskip("cel_expr_python.cel")

PATH = "spec.validation.openAPIV3Schema.properties[spec]"


def ruled(*rules: dict[str, Any], ports: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    crd = copy.deepcopy(definition())
    spec = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    spec["x-kubernetes-validations"] = list(rules)
    spec["properties"]["tags"] |= {"maxItems": 10, "items": {"type": "string", "maxLength": 20}}
    spec["properties"]["limits"] |= {"maxProperties": 10, "additionalProperties": {"type": "string", "maxLength": 20}}
    if ports:
        spec["properties"]["ports"]["items"]["x-kubernetes-validations"] = list(ports)
    return crd


REFUSED: list[tuple[dict[str, Any], dict[str, Any] | None, dict[str, Any], list[tuple[str, str, str]]]] = [
    # rule, spec before, spec, (reason, field, message)
    ({"rule": "self.size <= self.replicas"}, None, {"size": 2},
     [("FieldValueInvalid", "spec", 'Invalid value: failed rule: self.size <= self.replicas')]),
    ({"rule": "self.size <= self.replicas", "message": "too large"}, None, {"size": 2},
     [("FieldValueInvalid", "spec", "Invalid value: too large")]),
    ({"rule": "self.size < 2", "messageExpression": "'is ' + string(self.size)", "reason": "FieldValueForbidden", "fieldPath": ".size"},
     None, {"size": 2}, [("FieldValueForbidden", "spec.size", "Forbidden: is 2")]),
    ({"rule": "self.size == oldSelf.size", "message": "immutable"}, {"size": 1}, {"size": 2},
     [("FieldValueInvalid", "spec", "Invalid value: immutable")]),
    ({"rule": "self.size == oldSelf.size"}, None, {"size": 2}, []),
    ({"rule": "oldSelf.hasValue() || self.size == 1", "optionalOldSelf": True, "message": "starts at 1"}, None, {"size": 2},
     [("FieldValueInvalid", "spec", "Invalid value: starts at 1")]),
    ({"rule": "oldSelf.hasValue() || self.size == 1", "optionalOldSelf": True}, {"size": 1}, {"size": 2}, []),
    ({"rule": "self.name == 'a'"}, None, {},
     [("FieldValueInvalid", "spec", "Invalid value: \"object\": no such key: name evaluating rule: self.name == 'a'")]),
    ({"rule": "self.tags.isSorted()", "message": "sort them"}, None, {"tags": ["b", "a"]},
     [("FieldValueInvalid", "spec", "Invalid value: sort them")]),
    ({"rule": "self.limits.all(name, quantity(self.limits[name]).isLessThan(quantity('1Gi')))"}, None, {"limits": {"memory": "512Mi"}}, []),
    ({"rule": "has(self.maybe)"}, None, {"size": "a"},
     [("FieldValueTypeInvalid", "spec.size", 'Invalid value: "string": spec.size in body must be of type integer: "string"'),
      ("FieldValueInvalid", "<nil>", "Invalid value: null: some validation rules were not checked because the object was invalid; "
       "correct the existing errors to complete validation")]),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "before", "spec", "causes"), REFUSED, ids=[str(row[0]["rule"]) for row in REFUSED])
def test_rules(
    run: Run, rule: dict[str, Any], before: dict[str, Any] | None, spec: dict[str, Any], causes: list[tuple[str, str, str]]
) -> None:
    async def scenario(api: Api) -> None:
        await establish(api, ruled(rule))
        if before is None:
            answer = await api("POST", WIDGETS, widget(**spec))
        else:
            assert (await api("POST", WIDGETS, widget(**before))).status == 201
            answer = await api.patch("merge", f"{WIDGETS}/a", {"spec": spec})
        found = (answer.body.get("details") or {}).get("causes") or []
        assert [(each["reason"], each["field"], each["message"]) for each in found] == causes

    run(scenario)


def test_elements_of_list_maps_are_compared_with_what_they_were(run: Run) -> None:
    async def scenario(api: Api) -> None:
        await establish(api, ruled(ports=({"rule": "self.number >= oldSelf.number", "message": "may only grow"},)))
        assert (await api("POST", WIDGETS, widget(ports=[{"name": "a", "number": 1}, {"name": "b", "number": 9}]))).status == 201
        moved = await api.patch("merge", f"{WIDGETS}/a", {"spec": {"ports": [{"name": "b", "number": 9}, {"name": "a", "number": 2}]}})
        assert moved.status == 200
        shrunk = await api.patch("merge", f"{WIDGETS}/a", {"spec": {"ports": [{"name": "c", "number": 0}, {"name": "b", "number": 8}]}})
        assert [(each["field"], each["message"]) for each in shrunk.body["details"]["causes"]] == [
            ("spec.ports[1]", "Invalid value: may only grow")
        ]

    run(scenario)


UNCOMPILED: list[tuple[dict[str, Any], str, str]] = [
    ({"rule": "self.sise == 1"}, "rule", "compilation failed: ERROR: <input>:1:5: undefined field 'sise'\n | self.sise == 1\n | ....^"),
    ({"rule": "self.size + 1"}, "rule", "cel expression must evaluate to a bool"),
    ({"rule": "nothing == 1"}, "rule",
     "compilation failed: ERROR: <input>:1:1: undeclared reference to 'nothing' (in container '')\n | nothing == 1\n | ^"),
    ({"rule": "self.size == 1", "optionalOldSelf": True}, "optionalOldSelf", "may not be set if oldSelf is not used in rule"),
    ({"rule": "self.size == 1", "fieldPath": ".sise"}, "fieldPath", "must be a valid path"),
    ({"rule": "self.size == 1", "message": "a\nb"}, "message", "must not contain line breaks"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "field", "text"), UNCOMPILED, ids=[row[2][:40] for row in UNCOMPILED])
def test_rules_that_can_not_be(run: Run, rule: dict[str, Any], field: str, text: str) -> None:
    async def scenario(api: Api) -> None:
        answer = await api("POST", CRDS, ruled(rule))
        causes = answer.body["details"]["causes"]
        assert [each["field"] for each in causes] == [f"{PATH}.x-kubernetes-validations[0].{field}"]
        assert causes[0]["message"].endswith(text)

    run(scenario)


def test_what_failed_before_is_a_warning(run: Run) -> None:
    async def scenario(api: Api) -> None:
        await establish(api, ruled())
        ports = [{"name": "a", "number": 0}]
        assert (await api("POST", WIDGETS, widget(size=9, ports=ports, limits={"a": "b"}))).status == 201
        place = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties"
        rules = {"size": "self < 9", "limits": "!('a' in self)", "ports/items": "self.number > 0"}
        changes = [
            {"op": "add", "path": f"{place}/{name}/x-kubernetes-validations", "value": [{"rule": text}]} for name, text in rules.items()
        ]
        crd = await api.patch("json", f"{CRDS}/widgets.example.com", changes)
        assert crd.status == 200, crd.raw
        kept = await api.patch("merge", f"{WIDGETS}/a", {"spec": {"replicas": 3, "ports": [*ports, {"name": "b", "number": 1}]}})
        assert kept.status == 200, kept.raw
        assert sorted(kept.warnings) == [
            "299 - \"spec.limits: Invalid value: failed rule: !('a' in self)\"",
            '299 - "spec.ports[0]: Invalid value: failed rule: self.number > 0"',
            '299 - "spec.size: Invalid value: 9: failed rule: self < 9"',
        ]
        changed = await api.patch("merge", f"{WIDGETS}/a", {"spec": {"size": 10, "limits": {"c": "d"}}})
        assert [(each["field"], each["message"]) for each in changed.body["details"]["causes"]] == [
            ("spec.size", "Invalid value: 10: failed rule: self < 9"),
            ("spec.limits", "Invalid value: failed rule: !('a' in self)"),
        ]

    run(scenario)


COSTS: list[tuple[dict[str, Any], dict[str, Any], str, str]] = [
    # schema of `names`, its rule, the field that is refused, how its message begins
    ({"type": "array", "items": {"type": "string"}}, {"rule": "self.all(x, self.all(y, x != y))"}, ".x-kubernetes-validations[0].rule",
     "Forbidden: estimated rule cost exceeds budget by factor of more than 100x (try simplifying the rule, or adding maxItems, "),
    ({"type": "array", "maxItems": 5, "items": {"type": "string", "maxLength": 5}}, {"rule": "self.all(x, self.all(y, x != y))"}, "", ""),
    ({"type": "array", "maxItems": 5, "items": {"type": "string", "maxLength": 5}},
     {"rule": "self.all(x, true)", "messageExpression": "self.sise"}, ".x-kubernetes-validations[0].messageExpression",
     "Invalid value: "),
]  # fmt: skip


@pytest.mark.parametrize(("schema", "rule", "field", "text"), COSTS, ids=["unbounded", "bounded", "message"])
def test_what_rules_may_cost(run: Run, schema: dict[str, Any], rule: dict[str, Any], field: str, text: str) -> None:
    async def scenario(api: Api) -> None:
        crd = ruled()
        spec = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
        spec["properties"]["names"] = schema | {"x-kubernetes-validations": [rule]}
        answer = await api("POST", CRDS, crd)
        causes = (answer.body.get("details") or {}).get("causes") or []
        assert [each["field"] for each in causes][:1] == ([f"{PATH}.properties[names]{field}"] if field else [])
        assert not causes or causes[0]["message"].startswith(text)

    run(scenario)


def test_rules_are_published(run: Run) -> None:
    async def scenario(api: Api) -> None:
        rule = {"rule": "self.size > 0"}
        await establish(api, ruled(rule))
        spec = (await api("GET", "/openapi/v2")).body["definitions"]["com.example.v1.Widget"]["properties"]["spec"]
        assert spec["x-kubernetes-validations"] == [rule]
        assert (await api("GET", "/openapi/v2", accept="application/com.github.proto-openapi.spec.v2@v1.0+protobuf")).status == 200

    run(scenario)
