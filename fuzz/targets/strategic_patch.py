"""Strategic merge patches on objects of the published types, with directives at odd places.

An empty patch changes nothing, and a patch without directives changes nothing more when it is applied a second time.
"""

from typing import Any

import orjson

from fuzz.drawn import Drawn
from proa.api.errors import ApiError
from proa.api.patch import strategic_merge_patch
from proa.api.schema import load_schema

KINDS = ("io.k8s.api.core.v1.Pod", "io.k8s.api.core.v1.PodSpec", "io.k8s.api.apps.v1.Deployment", "io.k8s.api.core.v1.Service",
         "io.k8s.api.core.v1.ServiceAccount", "io.k8s.api.core.v1.Node", "io.k8s.api.core.v1.NodeStatus")  # fmt: skip
REFUSALS = ("cannot merge lists without merge key",)
"""Answered with 500 by upstream too."""


def one(data: bytes) -> None:
    drawn = Drawn(data)
    node = load_schema().node(drawn.choice(KINDS))
    document = drawn.of(node, 7)
    plain = orjson.dumps(document)
    assert orjson.dumps(strategic_merge_patch(orjson.loads(plain), {}, node)) == plain
    patch = drawn.of(node, 7)
    directed = drawn.below(4) > 0
    if directed:
        _direct(drawn, patch)
    try:
        once = strategic_merge_patch(orjson.loads(plain), orjson.loads(orjson.dumps(patch)), node)
        encoded = orjson.dumps(once)
        twice = strategic_merge_patch(orjson.loads(encoded), patch, node)
    except ApiError as error:
        assert 400 <= error.status_code < 500 or error.message in REFUSALS, error
        return
    assert directed or orjson.dumps(twice) == encoded, (plain, patch)


def _direct(drawn: Drawn, value: Any) -> None:
    """Put directives into a patch, here and there, and nulls."""
    if isinstance(value, list):
        for each in value:
            _direct(drawn, each)
        if drawn.below(8) == 7:
            value.append(drawn.choice(({"$patch": "replace"}, {"$patch": "delete"}, None, "x", [], {"$patch": 5})))
    if not isinstance(value, dict):
        return
    for key in list(value):
        _direct(drawn, value[key])
        match drawn.below(12):
            case 8:
                value[f"$setElementOrder/{key}"] = _list(drawn)
            case 9:
                value[f"$deleteFromPrimitiveList/{key}"] = _list(drawn)
            case 10:
                value[key] = drawn.json(2)
            case 11:
                value[key] = None
    match drawn.below(12):
        case 10:
            value["$patch"] = drawn.choice(("replace", "delete", "merge", "x", None, 1, []))
        case 11:
            value["$retainKeys"] = drawn.choice((list(value), [], ["x"], None, 1, [{}]))


def _list(drawn: Drawn) -> Any:
    return drawn.choice((["a"], [{"name": "a"}, {"name": ""}], [[]], [None], None, {}, [1, 1], [{"containerPort": 80}]))
