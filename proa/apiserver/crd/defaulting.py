"""Defaults of a structural schema, put where a field is absent (or null and may not be), and nulls removed that have no business there.

Defaults apply to what is there: an absent object is not made for the sake of defaults inside it, unless it has a default itself.
"""

import copy
from typing import Any

from proa.apiserver.crd.pruning import Schema


def has_defaults(schema: Schema) -> bool:
    """Whether any place of the schema has one."""
    if "default" in schema:
        return True
    children = [*(schema.get("properties") or {}).values(), schema.get("items"), schema.get("additionalProperties")]
    return any(has_defaults(child) for child in children if isinstance(child, dict))


def apply_defaults(value: Any, schema: Schema | None) -> None:
    """Changes containers in place."""
    if schema is None:
        return
    if value.__class__ is dict:
        _default_object(value, schema)
    elif value.__class__ is list:
        items = schema.get("items")
        if items is None:
            return
        for index, item in enumerate(value):
            if item is None and "default" in items and not items.get("nullable"):
                value[index] = copy.deepcopy(items["default"])
            apply_defaults(value[index], items)


def _default_object(obj: dict[str, Any], schema: Schema) -> None:
    properties: dict[str, Schema] = schema.get("properties") or {}
    for name, inner in properties.items():
        if "default" in inner and inner["default"] is not None and (name not in obj or (obj[name] is None and not inner.get("nullable"))):
            obj[name] = copy.deepcopy(inner["default"])
    additional = schema.get("additionalProperties")
    others = additional if additional.__class__ is dict else None
    dropped = []
    for key, value in obj.items():
        child = properties.get(key, others)
        if child is None:
            continue
        if value is None:
            if child.get("nullable"):
                continue
            if child.get("default") is not None:
                obj[key] = copy.deepcopy(child["default"])
            else:
                dropped.append(key)
        elif value.__class__ is dict or value.__class__ is list:
            apply_defaults(value, child)
    for key in dropped:
        del obj[key]
