"""The CEL type of a kind whose schema is known, with all of its fields: for checks of expressions before any object is there."""

from __future__ import annotations

from proa.api.cel.schema_type import escaped
from proa.api.cel.types import BOOL, BYTES, DOUBLE, DURATION, DYN, INT, STRING, TIMESTAMP, Field, Type, list_of, map_of
from proa.api.schema_node import SchemaNode

_SIMPLE = {"boolean": BOOL, "integer": INT, "number": DOUBLE, "int_or_string": DYN, "quantity": STRING, "any": DYN}
_FORMATS = {"byte": BYTES, "date-time": TIMESTAMP, "date": TIMESTAMP, "duration": DURATION}


class NodeTypes:
    """Types are made once per node, as schemas share their parts and refer to themselves."""

    def __init__(self) -> None:
        self._made: dict[int, tuple[SchemaNode, Type]] = {}

    def of(self, node: SchemaNode, name: str) -> Type:
        if node.type in _SIMPLE:
            return _SIMPLE[node.type]
        if node.type == "string":
            return _FORMATS.get(node.format, STRING)
        known = self._made.get(id(node))
        if known is not None:
            return known[1]
        if node.type == "array":
            return list_of(self.of(node.items, f"{name}.@idx") if node.items is not None else DYN)
        if node.type == "map":
            return map_of(STRING, self.of(node.values, f"{name}.@elem") if node.values is not None else DYN)
        fields: dict[str, Field] = {}
        made = Type("object", node.definition or name, fields=fields)
        self._made[id(node)] = node, made
        for key, inner in node.properties.items():
            if (spelled := escaped(key)) is not None:
                fields[spelled] = Field(self.of(inner, f"{name}.{key}"), key)
        return made
