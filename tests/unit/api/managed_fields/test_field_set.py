"""The set algebra is checked against Python's own sets of paths, on every pair of small sets."""

import itertools
from typing import Any

import pytest

from proa.api.managed_fields.field_set import FieldSet, difference, intersection, members, path_text, union, without_subtrees

TREES: list[FieldSet] = [
    {},
    {"f:a": {}},
    {"f:b": {}},
    {"f:a": {"f:x": {}}},
    {"f:a": {".": {}, "f:x": {}}},
    {"f:a": {".": {}, "f:x": {}, "f:y": {}}, "f:b": {}},
    {"f:a": {"f:x": {".": {}, "f:z": {}}}},
    {"f:a": {"f:y": {}}, "f:b": {"f:x": {}}},
]


@pytest.mark.parametrize(("left", "right"), list(itertools.product(TREES, TREES)))
def test_algebra(left: FieldSet, right: FieldSet) -> None:
    ours, theirs = set(members(left)), set(members(right))
    assert set(members(union(left, right))) == ours | theirs
    assert set(members(difference(left, right))) == ours - theirs
    assert set(members(intersection(left, right))) == ours & theirs


def test_without_subtrees() -> None:
    fields: dict[str, Any] = {"f:status": {".": {}, "f:phase": {}}, "f:spec": {"f:x": {}}, "f:metadata": {"f:labels": {"f:a": {}}}}
    assert without_subtrees(fields, {"f:status": {}, "f:metadata": {"f:labels": {}}}) == {"f:spec": {"f:x": {}}}


def test_paths_read_as_in_messages() -> None:
    path = ("f:spec", "f:ports", 'k:{"containerPort":80,"protocol":"TCP"}', "f:name")
    assert path_text(path) == '.spec.ports[containerPort=80,protocol="TCP"].name'
    assert path_text(("f:finalizers", 'v:"a"')) == '.finalizers[="a"]'
