"""OpenAPI v3: an index of group versions, and one document for each, with just the schemas that it needs."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from proa.api.schema import DEFAULTS, REFERENCE_PREFIX
from proa.apiserver.openapi.operations import TEXT, Operation
from proa.apiserver.openapi.parameters import PARAMETERS, Parameter
from proa.apiserver.openapi.v2 import DESCRIPTIONS, SECURITY, Document, consumed, extensions, produced

COMPONENT_PREFIX = "#/components/schemas/"
_QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity"
_INT_OR_STRING = "io.k8s.apimachinery.pkg.util.intstr.IntOrString"


def openapi_v3_index(hashes: Mapping[str, str]) -> Document:
    """What /openapi/v3 answers. A URL with the hash in it names a content that never changes."""
    return {"paths": {path: {"serverRelativeURL": f"/openapi/v3/{path}?hash={digest}"} for path, digest in hashes.items()}}


def digest(listed: Sequence[Operation], definitions: Mapping[str, Any], version: str) -> str:
    """Changes with whatever the document is made from: cheap, where encoding all documents for an index would cost a second."""
    custom = sorted({each.response for each in listed if not each.builtin})
    described = repr((version, listed, [definitions.get(name) for name in custom]))
    return hashlib.sha512(described.encode()).hexdigest().upper()


def openapi_v3(listed: Iterable[Operation], definitions: Mapping[str, Any], version: str) -> Document:
    """One document: `listed` are its own operations, `definitions` (OpenAPI v2 form) those of all."""
    paths: Document = {}
    needed: dict[str, None] = {}
    for operation in listed:
        item = paths.setdefault(operation.path, {"parameters": [_parameter(PARAMETERS[name]) for name in operation.path_parameters]})
        item[operation.method] = _operation(operation, definitions)
        needed |= dict.fromkeys(name for name in (operation.request, operation.response) if name in definitions)
    schemas = {name: to_v3(definitions[name], name) for name in sorted(reachable(needed, definitions))}
    return {
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": version},
        "paths": dict(sorted(paths.items())),
        "components": {"schemas": schemas, "securitySchemes": SECURITY},
    }


def reachable(names: Iterable[str], definitions: Mapping[str, Any]) -> set[str]:
    """These definitions and all that they refer to, however far."""
    found: set[str] = set()
    pending = list(names)
    while pending:
        name = pending.pop()
        if name not in found and name in definitions:
            found.add(name)
            pending.extend(_references(definitions[name]))
    return found


def _references(schema: Mapping[str, Any]) -> Iterator[str]:
    if "$ref" in schema:
        yield schema["$ref"].removeprefix(REFERENCE_PREFIX)
    for inner in (*schema.get("properties", {}).values(), schema.get("items"), schema.get("additionalProperties")):
        if isinstance(inner, dict):
            yield from _references(inner)


def to_v3(schema: Mapping[str, Any], name: str = "") -> Document:
    """A v2 schema in v3 form. A reference with anything beside it becomes an `allOf`, as siblings of `$ref` are ignored by v3's rules."""
    if name == _QUANTITY:
        return {"description": schema.get("description", ""), "oneOf": [{"type": "string"}, {"type": "number"}]}
    if name == _INT_OR_STRING:
        return {"description": schema.get("description", ""), "format": "int-or-string", "oneOf": [{"type": "integer"}, {"type": "string"}]}
    converted: Document = {}
    for key, value in schema.items():
        if key == "properties":
            defaults = DEFAULTS.get(name, {})
            converted[key] = {
                field: to_v3(inner) | ({"default": defaults[field]} if field in defaults else {}) for field, inner in value.items()
            }
        elif key in ("items", "additionalProperties", "not") and isinstance(value, dict):
            converted[key] = to_v3(value)
        elif key == "$ref":
            reference = {"$ref": COMPONENT_PREFIX + value.removeprefix(REFERENCE_PREFIX)}
            converted |= reference if len(schema) == 1 else {"allOf": [reference]}
        else:
            converted[key] = value
    return converted


def _operation(operation: Operation, definitions: Mapping[str, Any]) -> Document:
    schema = _schema(operation.response, definitions)
    content = {media_type: {"schema": schema} for media_type in produced(operation)}
    described: Document = {
        "tags": [operation.tag],
        "description": operation.description,
        "operationId": operation.id,
        "parameters": [_parameter(PARAMETERS[name]) for name in (*operation.query, "pretty")],
        "responses": {code: {"description": DESCRIPTIONS[code], "content": content} for code in operation.codes}
        | {"401": {"description": "Unauthorized"}},
        **extensions(operation),
    }
    if operation.request:
        body = {"schema": _schema(operation.request, definitions)}
        request: Document = {"content": dict.fromkeys(consumed(operation), body)}
        described["requestBody"] = request | ({"required": True} if operation.action in ("post", "put", "patch") else {})
    return described


def _schema(definition: str, definitions: Mapping[str, Any]) -> Document:
    if definition == TEXT:
        return {"type": "string"}
    return {"$ref": f"{COMPONENT_PREFIX}{definition}"} if definition in definitions else {"type": "object"}


def _parameter(parameter: Parameter) -> Document:
    described: Document = {"name": parameter.name, "in": parameter.place, "description": parameter.description}
    return described | ({"required": True} if parameter.place == "path" else {}) | {"schema": {"type": parameter.type, "uniqueItems": True}}
