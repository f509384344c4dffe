"""Schemas as types of CEL: what can be selected, how values are read, what expressions over them can cost."""

from typing import Any

import pytest

from proa.api.cel.budget import STATIC_LIMIT, over_budget
from proa.api.cel.cost import estimate
from proa.api.cel.environment import Environment
from proa.api.cel.errors import CompileError
from proa.api.cel.schema_type import schema_type
from proa.api.cel.types import DYN

SPEC: dict[str, Any] = {
    "replicas": {"type": "integer"},
    "names": {"type": "array", "maxItems": 5, "x-kubernetes-list-type": "set", "items": {"type": "string", "maxLength": 10}},
    "ports": {
        "type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"], "maxItems": 4,
        "items": {"type": "object", "properties": {"name": {"type": "string"}, "number": {"type": "integer"}}},
    },
    "free": {"type": "array", "items": {"type": "string"}},
    "when": {"type": "string", "format": "date-time"},
    "a-b": {"type": "number"},
    "namespace": {"type": "string"},
    "nested": {"type": "array", "items": {"type": "array", "items": {"type": "number"}}},
    "either": {"x-kubernetes-int-or-string": True},
    "anything": {"x-kubernetes-preserve-unknown-fields": True},
    "map": {"type": "object", "additionalProperties": {"type": "string", "format": "duration"}},
}  # fmt: skip
TYPE = schema_type({"type": "object", "properties": {"spec": {"type": "object", "properties": SPEC}}}, "self", resource=True) or DYN
ENVIRONMENT = Environment({"self": TYPE, "oldSelf": TYPE})
NEW = {
    "replicas": 1, "names": ["a", "b"], "free": ["q"], "when": "2020-01-01T00:00:00Z", "a-b": 3, "nested": [[1]], "either": "5%",
    "namespace": "n", "map": {"x": "1h"}, "ports": [{"name": "a", "number": 1}, {"name": "b", "number": 2}],
}  # fmt: skip
OLD = {"names": ["b", "a"], "ports": [{"name": "b", "number": 2}, {"name": "a", "number": 1}]}
DATA = {"self": {"metadata": {"name": "x"}, "spec": NEW}, "oldSelf": {"metadata": {"name": "x"}, "spec": OLD}}


@pytest.mark.parametrize(
    "source",
    [
        "self.spec.when < timestamp('2021-01-01T00:00:00Z')",
        "self.spec.a__dash__b / 2.0 == 1.5",
        "self.spec.__namespace__ == 'n'",
        "self.spec.nested.all(x, x.all(y, y < 1.5))",
        "self.spec.nested[0][0] == 1.0",
        "self.spec.either == '5%'",
        "self.spec.map['x'] == duration('60m')",
        "self.spec.map.all(k, self.spec.map[k] > duration('1s'))",
        "self.metadata.name == 'x'",
        "self.spec.names == oldSelf.spec.names",
        "!(self.spec.names != oldSelf.spec.names)",
        "self.spec.ports == oldSelf.spec.ports",
        "self.spec.names + ['a', 'c'] == ['a', 'b', 'c']",
        "has(self.spec.a__dash__b) && !has(oldSelf.spec.a__dash__b)",
        "self.spec != null",
    ],
)
def test_values_are_read_as_the_schema_says(source: str) -> None:
    assert ENVIRONMENT.compile(source).evaluate(DATA) is True


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("self.spec.foo == 1", "1:10: undefined field 'foo'"),
        ("self.spec.anything == 1", "1:10: undefined field 'anything'"),
        ("self.metadata.labels.size() == 0", "1:14: undefined field 'labels'"),
        ("self.spec.replicas == '1'", "1:20: found no matching overload for '_==_' applied to '(int, string)'"),
        ("self.spec.names.exists(n, n.foo)", "1:28: type 'string' does not support field selection"),
    ],
)
def test_what_the_schema_does_not_have_is_refused(source: str, text: str) -> None:
    with pytest.raises(CompileError) as raised:
        ENVIRONMENT.compile(source)
    assert f"<input>:{text}" in str(raised.value)


@pytest.mark.parametrize(
    ("source", "fits"),
    [
        ("self.spec.replicas > 0", True),
        ("self.spec.names.all(n, self.spec.names.exists(m, m == n))", True),
        ("self.spec.free.all(n, n == 'x')", True),
        ("self.spec.free.all(n, n.contains('x'))", False),
        ("self.spec.free.all(n, self.spec.free.exists(m, m == n))", False),
        ("self.spec.nested.all(x, x.all(y, y > 0.0))", False),
        ("self.spec.names.map(n, n + 'x').join(',') == ''", True),
        ("self.spec.free.isSorted()", False),
    ],
)
def test_estimates(source: str, fits: bool) -> None:
    cost = estimate(ENVIRONMENT.compile(source).checked, {"self": TYPE, "oldSelf": TYPE})
    assert (cost <= STATIC_LIMIT) is fits


def test_how_a_cost_over_budget_is_told() -> None:
    advice = "(try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)"
    cases = ((24, "2.4x"), (12, "1.200000x"), (2000, "more than 100x"))
    assert [over_budget("estimated rule cost", cost, 10) for cost, _ in cases] == [
        f"estimated rule cost exceeds budget by factor of {factor} {advice}" for _, factor in cases
    ]
