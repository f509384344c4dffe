"""Defaults in a schema must be what the schema itself allows: known fields only, and valid values."""

import copy
from typing import Any

from proa.api.errors import Cause, invalid
from proa.apiserver.crd.defaulting import apply_defaults
from proa.apiserver.crd.pruning import TYPE_FIELDS, Schema, prune_value
from proa.apiserver.crd.value_validation import ABSENT, compile_validation


def validate_defaults(schema: Schema, path: str, *, root: bool = True) -> list[Cause]:
    causes: list[Cause] = []
    if "default" in schema and schema["default"] is not None:
        causes += _default(schema, f"{path}.default")
    for name, inner in (schema.get("properties") or {}).items():
        if not (root and name in TYPE_FIELDS):
            causes += validate_defaults(inner, f"{path}.properties[{name}]", root=False)
    for name in ("items", "additionalProperties"):
        if isinstance(schema.get(name), dict):
            causes += validate_defaults(schema[name], f"{path}.{name}", root=False)
    return causes


def _default(schema: Schema, path: str) -> list[Cause]:
    given = schema["default"]
    value: Any = copy.deepcopy(given)
    if prune_value(value, schema):
        return [invalid(path, given, "must not have unknown fields")]
    # What is validated is the value as an object would get it, with the defaults of its own fields.
    apply_defaults(value, schema)
    return [_placed(cause, path) for cause in compile_validation(schema)(value, ABSENT)]


def _placed(cause: Cause, path: str) -> Cause:
    """The same complaint at the place of the default; the text below the path names the path as well."""
    own = f"{path}.{cause.field}" if cause.field else path
    message = (
        cause.message.replace(f": {cause.field} in body", f": {own} in body")
        if cause.field
        else cause.message.replace(":  in body", f": {path} in body")
    )
    return Cause(own, message, cause.reason)
