import copy
from typing import Any

import pytest

from proa.api.errors import ApiError
from proa.api.patch import json_patch

DOCUMENT: dict[str, Any] = {"a": {"b": [1, 2, 3]}, "x/y": 1, "m~n": 2}


def _told(error: ApiError) -> str:
    """Clients get a general sentence; the reason stands in the error's notes."""
    return " ".join([error.message, *getattr(error, "__notes__", [])])


@pytest.mark.parametrize(
    ("operations", "patched"),
    [
        ([{"op": "add", "path": "/a/c", "value": None}], {"a": {"b": [1, 2, 3], "c": None}, "x/y": 1, "m~n": 2}),
        ([{"op": "add", "path": "/a/b/-", "value": 4}], {"a": {"b": [1, 2, 3, 4]}, "x/y": 1, "m~n": 2}),
        ([{"op": "add", "path": "/a/b/0", "value": 0}], {"a": {"b": [0, 1, 2, 3]}, "x/y": 1, "m~n": 2}),
        ([{"op": "remove", "path": "/a/b/1"}], {"a": {"b": [1, 3]}, "x/y": 1, "m~n": 2}),
        ([{"op": "replace", "path": "/x~1y", "value": 5}], {"a": {"b": [1, 2, 3]}, "x/y": 5, "m~n": 2}),
        ([{"op": "move", "from": "/m~0n", "path": "/a/n"}], {"a": {"b": [1, 2, 3], "n": 2}, "x/y": 1}),
        ([{"op": "copy", "from": "/a/b", "path": "/c"}, {"op": "remove", "path": "/c/0"}], DOCUMENT | {"c": [2, 3]}),
        ([{"op": "test", "path": "/x~1y", "value": 1.0}], DOCUMENT),
        ([{"op": "replace", "path": "", "value": {}}], {}),
        ([], DOCUMENT),
    ],
)
def test_operations(operations: list[Any], patched: Any) -> None:
    assert json_patch(copy.deepcopy(DOCUMENT), operations) == patched


@pytest.mark.parametrize(
    ("operation", "code", "part"),
    [
        ({"op": "remove", "path": "/nope"}, 422, 'remove operation does not apply: doc is missing path: "/nope": missing value'),
        ({"op": "replace", "path": "/a/b/7", "value": 1}, 422, "invalid index"),
        ({"op": "replace", "path": "/nope", "value": 1}, 422, 'replace operation does not apply: doc is missing path: "/nope"'),
        ({"op": "add", "path": "/no/way", "value": 1}, 422, 'add operation does not apply: doc is missing path: "/no/way": missing value'),
        ({"op": "test", "path": "/x~1y", "value": True}, 422, "testing value /x~1y failed"),
        ({"op": "jump", "path": "/a"}, 422, "Unexpected kind: jump"),
        ({"op": ["add"], "path": "/a"}, 422, "Unexpected kind: "),
        ({"op": "add", "path": "/a"}, 422, "value is missing"),
        ({"op": "move", "from": "/a", "path": "/a/b/c"}, 422, "into itself"),
        ({"op": "add", "path": "/a/b/01", "value": 1}, 422, "invalid syntax"),
        ("add", 400, "cannot unmarshal"),
    ],
)
def test_refusals(operation: Any, code: int, part: str) -> None:
    with pytest.raises(ApiError) as caught:
        json_patch(copy.deepcopy(DOCUMENT), [operation])
    assert (caught.value.status_code, part in _told(caught.value)) == (code, True), _told(caught.value)
