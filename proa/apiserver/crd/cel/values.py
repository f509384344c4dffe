"""What a CEL rule sees of a value: names of fields escaped where CEL could not spell them, numbers as doubles, of resources' metadata only
the name.
"""

import re
from collections.abc import Mapping
from typing import Any

from proa.apiserver.crd.pruning import Schema

RESERVED = frozenset({
    "true", "false", "null", "in", "as", "break", "const", "continue", "else", "for", "function", "if", "import", "let", "loop", "package",
    "namespace", "return", "var", "void", "while",
})  # fmt: skip
_MARKS: Mapping[str, str] = {"__": "__underscores__", ".": "__dot__", "-": "__dash__", "/": "__slash__"}
_SPECIAL = re.compile(r"__|[.\-/]")
_PLAIN = re.compile(r"[A-Za-z_./-][A-Za-z0-9_./-]*")


def escaped(name: str) -> str | None:
    """The identifier of a field; None for one that CEL can't reach."""
    if name in RESERVED:
        return f"__{name}__"
    if _PLAIN.fullmatch(name) is None:
        return None
    return _SPECIAL.sub(lambda match: _MARKS[match[0]], name)


def seen(value: Any, schema: Schema, *, root: bool = False) -> Any:
    """A value as rules get it."""
    if value.__class__ is dict:
        return _object(value, schema, resource=root or bool(schema.get("x-kubernetes-embedded-resource")))
    if value.__class__ is list:
        items = schema.get("items")
        return [seen(item, items) for item in value] if isinstance(items, dict) else value
    if value.__class__ is int and schema.get("type") == "number":
        return float(value)
    return value


def _object(value: dict[str, Any], schema: Schema, *, resource: bool) -> dict[str, Any]:
    additional, properties = schema.get("additionalProperties"), schema.get("properties") or {}
    if isinstance(additional, dict):
        return {key: seen(item, additional) for key, item in value.items()}
    made: dict[str, Any] = {}
    for key, item in value.items():
        if resource and key == "metadata":
            made[key] = {name: item[name] for name in ("name", "generateName") if name in item} if isinstance(item, dict) else {}
        elif (name := escaped(key)) is not None:
            inner = properties.get(key)
            made[name] = item if inner is None else seen(item, inner)
    return made
