"""The CEL type of a structural schema: which fields an expression may select, of which types, and how large values can get.

Sizes come from maxItems, maxProperties, maxLength and enums, else from what fits into one request; cost estimates stand on them. What a
schema does not specify (preserve-unknown-fields) can't be selected. Source: k8s.io/apiserver/pkg/cel/common SchemaDeclType.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from proa.api.cel.types import BOOL, DOUBLE, INT, MAX_REQUEST, Field, Type

Schema = Mapping[str, Any]
RESERVED = frozenset({
    "true", "false", "null", "in", "as", "break", "const", "continue", "else", "for", "function", "if", "import", "let", "loop", "package",
    "namespace", "return", "var", "void", "while",
})  # fmt: skip
_MARKS: Mapping[str, str] = {"__": "__underscores__", ".": "__dot__", "-": "__dash__", "/": "__slash__"}
_SPECIAL = re.compile(r"__|[.\-/]")
_PLAIN = re.compile(r"[A-Za-z_./-][A-Za-z0-9_./-]*")
_LARGEST = MAX_REQUEST - 2


def escaped(name: str) -> str | None:
    """The identifier of a field; None for one that CEL can't reach."""
    if name in RESERVED:
        return f"__{name}__"
    if _PLAIN.fullmatch(name) is None:
        return None
    return _SPECIAL.sub(lambda match: _MARKS[match[0]], name)


def schema_type(schema: Schema, name: str = "object", *, resource: bool = False) -> Type | None:
    """None for what an expression can't use. `resource` adds apiVersion, kind and the metadata that expressions may see."""
    if schema.get("x-kubernetes-int-or-string"):
        return Type("dyn", size=_LARGEST, smallest=1)
    kind = schema.get("type") or ""
    if kind == "array":
        return _list(schema, name)
    if kind == "object":
        additional = schema.get("additionalProperties")
        if isinstance(additional, Mapping) and not schema.get("properties"):
            return _map(schema, additional, name)
        return _object(schema, name, resource=resource or bool(schema.get("x-kubernetes-embedded-resource")))
    if kind == "string":
        return _string(schema)
    return {"boolean": BOOL, "number": DOUBLE, "integer": INT}.get(kind)


def _list(schema: Schema, name: str) -> Type | None:
    items = schema.get("items")
    element = schema_type(items, f"{name}.@idx") if isinstance(items, Mapping) else None
    if element is None:
        return None
    most = schema.get("maxItems")
    size = max(0, most) if most is not None else _LARGEST // (element.smallest + 1)
    collection = schema.get("x-kubernetes-list-type") or ""
    keys = tuple(schema.get("x-kubernetes-list-map-keys") or ())
    return Type("list", "", (element,), {}, size, collection if collection in ("set", "map") else "", keys, 2)


def _map(schema: Schema, additional: Schema, name: str) -> Type | None:
    value = schema_type(additional, f"{name}.@elem")
    if value is None:
        return None
    most = schema.get("maxProperties")
    size = max(0, most) if most is not None else _LARGEST // (value.smallest + 6)
    key = Type("string", size=_LARGEST)
    return Type("map", "", (key, value), {}, size)


def _object(schema: Schema, name: str, *, resource: bool) -> Type:
    properties: dict[str, Any] = dict(schema.get("properties") or {})
    required = set(schema.get("required") or ())
    if resource:
        properties["kind"] = properties["apiVersion"] = {"type": "string"}
        text = {"type": "string", "maxLength": 253}
        properties["metadata"] = {"type": "object", "properties": {"name": text, "generateName": text}}
        required |= {"kind", "apiVersion", "metadata"}
    fields: dict[str, Field] = {}
    smallest = 2
    for key, inner in properties.items():
        spelled = escaped(key)
        found = schema_type(inner, f"{name}.{key}") if isinstance(inner, Mapping) else None
        if found is None:
            continue
        if key in required and inner.get("default") is None:
            smallest += len(key) + found.smallest + 4
        if spelled is not None:
            fields[spelled] = Field(found, key)
    return Type("object", name, fields=fields, smallest=smallest)


_FORMATS = {"byte": "bytes", "duration": "duration", "date": "timestamp", "date-time": "timestamp"}
_SMALLEST = {"duration": 3, "date": 12, "date-time": 22}


def _string(schema: Schema) -> Type:
    format_, most, allowed = schema.get("format") or "", schema.get("maxLength"), schema.get("enum")
    if format_ in _FORMATS:
        size = most if most is not None else _LARGEST
        return Type(_FORMATS[format_], size=size if format_ == "byte" else -1, smallest=_SMALLEST.get(format_, 2))
    if most is not None:
        return Type("string", size=max(0, most) * 4)
    if allowed:
        return Type("string", size=max(len(str(each)) for each in allowed))
    return Type("string", size=_LARGEST)
