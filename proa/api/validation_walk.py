"""The slow, exact half of decoding: prunes a value in place along a schema and words every complaint with its path.

Nulls go the way Go's decoder takes them: a null field is as good as absent, a null element of a list or map is the zero value of its type.
"""

from typing import Any

from proa.api.errors import Cause
from proa.api.schema_node import SchemaNode
from proa.api.validation_scalars import NAMED_TYPES, SCALAR_CHECKS, complaint, go_type, is_number, json_kind


def walk(node: SchemaNode, value: Any) -> tuple[tuple[str, ...], tuple[Cause, ...]]:
    """(paths of unknown fields, causes), each in document order; unknown fields and nulls are gone from `value` afterwards."""
    walker = _Walker()
    walker.visit(node, value, _Place("", "", node.definition))
    return tuple(walker.unknown), tuple(walker.causes)


class _Place:
    """Where the walk is: the path with indexes, the path as Go's errors have it (no indexes, no keys), the definition around it."""

    __slots__ = ("definition", "go_path", "path")

    def __init__(self, path: str, go_path: str, definition: str) -> None:
        self.path = path
        self.go_path = go_path
        self.definition = definition


class _Walker:
    def __init__(self) -> None:
        self.unknown: list[str] = []
        self.causes: list[Cause] = []

    def visit(self, node: SchemaNode, value: Any, place: _Place) -> None:
        if node.choice is not None:
            self._visit_choice(node.choice, value, place)
        if node.type == "any":
            return
        if node.type == "object" and value.__class__ is dict:
            self._visit_object(node, value, place)
        elif node.type == "map" and value.__class__ is dict:
            self._visit_map(node, value, place)
        elif node.type == "array" and value.__class__ is list:
            self._visit_array(node, value, place)
        elif node.type in ("object", "map", "array") or not SCALAR_CHECKS[node.type, node.format](value):
            self.causes.append(Cause(place.path, _refusal(node, value, place), "FieldValueTypeInvalid"))

    def _visit_choice(self, node: SchemaNode, value: Any, place: _Place) -> None:
        """An object or a list of them, which reads itself in upstream: complaints begin at it, and strays in it are told to nobody."""
        inner = _Walker()
        for each in value if value.__class__ is list else (value,):
            if each.__class__ is dict:
                inner.visit(node, each, _Place(place.path, "", node.definition))
        self.causes += inner.causes

    def _visit_object(self, node: SchemaNode, value: dict[str, Any], place: _Place) -> None:
        for key in list(value):
            field = node.properties.get(key)
            path = f"{place.path}.{key}" if place.path else key
            if field is None:
                if not node.preserve_unknown_fields:
                    self.unknown.append(path)
                    del value[key]
            elif value[key] is None and not field.nullable:
                del value[key]
            elif value[key] is not None:
                go_path = f"{place.go_path}.{key}" if place.go_path else key
                self.visit(field, value[key], _Place(path, go_path, node.definition))

    def _visit_map(self, node: SchemaNode, value: dict[str, Any], place: _Place) -> None:
        if node.values is None:
            return
        for key, each in value.items():
            if each is None:
                value[key] = zero(node.values)
            else:
                self.visit(node.values, each, _Place(f"{place.path}.{key}" if place.path else key, place.go_path, place.definition))

    def _visit_array(self, node: SchemaNode, value: list[Any], place: _Place) -> None:
        if node.items is None:
            return
        for index, each in enumerate(value):
            if each is None:
                value[index] = zero(node.items)
            else:
                self.visit(node.items, each, _Place(f"{place.path}[{index}]", place.go_path, place.definition))


def zero(node: SchemaNode) -> Any:
    """What a null becomes where it can't be left out. A zero time is written as null."""
    if node.nullable or node.type == "any" or node.format == "date-time":
        return None
    zeros: dict[str, Any] = {"object": {}, "map": {}, "array": [], "string": "", "boolean": False, "quantity": "0"}
    empty = zeros.get(node.type, 0)
    return empty.copy() if isinstance(empty, (dict, list)) else empty


def _refusal(node: SchemaNode, value: Any, place: _Place) -> str:
    own = complaint(node.type, node.format, value)
    if own is not None:
        return own
    described = f"number {value}" if node.type in ("integer", "number") and is_number(value) else json_kind(value)
    if not place.go_path:
        return f"json: cannot unmarshal {described} into Go value of type {_go_type(node)}"
    struct = place.definition.rpartition(".")[2]
    field = place.go_path.rpartition(".")[2]
    # An element or a map's value has the path of its field in Go's eyes, but not its type.
    named = NAMED_TYPES.get((struct, field)) if place.path.rpartition(".")[2] == field else None
    return f"json: cannot unmarshal {described} into Go struct field {struct}.{place.go_path} of type {named or _go_type(node)}"


def _go_type(node: SchemaNode) -> str:
    if node.type == "array" and node.items is not None:
        return f"[]{_go_type(node.items)}"
    if node.type == "map" and node.values is not None:
        return f"map[string]{_go_type(node.values)}"
    if node.type == "object":
        return ".".join(node.definition.split(".")[-2:])
    if node.type in ("quantity", "int_or_string"):
        return {"quantity": "resource.Quantity", "int_or_string": "intstr.IntOrString"}[node.type]
    return go_type(node.type, node.format)
