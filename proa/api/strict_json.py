"""Bodies to values: JSON and YAML, with duplicate keys found, depth bounded and aliases bounded.

orjson decodes. That a body holds no duplicate costs one encode and two counts of quotation marks: a key that was dropped took two of them
with it. Only where the counts differ does the standard library's scanner, ten times slower, look for names.
"""

import json
from collections.abc import Iterator
from typing import Any

import orjson

from proa.api.errors import BadRequest
from proa.lib.dataclass import dataclass

MAX_DEPTH = 256
"""Levels of nesting. Upstream stops at 10,000; here every later walk of an object is recursive, and the deepest real ones have about 60."""


YAML_COMPLAINT = "yaml: "
"""What a complaint about YAML begins with, and no path of a field."""


@dataclass(frozen=True, slots=True)
class DecodedBody:
    """A body's value, and the fields it gives more than once (the last one counts): paths of JSON, one complaint with lines of YAML."""

    value: Any
    duplicates: tuple[str, ...] = ()


def decode_json(body: bytes) -> DecodedBody:
    """Raises BadRequest, worded as Go's decoder words it, for what is no JSON or too deep."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadRequest(_go_syntax_error(body, error)) from None
    check_depth(value, body.count(b"{") + body.count(b"["))
    if body.count(b'"') == orjson.dumps(value).count(b'"'):
        return DecodedBody(value)
    return DecodedBody(value, tuple(_duplicates(body)))


def check_depth(value: Any, brackets: int = MAX_DEPTH + 1) -> None:
    """Raises BadRequest for a value of more than MAX_DEPTH levels. `brackets` is an upper bound that is known already."""
    if brackets <= MAX_DEPTH:
        return
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        level = [child for each in level for child in _children(each)]
        if not level:
            return
    raise BadRequest("json: exceeded max depth")


def _children(value: Any) -> Iterator[Any]:
    if value.__class__ is dict:
        return (each for each in value.values() if each.__class__ is dict or each.__class__ is list)
    if value.__class__ is list:
        return (each for each in value if each.__class__ is dict or each.__class__ is list)
    return iter(())


def _duplicates(body: bytes) -> list[str]:
    repeated: dict[int, list[str]] = {}

    def remember(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        value = dict(pairs)
        if len(value) < len(pairs):
            seen: set[str] = set()
            repeated[id(value)] = [key for key, _ in pairs if key in seen or seen.add(key)]  # type: ignore[func-returns-value]
            kept.append(value)
        return value

    # An identity may be reused once its object is gone, and a value that a later duplicate replaced would be gone.
    kept: list[dict[str, Any]] = []
    root = json.loads(body, object_pairs_hook=remember)
    return list(_paths(root, "", repeated)) if repeated else []


def _paths(value: Any, path: str, repeated: dict[int, list[str]]) -> Iterator[str]:
    if isinstance(value, dict):
        prefix = f"{path}." if path else ""
        for key in dict.fromkeys(repeated.get(id(value), ())):
            yield f"{prefix}{key}"
        for key, each in value.items():
            yield from _paths(each, f"{prefix}{key}", repeated)
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from _paths(each, f"{path}[{index}]", repeated)


def _go_syntax_error(body: bytes, error: orjson.JSONDecodeError) -> str:
    if "depth limit" in error.msg or "recursion limit" in error.msg.lower():
        return "json: exceeded max depth"
    text = body.decode("utf-8", "replace")
    if error.pos >= len(text.rstrip()):
        return "unexpected end of JSON input"
    character = json.dumps(text[error.pos], ensure_ascii=False)[1:-1].replace("'", "\\'")
    return f"invalid character '{character}' looking for beginning of value"
