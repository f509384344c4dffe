"""Defaults in a schema must be what the schema itself allows: known fields only, and valid values, by its rules as well.

A default inside of a resource's metadata is judged as a part of that metadata, since pruning it alone says nothing.
"""

import copy
from collections.abc import Callable
from typing import Any

from proa.api.cel.errors import CompileError
from proa.api.errors import Cause, invalid
from proa.api.meta import Object
from proa.apiserver.crd.cel.rules import compile_rules
from proa.apiserver.crd.embedded import validate_embedded, validate_resource
from proa.apiserver.crd.pruning import TYPE_FIELDS, Schema, prune_value
from proa.apiserver.crd.value_validation import ABSENT, compile_validation

Surround = Callable[[Any], Object]
"""Makes a resource around a value in its metadata."""
STAND_IN: Object = {"apiVersion": "validation/v1", "kind": "Validation"}


def validate_defaults(schema: Schema, path: str, *, resource: bool = True, surround: Surround | None = None) -> list[Cause]:
    """`resource`: this is the root of one; `surround`: we are inside of its type fields or its metadata."""
    causes: list[Cause] = []
    if schema.get("x-kubernetes-embedded-resource"):
        resource, surround = True, None
    if schema.get("default") is not None:
        causes += _default(schema, f"{path}.default", surround)
    if isinstance(schema.get("items"), dict):
        inside = None if surround is None else _indexed(surround)
        causes += validate_defaults(schema["items"], f"{path}.items", resource=False, surround=inside)
    for name, inner in (schema.get("properties") or {}).items():
        inside = None if surround is None else _named(surround, name)
        if resource and name in TYPE_FIELDS:
            inside = _named(lambda obj: STAND_IN | obj, name)
        causes += validate_defaults(inner, f"{path}.properties[{name}]", resource=False, surround=inside)
    return causes


def _named(surround: Surround, name: str) -> Surround:
    return lambda value: surround({name: value})


def _indexed(surround: Surround) -> Surround:
    return lambda value: surround([value])


def _default(schema: Schema, path: str, surround: Surround | None) -> list[Cause]:
    given = schema["default"]
    if surround is not None:
        if problems := validate_resource(surround(copy.deepcopy(given)), ""):
            told = ", ".join(problem.detail.removeprefix(".") for problem in problems)
            text = told if len(problems) == 1 else f"[{told}]"
            return [invalid(path, given, f"must result in valid metadata: {text}")]
        return _values(given, schema, path)
    value: Any = copy.deepcopy(given)
    causes = [invalid(path, given, "must not have unknown fields")] if prune_value(value, schema) else []
    inside = validate_resource(given, path) if schema.get("x-kubernetes-embedded-resource") and isinstance(given, dict) else []
    inside += [_placed(cause, path) for cause in validate_embedded(given, schema)] if isinstance(given, dict | list) else []
    return causes + (inside or _values(given, schema, path))


def _values(given: Any, schema: Schema, path: str) -> list[Cause]:
    causes = [_placed(cause, path) for cause in compile_validation(schema)(given, ABSENT)]
    if causes:
        return causes
    try:
        rules = compile_rules(schema, resource=bool(schema.get("x-kubernetes-embedded-resource")))
    except CompileError:
        # That is told of the rules themselves.
        return []
    return rules.validate_at(given, path) if rules is not None else []


def _placed(cause: Cause, path: str) -> Cause:
    """The same complaint at the place of the default; the text goes on naming the place within the value."""
    if cause.field == "<nil>":
        return Cause(path, cause.message, cause.reason)
    own = f"{path}{cause.field}" if cause.field.startswith("[") else f"{path}.{cause.field}" if cause.field else path
    return Cause(own, cause.message, cause.reason)
