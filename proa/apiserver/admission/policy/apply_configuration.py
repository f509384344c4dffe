"""A configuration that an expression made, merged into the object as server-side apply merges, without owners of fields.

What is atomic can't be part of it: setting one field would take all others away. Source: policy/mutating/patch, smd.
"""

from collections.abc import Iterator
from typing import Any

from proa.api.managed_fields.merge import merge
from proa.api.managed_fields.walker import InvalidKey, child_of, kind_of
from proa.api.meta import Object
from proa.api.schema_node import SchemaNode


class BadConfiguration(Exception):
    """Why a configuration can't be applied."""


def apply_configuration(obj: Object, configuration: Object, node: SchemaNode) -> Object:
    """The new object; raises BadConfiguration."""
    configuration = {**configuration, "apiVersion": obj.get("apiVersion", ""), "kind": obj.get("kind", "")}
    if unknown := list(_undeclared(configuration, node, "")):
        raise BadConfiguration(f"failed to convert patch object to typed object: {_listed(unknown)}")
    if atomic := list(_atomics(configuration, node, "")):
        raise BadConfiguration(f"invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: {', '.join(atomic)}")
    try:
        merged: Object = merge(obj, configuration, node)
    except InvalidKey as error:
        raise BadConfiguration(f"failed to convert patch object to typed object: {error}") from None
    return merged


def _listed(problems: list[str]) -> str:
    return problems[0] if len(problems) == 1 else "errors:\n" + "\n".join(f"  {each}" for each in problems)


def _undeclared(value: Any, node: SchemaNode, path: str) -> Iterator[str]:
    if isinstance(value, dict) and node.type in ("object", "map"):
        for key, item in value.items():
            if node.type == "object" and key not in node.properties and node.values is None and not node.preserve_unknown_fields:
                if path or key not in ("apiVersion", "kind", "metadata"):
                    yield f"{path}.{key}: field not declared in schema"
            else:
                yield from _undeclared(item, child_of(node, key), f"{path}.{key}")
    elif isinstance(value, list) and node.items is not None:
        for index, item in enumerate(value):
            yield from _undeclared(item, node.items, f"{path}[{index}]")


def _atomics(value: Any, node: SchemaNode, path: str) -> Iterator[str]:
    if isinstance(value, dict) and node.type in ("object", "map"):
        if kind_of(node) == "atomic":
            yield path
        for key, item in value.items():
            if key in node.properties:
                yield from _atomics(item, node.properties[key], f"{path}.{key}")
    elif isinstance(value, list) and node.type == "array":
        if kind_of(node) == "atomic":
            yield path
        for index, item in enumerate(value):
            if node.items is not None:
                yield from _atomics(item, node.items, f"{path}[{index}]")
