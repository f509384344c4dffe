"""JSONPath as printer columns use it."""

from typing import Any

import pytest

from proa.apiserver.crd.columns import printer_columns
from proa.apiserver.crd.json_path import BadPath, find, parse_path

OBJECT: dict[str, Any] = {
    "metadata": {"labels": {"a.b/c": "x"}},
    "spec": {"ports": [{"name": "a", "n": 1}, {"name": "b", "n": 2}, {"name": "c", "n": 3}], "on": True, "deep": {"name": "z"}},
}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (".spec.on", [True]),
        (".spec.none", []),
        (r".metadata.labels.a\.b/c", ["x"]),
        (".metadata.labels['a.b/c']", ["x"]),
        (".spec.ports[0].n", [1]),
        (".spec.ports[-1].n", [3]),
        (".spec.ports[9].n", []),
        (".spec.ports[*].n", [1, 2, 3]),
        (".spec.ports[1:].n", [2, 3]),
        ('.spec.ports[?(@.name=="b")].n', [2]),
        (".spec.ports[?(@.n>=2)].name", ["b", "c"]),
        (".spec.ports[?(@.missing)].name", []),
        (".spec..name", ["a", "b", "c", "z"]),
    ],
)
def test_find(path: str, expected: list[Any]) -> None:
    assert sorted(find(OBJECT, path), key=str) == expected


@pytest.mark.parametrize("step", ["0", "-1"])
def test_slices_that_do_not_go_forward_find_nothing(step: str) -> None:
    assert list(find({"a": [1, 2, 3]}, f".a[::{step}]")) == []


@pytest.mark.parametrize("path", [".a[", ".a[x]", ".a[?(b)]", "a", ".a[?(@.b==c)]"])
def test_bad_paths(path: str) -> None:
    with pytest.raises(BadPath):
        parse_path(path)


@pytest.mark.parametrize(
    ("kind", "value", "shown"),
    [
        ("string", "a", "a"), ("string", 1, "1"), ("string", True, "true"), ("string", {"a": 1}, '{"a":1}'), ("string", None, "<no value>"),
        ("string", 1000000.0, "1e+06"), ("string", {"b": 1, "a": [2]}, '{"a":[2],"b":1}'),
        ("integer", 2, 2), ("integer", 2.5, 2), ("integer", "2", None), ("number", 2.5, 2.5), ("boolean", True, True),
        ("boolean", "true", None), ("date", "2020-01-01T00:00:00Z", "1s"), ("date", "soon", "<invalid>"), ("date", 1, None),
    ],
)  # fmt: skip
def test_cells(kind: str, value: Any, shown: Any) -> None:
    column = printer_columns([{"name": "X", "type": kind, "jsonPath": ".x"}])[1]
    assert column.cell({"x": value}, 1577836801.0) == shown


def test_a_column_that_does_not_parse_ends_the_columns() -> None:
    paths = [".a", ".b[", ".c"]
    columns = printer_columns([{"name": path, "type": "string", "jsonPath": path} for path in paths])
    assert [column.name for column in columns] == ["Name", ".a"]
