"""Schemas of custom resources in OpenAPI v2, which knows less than v3.

What v2 can't say is left out rather than said wrong, as upstream does: junctors, nullable; a nullable or preserving object has no type
that a client could check against, and of a kind that preserves all only that it is an object.
"""

from collections.abc import Mapping
from typing import Any

DROPPED = ("allOf", "anyOf", "oneOf", "not", "nullable", "x-kubernetes-validations")
GROUP_VERSION_KIND = "x-kubernetes-group-version-kind"


def without_v3(schema: Mapping[str, Any]) -> dict[str, Any]:
    is_preserving = schema.get("x-kubernetes-preserve-unknown-fields")
    if GROUP_VERSION_KIND in schema and is_preserving:
        return {"type": "object", GROUP_VERSION_KIND: schema[GROUP_VERSION_KIND]}
    made = {key: value for key, value in schema.items() if key not in DROPPED}
    if schema.get("nullable") or is_preserving:
        # Clients of v2 refuse fields that are not listed, and null where a type is given.
        return {key: value for key, value in made.items() if key not in ("type", "items", "properties", "additionalProperties")}
    if "properties" in made:
        made["properties"] = {name: without_v3(inner) for name, inner in made["properties"].items()}
    for key in ("items", "additionalProperties"):
        if isinstance(made.get(key), dict):
            made[key] = without_v3(made[key])
    return made
