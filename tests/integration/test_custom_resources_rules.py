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
