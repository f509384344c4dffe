"""JSON values as their declared types: text that is a moment, a duration or bytes; whole numbers that are doubles.

Objects are read field by field, where an expression selects one; nothing is converted that nobody looks at.
"""

import base64
import binascii
from collections.abc import Callable
from typing import Any

from proa.api.cel.errors import EvaluationError
from proa.api.cel.types import Type
from proa.api.cel.values import parse_duration, parse_timestamp

Reader = Callable[[Any], Any]


def reader(declared: Type) -> Reader | None:
    """None where the value is what it is."""
    if declared.kind in _READERS:
        return _READERS[declared.kind]
    if declared.kind == "list" and (inner := reader(declared.parameters[0])):
        return lambda value: [inner(each) for each in value] if value.__class__ is list else value
    if declared.kind == "map" and (of_values := reader(declared.parameters[1])):
        return lambda value: {key: of_values(each) for key, each in value.items()} if value.__class__ is dict else value
    return None


def _text(read: Callable[[str], Any]) -> Reader:
    def convert(value: Any) -> Any:
        if value.__class__ is not str:
            return value
        try:
            return read(value)
        except (ValueError, binascii.Error) as error:
            raise EvaluationError(str(error)) from None

    return convert


_READERS: dict[str, Reader] = {
    "double": lambda value: float(value) if value.__class__ is int else value,
    "timestamp": _text(parse_timestamp),
    "duration": _text(parse_duration),
    "bytes": _text(base64.b64decode),
}
