"""Brings a decoded object into the form in which it is stored: quantities in canonical form, nulls and empty collections gone.

A server built on typed structures does so by decoding and encoding again; here one function is compiled per schema node, which visits
only the fields that are present. What has no fixed fields (raw extensions, FieldsV1) stays as it came.
"""

from collections.abc import Callable
from typing import Any

from proa.api.quantity import canonical_text
from proa.api.schema_node import SchemaNode
from proa.api.validation_walk import zero

Normalizer = Callable[[Any], Any]
"""Changes containers in place and returns the value to keep; None means: leave the field out."""


class NormalizerCache:
    """One compiled function per node, made when first needed, as nodes may be cyclic."""

    def __init__(self) -> None:
        self._compiled: dict[SchemaNode, Normalizer | None] = {}

    def normalizer(self, node: SchemaNode) -> Normalizer | None:
        if node not in self._compiled:
            self._compiled[node] = self._compile(node)
        return self._compiled[node]

    def _compile(self, node: SchemaNode) -> Normalizer | None:
        if node.type == "quantity":
            return _quantity
        if node.type == "object" and node.properties:
            return self._object(node)
        if node.type == "map":
            return self._map(node)
        if node.type == "array":
            return self._array(node)
        return None

    def _object(self, node: SchemaNode) -> Normalizer:
        required = frozenset(node.required)
        properties = node.properties
        known: dict[str, Normalizer | None] = {}
        texts = frozenset(name for name, each in properties.items() if each.type == "string")

        def normalize(value: Any) -> Any:
            if type(value) is not dict:
                return value
            dropped = []
            for key, item in value.items():
                kind = type(item)
                if (kind is str and key in texts) or kind is int or kind is bool:
                    continue
                if item is None:
                    dropped.append(key)
                    continue
                try:
                    child = known[key]
                except KeyError:
                    child = known[key] = self.normalizer(properties[key]) if key in properties else None
                if child is None:
                    continue
                kept = child(item)
                if kept is None:
                    if key not in required:
                        dropped.append(key)
                elif kept is not item:
                    value[key] = kept
            for key in dropped:
                del value[key]
            return value

        return normalize

    def _map(self, node: SchemaNode) -> Normalizer:
        child = self.normalizer(node.values) if node.values else None
        values = node.values

        def normalize(value: Any) -> Any:
            if not value:
                return None
            if type(value) is dict:
                for key, item in value.items():
                    if item is None:
                        value[key] = zero(values) if values is not None else None
                    elif child is not None:
                        value[key] = child(item) or item
            return value

        return normalize

    def _array(self, node: SchemaNode) -> Normalizer:
        child: Normalizer | None = None
        resolved = False
        items = node.items

        def normalize(value: Any) -> Any:
            nonlocal child, resolved
            if not value:
                return None
            if not resolved:
                child, resolved = self.normalizer(node.items) if node.items else None, True
            if type(value) is list:
                for index, item in enumerate(value):
                    if item is None:
                        value[index] = zero(items) if items is not None else None
                    elif child is not None:
                        value[index] = child(item) or item
            return value

        return normalize


def _quantity(value: Any) -> Any:
    try:
        return canonical_text(value)
    except (ValueError, TypeError):
        return value
