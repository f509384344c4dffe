"""The stored form of objects and what is made of it."""

import orjson
import pytest

from proa.api.meta import Object
from proa.storage.entry import EMPTY, CachedEntry, LabelPool, at_revision, encode, same_object, with_revision

NASTY = 'v"metadata":{\\"metadata":{'


@pytest.mark.parametrize(
    ("obj", "stored"),
    [
        ({}, b'{"apiVersion":"","kind":"","metadata":{}}'),
        ({"kind": "Pod", "apiVersion": "v1"}, b'{"apiVersion":"v1","kind":"Pod","metadata":{}}'),
        (
            {"spec": {"metadata": {"x": 1}}, "metadata": {"name": "a"}, "kind": "Pod", "apiVersion": "v1"},
            b'{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"},"spec":{"metadata":{"x":1}}}',
        ),
        (
            {"apiVersion": "v1", "kind": "Pod", "metadata": {"resourceVersion": "5", "name": "a"}},
            b'{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"}}',
        ),
        ({"apiVersion": "v1", "kind": "Pod", "metadata": {"resourceVersion": "5"}}, b'{"apiVersion":"v1","kind":"Pod","metadata":{}}'),
    ],
)
def test_the_stored_form_has_metadata_in_front_and_no_revision(obj: Object, stored: bytes) -> None:
    before = orjson.dumps(obj)
    assert encode(obj) == stored
    assert orjson.dumps(obj) == before


@pytest.mark.parametrize(
    "obj",
    [
        {"apiVersion": "v1", "kind": "Pod", "metadata": {}},
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": {"metadata": {"name": "b", "resourceVersion": "1"}}},
        {"apiVersion": NASTY, "kind": NASTY, "metadata": {"name": NASTY}},
    ],
)
def test_the_revision_is_put_into_the_objects_own_metadata_and_can_be_replaced(obj: Object) -> None:
    spliced = with_revision(encode(obj), 12)
    expected = {**obj, "metadata": {**obj["metadata"], "resourceVersion": "12"}}
    assert orjson.loads(spliced) == expected
    moved = at_revision(CachedEntry("k", 12, spliced, EMPTY, EMPTY), 345)
    expected["metadata"]["resourceVersion"] = "345"
    assert (moved.decode(), moved.revision) == (expected, 345)


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, True),
        ({"a": {"x": [1, {"c": 1, "d": 2}]}}, {"a": {"x": [1, {"d": 2, "c": 1}]}}, True),
        ({"a": [1, 2]}, {"a": [2, 1]}, False),
        ({"a": 1, "b": 1.0}, {"a": 1.0, "b": 1}, False),
        ({"a": 1}, {"a": 2}, False),
        ({"a": 1}, {"a": 1, "b": 1}, False),
    ],
)
def test_objects_are_the_same_if_only_the_order_of_keys_differs(first: Object, second: Object, same: bool) -> None:
    entry = CachedEntry("k", 7, with_revision(encode(first), 7), EMPTY, EMPTY)
    assert same_object(encode(second), entry) is same


def test_equal_labels_are_one_object_and_the_pool_stays_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LabelPool, "LIMIT", 2)
    pool = LabelPool()
    mine = {"app": "shop"}
    shared = pool.shared(mine)
    assert pool.shared({"app": "shop"}) is shared
    mine["app"] = "changed"
    assert shared == {"app": "shop"}
    assert pool.shared({}) is EMPTY
    for number in range(5):
        assert pool.shared({"n": str(number)}) == {"n": str(number)}
    assert len(pool._known) <= 2
