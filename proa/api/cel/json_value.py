"""Values of CEL as JSON, and objects of patches checked: each has the type that its place in the whole object says."""

from __future__ import annotations

import base64
from typing import Any

from proa.api.cel.values import Duration, Optional, StructValue, Timestamp, Uint

ROOT = "Object"


class NotJson(ValueError):
    """Why a value has no JSON form."""


def to_json(value: Any) -> Any:
    """Raises NotJson."""
    if isinstance(value, StructValue) and value.type_name.partition(".")[0] == ROOT:
        _check_names(value, value.type_name)
    return _plain(value)


def _plain(value: Any) -> Any:
    if value is None or value.__class__ in (bool, int, float, str):
        return value
    if isinstance(value, dict):
        if isinstance(value, StructValue) and value.type_name.partition(".")[0] == ROOT:
            _check_names(value, value.type_name)
        return {_key(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, Timestamp | Duration):
        return str(value)
    if isinstance(value, Uint):
        return int(value)
    if isinstance(value, Optional) and value.present:
        return _plain(value.value)
    raise NotJson(f"JSONPath valueExpression evaluated to a type that could not marshal to JSON: {value}")


def _key(key: Any) -> str:
    if not isinstance(key, str):
        raise NotJson(f"JSONPath valueExpression evaluated to a type that could not marshal to JSON: bad key type {key}")
    return key


def _check_names(value: StructValue, expected: str) -> None:
    if value.type_name != expected:
        told = f'unexpected type name "{value.type_name}", expected "{expected}", which matches field name path from root Object type'
        raise NotJson(f"type mismatch: {told}")
    for field, inner in value.items():
        for each in inner if isinstance(inner, list) else (inner,):
            if isinstance(each, StructValue):
                _check_names(each, f"{expected}.{field}")
