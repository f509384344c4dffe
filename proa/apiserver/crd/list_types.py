"""Lists that are sets or maps hold each element, or each combination of keys, once.

An update keeps the duplicates that were there: only lists that had none before are held to it.
"""

from collections.abc import Iterator
from typing import Any

import orjson

from proa.api.errors import Cause, duplicate, invalid
from proa.apiserver.crd.pruning import Schema


def has_unique_lists(schema: Schema) -> bool:
    if schema.get("x-kubernetes-list-type") in ("set", "map"):
        return True
    return any(has_unique_lists(child) for child in children(schema))


def children(schema: Schema) -> Iterator[Schema]:
    for child in (*(schema.get("properties") or {}).values(), schema.get("items"), schema.get("additionalProperties")):
        if isinstance(child, dict):
            yield child


def duplicates(value: Any, schema: Schema, path: str = "") -> list[Cause]:
    """Causes for every repeated element, in document order; each is told once."""
    if value.__class__ is dict:
        found: list[Cause] = []
        for key, item in value.items():
            inner = child_of(schema, key)
            if inner is not None:
                found += duplicates(item, inner, child_path(schema, path, key))
        return found
    if value.__class__ is not list or not isinstance(schema.get("items"), dict):
        return []
    return _repeated(value, schema, path) + [
        cause for index, item in enumerate(value) for cause in duplicates(item, schema["items"], f"{path}[{index}]")
    ]


def child_of(schema: Schema, key: str) -> Schema | None:
    """The schema of one member of an object."""
    inner = (schema.get("properties") or {}).get(key)
    if inner is None:
        inner = schema.get("additionalProperties")
    return inner if inner.__class__ is dict else None


def child_path(schema: Schema, path: str, key: str) -> str:
    """Fields are named after a dot, keys of a map in brackets."""
    if key not in (schema.get("properties") or {}):
        return f"{path}[{key}]"
    return f"{path}.{key}" if path else key


def _repeated(items: list[Any], schema: Schema, path: str) -> list[Cause]:
    kind = schema.get("x-kubernetes-list-type")
    if kind not in ("set", "map"):
        return []
    keys = schema.get("x-kubernetes-list-map-keys") or ()
    if kind == "map":
        for index, item in enumerate(items):
            if item is not None and item.__class__ is not dict:
                return [invalid(f"{path}[{index}]", item, "must be an object for an array of list-type map")]
        items = [{key: item[key] for key in keys if key in item} if item is not None else {} for item in items]
    times: dict[bytes, int] = {}
    found = []
    for index, item in enumerate(items):
        text = orjson.dumps(item, option=orjson.OPT_SORT_KEYS)
        times[text] = times.get(text, 0) + 1
        if times[text] == 2:
            found.append(duplicate(f"{path}[{index}]", item))
    return found
