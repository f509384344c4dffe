"""A custom resource's schema as `SchemaNode`s: what server-side apply walks to know which lists and maps merge, and by which keys."""

from typing import Any

from proa.api.schema_node import ANY, SchemaNode
from proa.apiserver.crd.pruning import Schema


def resource_node(schema: Schema, object_meta: SchemaNode) -> SchemaNode:
    """The node of a whole resource; its metadata is the built-in type whatever the schema says of it."""
    node = node_of(schema)
    properties = {**node.properties, "apiVersion": SchemaNode("string"), "kind": SchemaNode("string"), "metadata": object_meta}
    keeps = node.preserve_unknown_fields
    return SchemaNode("object", description=node.description, properties=properties, required=node.required, preserve_unknown_fields=keeps)


def node_of(schema: Schema) -> SchemaNode:
    if schema.get("x-kubernetes-int-or-string"):
        return SchemaNode("int_or_string", format="int-or-string", description=schema.get("description", ""))
    kind = schema.get("type")
    if kind == "array":
        return _array(schema)
    if kind == "object" or schema.get("properties"):
        return _object(schema)
    if kind in ("string", "integer", "number", "boolean"):
        return SchemaNode(kind, description=schema.get("description", ""), **_common(schema))
    return SchemaNode("any", preserve_unknown_fields=True)


def _common(schema: Schema) -> dict[str, Any]:
    return {"default": schema.get("default"), "nullable": bool(schema.get("nullable"))}


def _array(schema: Schema) -> SchemaNode:
    return SchemaNode(
        "array",
        description=schema.get("description", ""),
        items=node_of(schema["items"]) if isinstance(schema.get("items"), dict) else ANY,
        list_type=schema.get("x-kubernetes-list-type") or "atomic",
        list_map_keys=tuple(schema.get("x-kubernetes-list-map-keys") or ()),
        **_common(schema),
    )


def _object(schema: Schema) -> SchemaNode:
    additional = schema.get("additionalProperties")
    map_type: Any = schema.get("x-kubernetes-map-type") or "granular"
    keeps = bool(schema.get("x-kubernetes-preserve-unknown-fields"))
    if additional is not None and additional is not False:
        values = node_of(additional) if isinstance(additional, dict) else ANY
        return SchemaNode("map", description=schema.get("description", ""), values=values, map_type=map_type, **_common(schema))
    if keeps and not schema.get("properties") and map_type == "granular":
        return SchemaNode("any", preserve_unknown_fields=True, description=schema.get("description", ""), **_common(schema))
    return SchemaNode(
        "object",
        description=schema.get("description", ""),
        properties={name: node_of(inner) for name, inner in (schema.get("properties") or {}).items()},
        required=tuple(schema.get("required") or ()),
        map_type=map_type,
        preserve_unknown_fields=keeps or bool(schema.get("x-kubernetes-embedded-resource")),
        **_common(schema),
    )
