"""Schemas of custom resources in OpenAPI v2, which knows less than v3.

What v2 can't say is left out rather than said wrong, as upstream does: junctors, nullable; what may hold more than its schema says names
none of its fields, as clients of v2 would refuse the others.
"""

from collections.abc import Mapping
from typing import Any

DROPPED = ("allOf", "anyOf", "oneOf", "not", "nullable")
GROUP_VERSION_KIND = "x-kubernetes-group-version-kind"


def without_v3(schema: Mapping[str, Any]) -> dict[str, Any]:
    if GROUP_VERSION_KIND in schema and schema.get("x-kubernetes-preserve-unknown-fields"):
        return {"type": "object", GROUP_VERSION_KIND: schema[GROUP_VERSION_KIND]}
    made = {key: value for key, value in schema.items() if key not in DROPPED}
    preserves = schema.get("x-kubernetes-preserve-unknown-fields")
    if schema.get("nullable") or (preserves and schema.get("type") == "object"):
        # Where a type is given, clients refuse null; in an object that keeps unknown fields, also the null of such a field.
        made.pop("type", None)
    if schema.get("nullable") or preserves:
        made.pop("items", None)
        made.pop("properties", None)
    if made.get("type") == "array" and "items" not in made:
        del made["type"]
    if "properties" in made:
        _without_nullable(made)
        made["properties"] = {name: without_v3(inner) for name, inner in made["properties"].items()}
    for key in ("items", "additionalProperties"):
        if isinstance(made.get(key), dict):
            made[key] = without_v3(made[key])
    return made


def _without_nullable(schema: dict[str, Any]) -> None:
    """What may be null is not required."""
    required = [name for name in schema.get("required") or () if not (schema["properties"].get(name) or {}).get("nullable")]
    schema.pop("required", None)
    if required:
        schema["required"] = required
