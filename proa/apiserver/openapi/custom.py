"""Schemas of custom resources in OpenAPI v2, which knows less than v3.

What v2 can't say is left out rather than said wrong, as upstream does: junctors, nullable; a nullable or preserving object has no type
that a client could check against.
"""

from collections.abc import Mapping
from typing import Any

DROPPED = ("allOf", "anyOf", "oneOf", "not", "nullable", "x-kubernetes-validations")


def without_v3(schema: Mapping[str, Any]) -> dict[str, Any]:
    made = {key: value for key, value in schema.items() if key not in DROPPED}
    if schema.get("nullable") or schema.get("x-kubernetes-preserve-unknown-fields"):
        # Clients of v2 refuse fields that are not listed, and null where a type is given.
        for key in ("type", "items", "properties", "additionalProperties"):
            if not (key == "properties" or key == "type") or schema.get("nullable") or "x-kubernetes-group-version-kind" not in schema:
                made.pop(key, None)
        return made
    if "properties" in made:
        made["properties"] = {name: without_v3(inner) for name, inner in made["properties"].items()}
    for key in ("items", "additionalProperties"):
        if isinstance(made.get(key), dict):
            made[key] = without_v3(made[key])
    return made
