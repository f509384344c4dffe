"""Lists that are sets or maps hold each element, or each combination of keys, once.

An update keeps the duplicates that were there: only lists that had none before are held to it.
"""

from collections.abc import Iterator
from typing import Any

import orjson

from proa.api.errors import Cause, duplicate
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
    """Causes for every repeated element, in document order."""
    if value.__class__ is dict:
        properties, additional = schema.get("properties") or {}, schema.get("additionalProperties")
        found: list[Cause] = []
        for key, item in value.items():
            inner = properties.get(key, additional)
            if inner.__class__ is dict:
                found += duplicates(item, inner, f"{path}.{key}" if path else key)
        return found
    if value.__class__ is not list or not isinstance(schema.get("items"), dict):
        return []
    return _repeated(value, schema, path) + [
        cause for index, item in enumerate(value) for cause in duplicates(item, schema["items"], f"{path}[{index}]")
    ]


def _repeated(items: list[Any], schema: Schema, path: str) -> list[Cause]:
    kind = schema.get("x-kubernetes-list-type")
    if kind not in ("set", "map"):
        return []
    keys = schema.get("x-kubernetes-list-map-keys") or ()
    seen: set[bytes] = set()
    found = []
    for index, item in enumerate(items):
        if kind == "map" and item.__class__ is not dict:
            continue
        identity = item if kind == "set" else {key: item[key] for key in keys if key in item}
        text = orjson.dumps(identity, option=orjson.OPT_SORT_KEYS)
        if text in seen:
            found.append(duplicate(f"{path}[{index}]", identity))
        seen.add(text)
    return found
