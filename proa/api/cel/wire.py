"""Syntax trees as the parser serializes them: protobuf messages of cel-spec's syntax.proto (field numbers are that format's facts)."""

import struct
from collections.abc import Callable, Iterator
from typing import Any

from proa.api.cel.syntax import Call, Comprehension, Constant, Entry, Identifier, ListLiteral, MapLiteral, Node, Parsed, Select
from proa.api.cel.values import Uint

Fields = dict[int, list[Any]]


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def _members(data: bytes) -> Iterator[tuple[int, Any]]:
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        kind = tag & 7
        if kind == 0:
            value, at = _varint(data, at)
            yield tag >> 3, value
        elif kind == 1:
            yield tag >> 3, data[at : at + 8]
            at += 8
        elif kind == 5:
            yield tag >> 3, data[at : at + 4]
            at += 4
        else:
            size, at = _varint(data, at)
            yield tag >> 3, data[at : at + size]
            at += size


def _fields(data: bytes) -> Fields:
    found: Fields = {}
    for number, value in _members(data):
        found.setdefault(number, []).append(value)
    return found


def _first(fields: Fields, number: int, default: Any) -> Any:
    return fields[number][0] if number in fields else default


def _text(fields: Fields, number: int) -> str:
    return str(_first(fields, number, b""), "utf-8")


def _signed(value: int) -> int:
    return value - (1 << 64) if value >= 1 << 63 else value


def decode(text: str, serialized: bytes) -> Parsed:
    """The ParsedExpr inside of an Any."""
    parsed = _fields(_first(_fields(serialized), 2, b""))
    positions: dict[int, int] = {}
    for entry in _fields(_first(parsed, 3, b"")).get(4, ()):
        pair = _fields(entry)
        positions[_first(pair, 1, 0)] = _first(pair, 2, 0)
    return Parsed(text, _node(_first(parsed, 2, b"")), positions)


def _node(data: bytes) -> Node:
    fields = _fields(data)
    number = _first(fields, 2, 0)
    for kind, make in _KINDS.items():
        if kind in fields:
            return make(number, fields[kind][0])
    raise ValueError("the expression is empty")


def _constant(number: int, data: bytes) -> Node:
    fields = _fields(data)
    for kind, read in _CONSTANTS.items():
        if kind in fields:
            return Constant(number, read(fields[kind][0]))
    return Constant(number, None)


def _identifier(number: int, data: bytes) -> Node:
    return Identifier(number, _text(_fields(data), 1))


def _select(number: int, data: bytes) -> Node:
    fields = _fields(data)
    return Select(number, _node(_first(fields, 1, b"")), _text(fields, 2), bool(_first(fields, 3, 0)))


def _call(number: int, data: bytes) -> Node:
    fields = _fields(data)
    target = _node(fields[1][0]) if 1 in fields else None
    return Call(number, _text(fields, 2), [_node(each) for each in fields.get(3, ())], target)


def _list(number: int, data: bytes) -> Node:
    fields = _fields(data)
    optional: set[int] = set()
    for packed in fields.get(2, ()):
        if isinstance(packed, int):
            optional.add(packed)
            continue
        at = 0
        while at < len(packed):
            index, at = _varint(packed, at)
            optional.add(index)
    return ListLiteral(number, [_node(each) for each in fields.get(1, ())], frozenset(optional))


def _struct(number: int, data: bytes) -> Node:
    fields, entries = _fields(data), []
    for each in fields.get(2, ()):
        entry = _fields(each)
        key = _node(entry[3][0]) if 3 in entry else _text(entry, 2)
        entries.append(Entry(_first(entry, 1, 0), key, _node(_first(entry, 4, b"")), bool(_first(entry, 5, 0))))
    return MapLiteral(number, _text(fields, 1), entries)


def _comprehension(number: int, data: bytes) -> Node:
    fields = _fields(data)
    parts = [_node(fields[each][0]) for each in (2, 4, 5, 6, 7)]
    return Comprehension(number, _text(fields, 1), _text(fields, 8), parts[0], _text(fields, 3), *parts[1:])


_CONSTANTS: dict[int, Callable[[Any], Any]] = {
    1: lambda value: None,
    2: bool,
    3: _signed,
    4: Uint,
    5: lambda value: struct.unpack("<d", value)[0],
    6: lambda value: str(value, "utf-8"),
    7: bytes,
}
_KINDS = {3: _constant, 4: _identifier, 5: _select, 6: _call, 7: _list, 8: _struct, 9: _comprehension}
