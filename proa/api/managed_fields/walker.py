"""Which fields a value has, and which differ between two values, by the merge rules of the schema.

`FieldWalker` compiles one function per schema node, when first needed (nodes may be cyclic), as every create and update goes through here.
Granular objects and maps are walked into, lists by their type: a set by value, a map by its keys; everything else is one field.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import orjson

from proa.api.managed_fields.field_set import LEAF, SELF, FieldSet, path_text
from proa.api.quantity import canonical_text
from proa.api.schema_node import SchemaNode

Added = Callable[[Any], FieldSet]
Path = tuple[Any, ...]
"""() or (the path to here, the element below): becomes a text only if there is something to complain of."""
DEDUCED = SchemaNode("any", preserve_unknown_fields=True)
"""A value without a schema: objects are granular, lists atomic."""


class InvalidKey(ValueError):
    """An element of a list of type map omits a key that has no default, or a configuration has one twice."""


@lru_cache(16384)
def kind_of(node: SchemaNode) -> str:
    """object, map, set, list_map, deduced or atomic: how this place merges."""
    if node.type == "object":
        return "object" if node.map_type != "atomic" else "atomic"
    if node.type == "map":
        return "map" if node.map_type != "atomic" else "atomic"
    if node.type == "array":
        return {"set": "set", "map": "list_map"}.get(node.list_type, "atomic")
    return "deduced" if node.type == "any" and node.preserve_unknown_fields and not node.definition else "atomic"


def child_of(node: SchemaNode, key: str) -> SchemaNode:
    """The node of a member of an object or map."""
    child = node.properties.get(key) if node.type == "object" else node.values
    if child is not None:
        return child
    return DEDUCED


@lru_cache(8192)
def value_element(value: Any) -> str:
    return "v:" + orjson.dumps(value).decode()


@lru_cache(8192)
def _key_element(keys: tuple[str, ...], values: tuple[Any, ...]) -> str:
    return "k:" + orjson.dumps(dict(sorted(zip(keys, values, strict=True)))).decode()


@lru_cache(4096)
def _field_element(key: str) -> str:
    return f"f:{key}"


def item_element(node: SchemaNode, item: Any) -> str:
    """The path element of an item of a list of type map; raises InvalidKey."""
    keys = node.list_map_keys
    try:
        if len(keys) == 1:
            return _key_element(keys, (item[keys[0]],))
        return _key_element(keys, tuple([item[key] for key in keys]))
    except (KeyError, TypeError):
        return _key_element(*_defaulted(node, item))


def _defaulted(node: SchemaNode, item: Any) -> tuple[tuple[str, ...], tuple[Any, ...]]:
    """Keys and values; a key that is absent takes its default, and one of several may stay away."""
    if not isinstance(item, dict):
        raise InvalidKey("associative list with keys may not have non-map elements")
    keys, values = [], []
    for key in node.list_map_keys:
        properties = node.items.properties if node.items else {}
        default = properties[key].default if key in properties else None
        if item.get(key) is not None or default is not None:
            keys.append(key)
            values.append(item.get(key) if item.get(key) is not None else default)
    if not keys:
        listed = ", ".join(f'"{key}"' for key in node.list_map_keys)
        what = f"associative list with keys has an element that omits key field {listed}"
        raise InvalidKey(f"{what} (and doesn't have default value)")
    return tuple(keys), tuple(values)


class FieldWalker:
    """The compiled functions of one schema."""

    def __init__(self) -> None:
        self._added: dict[SchemaNode, Added] = {}

    def added(self, node: SchemaNode) -> Added:
        """A function from a new value to its fields, itself included: as when the value was not there before."""
        known = self._added.get(node)
        if known is None:
            known = self._added[node] = self._compile(node)
        return known

    def _compile(self, node: SchemaNode) -> Added:
        kind = kind_of(node)
        if kind in ("object", "map"):
            return self._members(node)
        if kind == "list_map":
            return self._items(node)
        if kind == "set":
            return _set_added
        return self._members(node) if kind == "deduced" else _atomic

    def _members(self, node: SchemaNode) -> Added:
        elements: dict[str, tuple[str, Added | None]] = {}

        def resolve(key: str) -> tuple[str, Added | None]:
            child = child_of(node, key)
            found = _field_element(key), None if kind_of(child) == "atomic" else self.added(child)
            if len(elements) < 512:
                elements[key] = found
            return found

        def added(value: Any) -> FieldSet:
            if type(value) is not dict or not value:
                return LEAF
            fields: FieldSet = {SELF: LEAF}
            for key, item in value.items():
                element, walk = elements.get(key) or resolve(key)
                kind = type(item)
                fields[element] = walk(item) if walk is not None and (kind is dict or kind is list) else LEAF
            return fields

        return added

    def _items(self, node: SchemaNode) -> Added:
        walk = self.added(node.items) if node.items is not None and node.items is not node else _atomic

        def added(value: Any) -> FieldSet:
            if type(value) is not list or not value:
                return LEAF
            fields: FieldSet = {SELF: LEAF}
            for item in value:
                fields[item_element(node, item)] = walk(item)
            return fields

        return added

    def compare(self, old: Any, new: Any, node: SchemaNode) -> tuple[FieldSet | None, FieldSet | None]:
        """(fields added or modified, fields removed) between two values that are there; None for none."""
        if old == new and type(old) is type(new):
            return None, None
        kind = kind_of(node)
        if kind in ("object", "map", "deduced") and type(old) is dict and type(new) is dict:
            return self._compare_members(old, new, node)
        if kind == "list_map" and type(old) is list and type(new) is list:
            return self._compare_items(keyed(old, node), keyed(new, node), node.items or DEDUCED)
        if kind == "set" and type(old) is list and type(new) is list:
            return _compare_sets(old, new)
        return (None, None) if node.type == "quantity" and same_quantity(old, new) else (LEAF, None)

    def _compare_members(self, old: dict[str, Any], new: dict[str, Any], node: SchemaNode) -> tuple[FieldSet | None, FieldSet | None]:
        changed: FieldSet = {}
        removed: FieldSet = {}
        for key, item in new.items():
            if key not in old:
                changed[_field_element(key)] = self.added(child_of(node, key))(item)
            elif old[key] != item or type(old[key]) is not type(item):
                self._note(_field_element(key), self.compare(old[key], item, child_of(node, key)), changed, removed)
        for key, item in old.items():
            if key not in new:
                removed[_field_element(key)] = self.added(child_of(node, key))(item)
        return changed or None, removed or None

    def _compare_items(self, old: dict[str, Any], new: dict[str, Any], node: SchemaNode) -> tuple[FieldSet | None, FieldSet | None]:
        changed: FieldSet = {}
        removed: FieldSet = {}
        for element, item in new.items():
            if element not in old:
                changed[element] = self.added(node)(item)
            elif old[element] != item:
                self._note(element, self.compare(old[element], item, node), changed, removed)
        for element, item in old.items():
            if element not in new:
                removed[element] = self.added(node)(item)
        return changed or None, removed or None

    @staticmethod
    def _note(element: str, found: tuple[FieldSet | None, FieldSet | None], changed: FieldSet, removed: FieldSet) -> None:
        more, less = found
        if more is not None:
            changed[element] = more
        if less is not None:
            removed[element] = less

    def applied(self, value: Any, node: SchemaNode, path: Path = ()) -> FieldSet:
        """The fields of an applied configuration: unlike `added`, objects with members are no members themselves. Raises InvalidKey."""
        if value.__class__ is not dict and value.__class__ is not list:
            return LEAF
        kind = kind_of(node)
        if kind == "atomic":
            return LEAF
        if kind == "set" and isinstance(value, list):
            _check_unique([value_element(item) for item in value], path)
            return {value_element(item): LEAF for item in value}
        if kind == "list_map" and isinstance(value, list):
            return self._applied_items(value, node, path)
        if isinstance(value, dict) and kind in ("object", "map", "deduced"):
            return self._applied_members(value, node, kind, path)
        return LEAF

    def _applied_members(self, value: dict[str, Any], node: SchemaNode, kind: str, path: Path) -> FieldSet:
        fields: FieldSet = {}
        declared = node.properties if kind == "object" else {}
        for key, item in value.items():
            element = _field_element(key)
            if item.__class__ is not dict and item.__class__ is not list:
                fields[element] = LEAF
                continue
            child = child_of(node, key)
            if item == [] and key in declared and kind_of(child) in ("set", "list_map"):
                continue
            below = self.applied(item, child, (path, element))
            fields[element] = below if key in declared or not below else {SELF: LEAF, **below}
        return fields

    def _applied_items(self, value: list[Any], node: SchemaNode, path: Path) -> FieldSet:
        elements = []
        for index, item in enumerate(value):
            try:
                elements.append(item_element(node, item))
            except InvalidKey as error:
                raise InvalidKey(f"{_path_text(path)}: element {index}: {error}") from None
        _check_unique(elements, path)
        fields: FieldSet = {}
        for element, item in zip(elements, value, strict=True):
            fields[element] = {SELF: LEAF, **self.applied(item, node.items or DEDUCED, (path, element))}
        return fields


def _path_text(path: Path) -> str:
    elements: list[str] = []
    while path:
        path, element = path
        elements.append(element)
    return path_text(tuple(reversed(elements)))


def _check_unique(elements: list[str], path: Path) -> None:
    seen: set[str] = set()
    for element in elements:
        if element in seen:
            raise InvalidKey(f"{_path_text(path)}: duplicate entries for key {path_text((element,))}")
        seen.add(element)


def same_quantity(left: Any, right: Any) -> bool:
    """`1000m` and `1` are one value in two spellings."""
    try:
        return canonical_text(left) == canonical_text(right)
    except (ValueError, TypeError):
        return False


def _atomic(value: Any) -> FieldSet:
    return LEAF


def _set_added(value: Any) -> FieldSet:
    if type(value) is not list or not value:
        return LEAF
    return {SELF: LEAF, **{_safe_value_element(item): LEAF for item in value}}


def _safe_value_element(value: Any) -> str:
    return value_element(value) if not isinstance(value, dict | list) else "v:" + orjson.dumps(value).decode()


def _compare_sets(old: list[Any], new: list[Any]) -> tuple[FieldSet | None, FieldSet | None]:
    former, fresh = {_safe_value_element(item) for item in old}, [_safe_value_element(item) for item in new]
    changed = {element: LEAF for element in fresh if element not in former}
    removed = dict.fromkeys(former.difference(fresh), LEAF)
    return changed or None, removed or None


def keyed(items: list[Any], node: SchemaNode) -> dict[str, Any]:
    """The items of a list of type map by their path elements, in order."""
    return {item_element(node, item): item for item in items}
