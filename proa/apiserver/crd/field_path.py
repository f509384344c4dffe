"""Paths of the kind `.spec.ports['a.b']` that name one place of a schema: those of CEL rules and of selectable fields.

Source: `fieldPath` in the API reference of ValidationRule; the complaints are upstream's.
"""

import re
from typing import Any

from proa.apiserver.crd.pruning import Schema

_TOKEN = re.compile(r"'(?:[^'\\]|\\.)*'|[.\[\]]|[^.\[\]]+")
_ESCAPED = re.compile(r"\\(.)")
_ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "'": "'", "\\": "\\"}


class BadFieldPath(ValueError):
    """Why a path names no place."""


def resolve(path: str, schema: Schema, *, allow_brackets: bool = True) -> tuple[str, Schema]:
    """(the path as messages have it, the schema there). Raises BadFieldPath."""
    tokens = _TOKEN.findall(path)
    shown, place, index = "", schema, 0
    while index < len(tokens):
        token = tokens[index]
        if token == "[":
            if not allow_brackets:
                raise BadFieldPath("array notation is not allowed")
            name = _quoted(_token(tokens, index + 1))
            if (closing := _token(tokens, index + 2)) != "]":
                raise BadFieldPath(f"expected ] but got {closing}")
            index += 3
        elif token == ".":
            name = _token(tokens, index + 1)
            index += 2
        else:
            raise BadFieldPath(f"expected [ or . but got: {token}")
        text, place = _child(place, name)
        shown += text
    return shown, place


def _token(tokens: list[str], index: int) -> str:
    if index >= len(tokens):
        raise BadFieldPath("unexpected end of JSON path")
    return tokens[index]


def _quoted(token: str) -> str:
    if len(token) < 2 or token[0] != "'" or token[-1] != "'":
        raise BadFieldPath(f"expected single quoted string but got {token}")
    for match in _ESCAPED.finditer(token[1:-1]):
        if match[1] not in _ESCAPES:
            raise BadFieldPath(f"invalid string literal: invalid escape char {match[0]}")
    return _ESCAPED.sub(lambda match: _ESCAPES[match[1]], token[1:-1])


def _child(schema: Schema, name: str) -> tuple[str, Schema]:
    properties, additional = schema.get("properties"), schema.get("additionalProperties")
    if properties:
        found: Any = properties.get(name)
        if found is None:
            raise BadFieldPath("does not refer to a valid field")
        return f".{name}", found
    if not isinstance(additional, dict):
        raise BadFieldPath("does not refer to a valid field")
    return f"[{name}]", additional
