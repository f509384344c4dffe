"""Fields that a structural schema does not know are taken out of an object, and their paths told.

The metadata of a resource is not pruned here: its own type does that. `x-kubernetes-preserve-unknown-fields` keeps what is unknown at its
place as it is; what is specified below it is pruned all the same.
"""

from typing import Any

from proa.api.meta import Object

Schema = dict[str, Any]
TYPE_FIELDS = frozenset({"apiVersion", "kind", "metadata"})


def prune(obj: Object, schema: Schema) -> list[str]:
    """Paths of what has been removed from a resource, in document order."""
    removed: list[str] = []
    _prune_object(obj, schema, "", removed, resource=True)
    return removed


def prune_value(value: Any, schema: Schema) -> list[str]:
    """The same for a value that is no resource (a default)."""
    removed: list[str] = []
    _prune(value, schema, "", removed)
    return removed


def _prune(value: Any, schema: Schema | None, path: str, removed: list[str]) -> None:
    if value.__class__ is dict:
        _prune_object(value, schema or {}, path, removed, resource=bool(schema and schema.get("x-kubernetes-embedded-resource")))
    elif value.__class__ is list:
        items = (schema or {}).get("items")
        keeps = schema is not None and items is None and schema.get("x-kubernetes-preserve-unknown-fields")
        for index, item in enumerate(value):
            if (item.__class__ is dict or item.__class__ is list) and not keeps:
                _prune(item, items, f"{path}[{index}]", removed)


def _prune_object(obj: Object, schema: Schema, path: str, removed: list[str], *, resource: bool) -> None:
    properties: dict[str, Schema] = schema.get("properties") or {}
    additional = schema.get("additionalProperties")
    keeps = bool(schema.get("x-kubernetes-preserve-unknown-fields")) or additional is True
    for key in list(obj):
        if resource and key in TYPE_FIELDS:
            continue
        value = obj[key]
        inner = properties.get(key)
        if inner is None and additional.__class__ is dict:
            inner = additional
        if inner is None:
            if not keeps:
                removed.append(f"{path}.{key}" if path else key)
                del obj[key]
        elif value.__class__ is dict or value.__class__ is list:
            _prune(value, inner, f"{path}.{key}" if path else key, removed)
