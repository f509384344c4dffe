"""Defaults: where they go, and which nulls go."""

from typing import Any

import pytest

from proa.apiserver.crd.defaulting import compile_defaults

TEXT = {"type": "string", "default": "x"}
CASES: list[tuple[dict[str, Any], Any, Any]] = [
    # properties, value, value with defaults
    ({"a": TEXT}, {}, {"a": "x"}),
    ({"a": TEXT}, {"a": "y"}, {"a": "y"}),
    ({"a": TEXT}, {"a": None}, {"a": "x"}),
    ({"a": TEXT | {"nullable": True}}, {"a": None}, {"a": None}),
    ({"a": TEXT | {"nullable": True}}, {}, {"a": "x"}),
    ({"a": {"type": "string"}}, {"a": None, "b": None}, {"b": None}),
    ({"a": {"type": "string", "nullable": True}}, {"a": None}, {"a": None}),
    ({"a": {"type": "object", "properties": {"b": TEXT}}}, {}, {}),
    ({"a": {"type": "object", "properties": {"b": TEXT}}}, {"a": {}}, {"a": {"b": "x"}}),
    ({"a": {"type": "object", "properties": {"b": TEXT}, "default": {}}}, {}, {"a": {"b": "x"}}),
    ({"a": {"type": "object", "properties": {"b": TEXT}, "default": {}}}, {"a": None}, {"a": {"b": "x"}}),
    ({"a": {"type": "array", "items": {"type": "object", "properties": {"b": TEXT}}}},
     {"a": [{}, {"b": "y"}]}, {"a": [{"b": "x"}, {"b": "y"}]}),
    ({"a": {"type": "array", "items": {"type": "object", "properties": {"b": TEXT}, "default": {}}}}, {"a": [None]}, {"a": [{"b": "x"}]}),
    ({"a": {"type": "array", "items": {"type": "string"}}}, {"a": [None]}, {"a": [None]}),
    ({"a": {"type": "object", "additionalProperties": {"type": "object", "properties": {"b": TEXT}}}},
     {"a": {"k": {}, "l": None}}, {"a": {"k": {"b": "x"}}}),
]  # fmt: skip


@pytest.mark.parametrize(("properties", "value", "expected"), CASES)
def test_defaults(properties: dict[str, Any], value: Any, expected: Any) -> None:
    compile_defaults({"type": "object", "properties": properties})(value)
    assert value == expected


def test_a_default_is_not_shared() -> None:
    apply = compile_defaults({"type": "object", "properties": {"a": {"type": "array", "items": {"type": "string"}, "default": []}}})
    one: dict[str, Any] = {}
    other: dict[str, Any] = {}
    apply(one)
    one["a"].append("x")
    apply(other)
    assert other == {"a": []}
