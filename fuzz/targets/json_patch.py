"""JSON patches on a small object: operations are drawn, so that most of their pointers lead somewhere."""

from typing import Any

import orjson

from fuzz.drawn import Drawn
from proa.api.errors import ApiError
from proa.api.patch import json_patch

OPERATIONS = ("add", "remove", "replace", "move", "copy", "test", "ADD", "")
TOKENS = ("", "metadata", "name", "labels", "a~1b", "spec", "list", "0", "1", "2", "-", "-1", "-4", "00", "9" * 30, "~", "\u0665", "x")


def document() -> Any:
    return {"metadata": {"name": "web", "labels": {"a/b": "c", "": "d"}}, "spec": {"list": [1, {"x": None}, [2.0]], "x": True}}


def one(data: bytes) -> None:
    if data[:1] in b"[{" and data:
        try:
            operations = orjson.loads(data)
        except orjson.JSONDecodeError:
            return
    else:
        drawn = Drawn(data)
        operations = [_operation(drawn) for _ in range(drawn.below(8))]
    try:
        patched = json_patch(document(), operations)
    except ApiError as error:
        assert 400 <= error.status_code < 500, error
        return
    orjson.dumps(patched)


def _operation(drawn: Drawn) -> Any:
    if drawn.below(16) == 15:
        return drawn.json(2)
    made = {"op": drawn.choice(OPERATIONS), "path": _pointer(drawn)}
    if drawn.below(4):
        made["value"] = drawn.json(2)
    if drawn.below(4):
        made["from"] = _pointer(drawn)
    return made


def _pointer(drawn: Drawn) -> Any:
    if drawn.below(16) == 15:
        return drawn.json(1)
    return "".join(f"/{drawn.choice(TOKENS)}" for _ in range(drawn.below(4)))
