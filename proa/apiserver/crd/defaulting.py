"""Defaults of a structural schema, put where a field is absent (or null and may not be), and nulls removed that have no business there.

Defaults apply to what is there: an absent object is not made for the sake of defaults inside it, unless it has a default itself. A schema
is compiled to one function, which looks at no more of it than at the fields that have defaults and at the objects and lists that are there.
"""

import copy
from collections.abc import Callable
from typing import Any

from proa.apiserver.crd.pruning import Schema

Default = Callable[[Any], None]
"""Changes containers in place."""


def has_defaults(schema: Schema) -> bool:
    """Whether any place of the schema has one."""
    if "default" in schema:
        return True
    children = [*(schema.get("properties") or {}).values(), schema.get("items"), schema.get("additionalProperties")]
    return any(has_defaults(child) for child in children if isinstance(child, dict))


class _Child:
    """One place below: what it defaults to, and how what lies there is completed."""

    __slots__ = ("apply", "default", "nullable")

    def __init__(self, schema: Schema) -> None:
        self.default = schema.get("default")
        self.nullable = bool(schema.get("nullable"))
        self.apply = compile_defaults(schema)

    def value(self) -> Any:
        return copy.deepcopy(self.default)


def compile_defaults(schema: Schema) -> Default:
    children = {name: _Child(inner) for name, inner in (schema.get("properties") or {}).items()}
    additional, items = schema.get("additionalProperties"), schema.get("items")
    others = _Child(additional) if isinstance(additional, dict) else None
    element = _Child(items) if isinstance(items, dict) else None
    given = [(name, child) for name, child in children.items() if child.default is not None]

    def apply(value: Any) -> None:
        if value.__class__ is dict:
            for name, child in given:
                if name not in value:
                    value[name] = child.value()
            _complete(value, children, others)
        elif value.__class__ is list and element is not None:
            for index, item in enumerate(value):
                if item is None and element.default is not None and not element.nullable:
                    value[index] = element.value()
                element.apply(value[index])

    return apply


def _complete(obj: dict[str, Any], children: dict[str, _Child], others: _Child | None) -> None:
    dropped = []
    for key, item in obj.items():
        if item.__class__ is not dict and item.__class__ is not list and item is not None:
            continue
        child = children.get(key, others)
        if child is None:
            continue
        if item is None:
            if child.nullable:
                continue
            if child.default is None:
                dropped.append(key)
                continue
            item = obj[key] = child.value()
        child.apply(item)
    for key in dropped:
        del obj[key]
