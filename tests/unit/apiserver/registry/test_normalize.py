from typing import Any

import pytest

from proa.api.schema_node import ANY, SchemaNode
from proa.apiserver.registry.normalize import NormalizerCache

STRING = SchemaNode("string")
QUANTITIES = SchemaNode("map", values=SchemaNode("quantity"))
NODE = SchemaNode(
    "object",
    properties={
        "name": STRING,
        "limits": QUANTITIES,
        "tags": SchemaNode("array", items=STRING),
        "needed": SchemaNode("array", items=STRING),
        "choice": SchemaNode("object", properties={"path": STRING}),
        "raw": ANY,
    },
    required=("needed",),
)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({"limits": {"cpu": "1000m", "memory": 1024}}, {"limits": {"cpu": "1", "memory": "1024"}}),
        ({"name": None, "tags": [], "limits": {}}, {}),
        ({"needed": [], "choice": {}}, {"needed": [], "choice": {}}),
        ({"raw": {"a": None, "b": []}, "unknown": []}, {"raw": {"a": None, "b": []}, "unknown": []}),
        ({"limits": {"cpu": "nonsense"}}, {"limits": {"cpu": "nonsense"}}),
        ({"choice": {"path": None}}, {"choice": {}}),
        ({"tags": ["a", None]}, {"tags": ["a", ""]}),
    ],
)
def test_normal_form(given: dict[str, Any], kept: dict[str, Any]) -> None:
    normalize = NormalizerCache().normalizer(NODE)
    assert normalize is not None
    assert normalize(given) == kept


def test_cyclic_nodes() -> None:
    tree = SchemaNode("object")
    tree.properties = {"children": SchemaNode("array", items=tree), "size": SchemaNode("quantity")}
    normalize = NormalizerCache().normalizer(tree)
    assert normalize is not None
    assert normalize({"children": [{"size": "0.5", "children": []}]}) == {"children": [{"size": "500m"}]}
