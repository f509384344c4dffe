"""Merging an applied configuration into an object by list and map types, and taking fields out of it again.

Neither changes its arguments; unchanged parts are shared with them.
"""

from typing import Any

from proa.api.managed_fields.field_set import FieldSet, is_member
from proa.api.managed_fields.walker import DEDUCED, InvalidKey, child_of, item_element, keyed, kind_of, same_quantity, value_element
from proa.api.schema_node import SchemaNode


def merge(live: Any, config: Any, node: SchemaNode) -> Any:
    """What the configuration says wins; what it doesn't say stays. A null takes the field away."""
    if config.__class__ is str and node.type != "quantity":
        return config
    kind = kind_of(node)
    if kind in ("object", "map", "deduced") and isinstance(live, dict) and isinstance(config, dict):
        return _merge_members(live, config, node)
    if kind == "list_map" and isinstance(live, list) and isinstance(config, list):
        return _merge_items([(item_element(node, item), item) for item in live], keyed(config, node), node.items or DEDUCED)
    if kind == "set" and isinstance(live, list) and isinstance(config, list):
        return _merge_items([(value_element(item), item) for item in live], {value_element(item): item for item in config}, None)
    if node.type == "quantity" and same_quantity(live, config):
        return live
    return without_nulls(config)


def without_nulls(config: Any) -> Any:
    if isinstance(config, dict):
        return {key: without_nulls(value) for key, value in config.items() if value is not None}
    return [without_nulls(item) for item in config] if isinstance(config, list) else config


def _merge_members(live: dict[str, Any], config: dict[str, Any], node: SchemaNode) -> dict[str, Any]:
    merged = dict(live)
    for key, value in config.items():
        if value is None:
            merged.pop(key, None)
        elif key in merged:
            merged[key] = merge(merged[key], value, child_of(node, key))
        else:
            merged[key] = without_nulls(value)
    return merged


def _merge_items(live: list[tuple[str, Any]], fresh: dict[str, Any], node: SchemaNode | None) -> list[Any]:
    """The configuration's order; what only the live list has keeps its place among its neighbours, doubles included."""
    former = dict(reversed(live))
    result: list[Any] = []
    waiting = list(fresh)
    for element, item in live:
        if element not in fresh:
            result.append(item)
            continue
        while element in waiting:
            result.append(_merge_item(former, fresh, waiting.pop(0), node))
    return result + [_merge_item(former, fresh, element, node) for element in waiting]


def _merge_item(former: dict[str, Any], fresh: dict[str, Any], element: str, node: SchemaNode | None) -> Any:
    if element not in former or node is None:
        return without_nulls(fresh[element])
    return merge(former[element], fresh[element], node)


def remove(value: Any, dropped: FieldSet, kept: FieldSet, node: SchemaNode) -> Any:
    """`value` without the members of `dropped`; one that others own parts of (`kept`) stays for their sake."""
    if isinstance(value, dict):
        return _remove_members(value, dropped, kept, node)
    if isinstance(value, list):
        return _remove_items(value, dropped, kept, node)
    return value


def _remove_members(value: dict[str, Any], dropped: FieldSet, kept: FieldSet, node: SchemaNode) -> dict[str, Any]:
    result = {}
    for key, item in value.items():
        element = f"f:{key}"
        rest = _remaining(item, dropped.get(element), kept.get(element), child_of(node, key))
        if rest is not None:
            result[key] = rest
    return result


def _remove_items(items: list[Any], dropped: FieldSet, kept: FieldSet, node: SchemaNode) -> list[Any]:
    kind = kind_of(node)
    if kind == "set":
        return [item for item in items if value_element(item) not in dropped]
    if kind != "list_map":
        return items
    result = []
    for item in items:
        try:
            element = item_element(node, item)
        except InvalidKey:
            result.append(item)
            continue
        rest = _remaining(item, dropped.get(element), kept.get(element), node.items or DEDUCED)
        if rest is not None:
            result.append(rest)
    return result


def _remaining(item: Any, dropped: FieldSet | None, kept: FieldSet | None, node: SchemaNode) -> Any:
    """None if nothing remains and nobody owns the empty place."""
    if dropped is None:
        return item
    if is_member(dropped) and kept is None:
        return None
    if not dropped:
        return item
    rest = remove(item, dropped, kept or {}, node)
    return rest if rest or not item or (kept is not None and is_member(kept)) else None
