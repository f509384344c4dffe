"""The shape of a value, as validation, pruning, patches and server-side apply walk it.

Built-in kinds get their nodes from the published schema (`proa.api.schema`), custom resources from their own; both meet in this type.
"""

from collections.abc import Mapping
from dataclasses import field
from typing import Any, Literal

from proa.lib.dataclass import dataclass

NodeType = Literal["object", "map", "array", "string", "integer", "number", "boolean", "int_or_string", "quantity", "any"]


@dataclass(slots=True, eq=False)
class SchemaNode:
    """One place in a schema. `object` has `properties`, `map` has `values` (all keys alike), `array` has `items`; `any` takes all.

    `definition` names the definition it came from ("io.k8s.api.core.v1.Container"), "" for inline nodes. Nodes may be cyclic
    (JSONSchemaProps), so walk values, never the schema alone.
    """

    type: NodeType
    definition: str = ""
    description: str = ""
    properties: Mapping[str, "SchemaNode"] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    values: "SchemaNode | None" = None
    items: "SchemaNode | None" = None
    format: str = ""
    enum: tuple[Any, ...] = ()
    list_type: Literal["atomic", "set", "map"] = "atomic"
    """x-kubernetes-list-type; what is not marked is atomic to server-side apply."""
    list_map_keys: tuple[str, ...] = ()
    map_type: Literal["granular", "atomic"] = "granular"
    patch_strategy: frozenset[str] = frozenset()
    """x-kubernetes-patch-strategy of this field: merge, replace, retainKeys."""
    patch_merge_key: str = ""
    preserve_unknown_fields: bool = False
    default: Any = None
    nullable: bool = False
    choice: "SchemaNode | None" = None
    """Of `any`: the object that may stand here, alone or in a list, or something simpler in its place; the published schema says nothing
    of either (JSONSchemaPropsOrBool and its like)."""


ANY = SchemaNode("any", preserve_unknown_fields=True)
