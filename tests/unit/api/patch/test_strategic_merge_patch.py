import copy
from typing import Any

import pytest

from proa.api.errors import BadRequest
from proa.api.patch import strategic_merge_patch
from proa.api.schema_node import SchemaNode

STRING = SchemaNode("string")
PORT = SchemaNode("object", properties={"containerPort": SchemaNode("integer"), "name": STRING})
CONTAINER = SchemaNode(
    "object",
    properties={
        "name": STRING,
        "image": STRING,
        "args": SchemaNode("array", items=STRING),
        "ports": SchemaNode("array", items=PORT, patch_strategy=frozenset({"merge"}), patch_merge_key="containerPort"),
    },
)
NODE = SchemaNode(
    "object",
    properties={
        "containers": SchemaNode("array", items=CONTAINER, patch_strategy=frozenset({"merge"}), patch_merge_key="name"),
        "finalizers": SchemaNode("array", items=STRING, patch_strategy=frozenset({"merge"})),
        "labels": SchemaNode("map", values=STRING),
        "strategy": SchemaNode("object", patch_strategy=frozenset({"retainKeys"})),
        "tolerations": SchemaNode("array", items=SchemaNode("object")),
    },
)
WEB = {"name": "web", "image": "web:1", "args": ["a", "b"]}
LOG = {"name": "log", "image": "log:1"}


@pytest.mark.parametrize(
    ("document", "patch", "patched"),
    [
        (
            {"containers": [WEB, LOG]},
            {"containers": [{"name": "web", "image": "web:2", "args": ["c"]}]},
            {"containers": [{"name": "web", "image": "web:2", "args": ["c"]}, LOG]},
        ),
        ({"containers": [WEB]}, {"containers": [LOG]}, {"containers": [WEB, LOG]}),
        ({"containers": [WEB, LOG]}, {"containers": [{"name": "web", "$patch": "delete"}]}, {"containers": [LOG]}),
        ({"containers": [WEB, LOG]}, {"containers": [{"$patch": "replace"}, LOG]}, {"containers": [LOG]}),
        ({"containers": [WEB, LOG]}, {"containers": None}, {}),
        (
            {"containers": [WEB, LOG]},
            {"$setElementOrder/containers": [{"name": "log"}, {"name": "web"}], "containers": [{"name": "web", "args": None}]},
            {"containers": [LOG, {"name": "web", "image": "web:1"}]},
        ),
        ({"finalizers": ["a", "b"]}, {"finalizers": ["b", "c"]}, {"finalizers": ["a", "b", "c"]}),
        ({"finalizers": ["a", "b"]}, {"$deleteFromPrimitiveList/finalizers": ["a"]}, {"finalizers": ["b"]}),
        ({"finalizers": ["a", "x"]}, {"$setElementOrder/finalizers": ["b", "a"], "finalizers": ["b"]}, {"finalizers": ["b", "a", "x"]}),
        ({"labels": {"a": "1", "b": "2"}}, {"labels": {"a": None, "c": "3"}}, {"labels": {"b": "2", "c": "3"}}),
        ({"labels": {"a": "1"}}, {"labels": {"$patch": "replace", "c": "3"}}, {"labels": {"c": "3"}}),
        ({"labels": {"a": "1"}}, {"labels": {"$patch": "delete"}}, {"labels": {}}),
        (
            {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}},
            {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}},
            {"strategy": {"type": "Recreate"}},
        ),
        ({"tolerations": [{"key": "a"}]}, {"tolerations": [{"key": "b"}]}, {"tolerations": [{"key": "b"}]}),
        ({}, {"containers": [{"name": "web", "image": None, "$patch": "merge"}]}, {"containers": [{"name": "web"}]}),
    ],
)  # fmt: skip
def test_merging(document: dict[str, Any], patch: dict[str, Any], patched: dict[str, Any]) -> None:
    assert strategic_merge_patch(copy.deepcopy(document), patch, NODE) == patched


@pytest.mark.parametrize(
    ("patch", "message"),
    [
        ({"containers": [{"image": "x"}]}, "map: map[image:x] does not contain declared merge key: name"),
        ({"labels": {"$patch": "explode"}}, "Unknown patch type found: explode"),
        ({"strategy": {"$retainKeys": ["a"], "b": 1}}, "if list of retainKeys is specified, all keys in the patch must be in it"),
    ],
)
def test_refusals(patch: dict[str, Any], message: str) -> None:
    with pytest.raises(BadRequest) as caught:
        strategic_merge_patch({"containers": [WEB], "labels": {"a": "b"}, "strategy": {"b": 0}}, patch, NODE)
    assert caught.value.message == message


def test_patching_twice_changes_nothing_more() -> None:
    patch = {"containers": [{"name": "web", "ports": [{"containerPort": 80}]}], "finalizers": ["c"]}
    once = strategic_merge_patch({"containers": [copy.deepcopy(WEB)], "finalizers": ["a"]}, patch, NODE)
    assert strategic_merge_patch(copy.deepcopy(once), patch, NODE) == once
