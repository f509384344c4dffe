"""The OpenAPI v2 document: what kubectl validates and explains with where v3 is not asked for, and older clients always read."""

from collections.abc import Iterable, Mapping
from typing import Any

from proa.apiserver.openapi.operations import TEXT, Operation
from proa.apiserver.openapi.parameters import PARAMETERS, Parameter

Document = dict[str, Any]

MEDIA_TYPES = ("application/json", "application/yaml")
PROTOBUF = "application/vnd.kubernetes.protobuf"
JSON_WATCH, PROTOBUF_WATCH = "application/json;stream=watch", f"{PROTOBUF};stream=watch"
PATCH_MEDIA_TYPES = ("application/json-patch+json", "application/merge-patch+json", "application/apply-patch+yaml")
STRATEGIC_MERGE_PATCH = "application/strategic-merge-patch+json"
SECURITY = {"BearerToken": {"description": "Bearer Token authentication", "type": "apiKey", "name": "authorization", "in": "header"}}


def openapi_v2(listed: Iterable[Operation], definitions: Mapping[str, Any], version: str) -> Document:
    """The whole document. `version` is the server's ("v1.37.0"), `definitions` are in OpenAPI v2 form, custom resources' included."""
    return {
        "swagger": "2.0",
        "info": {"title": "Kubernetes", "version": version},
        "paths": _paths(listed, definitions),
        "definitions": dict(definitions),
        "parameters": {name: _parameter(parameter) for name, parameter in PARAMETERS.items()},
        "securityDefinitions": SECURITY,
        "security": [{"BearerToken": []}],
    }


def _paths(listed: Iterable[Operation], definitions: Mapping[str, Any]) -> Document:
    paths: Document = {}
    for operation in listed:
        item = paths.setdefault(operation.path, {})
        item[operation.method] = _operation(operation, definitions)
        item["parameters"] = [_reference(name) for name in (*operation.path_parameters, "pretty")]
    return dict(sorted(paths.items()))


def _operation(operation: Operation, definitions: Mapping[str, Any]) -> Document:
    body = [_body(operation, definitions)] if operation.request else []
    # Older kubectl looks for parameters of patches by name and does not follow references.
    query = [_parameter(PARAMETERS[name]) if operation.method == "patch" else _reference(name) for name in operation.query]
    return {
        "description": operation.description,
        "consumes": list(consumed(operation)),
        "produces": list(produced(operation)),
        "schemes": ["https"],
        "tags": [operation.tag],
        "operationId": operation.id,
        "parameters": body + query,
        "responses": _responses(operation, definitions),
        **extensions(operation),
    }


def extensions(operation: Operation) -> Document:
    """By which clients find the operations of a kind."""
    if operation.kind is None:
        return {}
    kind = {"group": operation.kind.group, "kind": operation.kind.kind, "version": operation.kind.version}
    return {"x-kubernetes-action": operation.action, "x-kubernetes-group-version-kind": kind}


def consumed(operation: Operation) -> tuple[str, ...]:
    if operation.action != "patch":
        return ("*/*",)
    return (*PATCH_MEDIA_TYPES, STRATEGIC_MERGE_PATCH) if operation.builtin else PATCH_MEDIA_TYPES


def produced(operation: Operation) -> tuple[str, ...]:
    if operation.response == TEXT:
        return ("text/plain", "application/json") if operation.action == "get" else ("*/*",)
    own = (*MEDIA_TYPES, PROTOBUF) if operation.builtin else MEDIA_TYPES
    if operation.action not in ("list", "watch", "watchlist"):
        return own
    return (*own, JSON_WATCH, PROTOBUF_WATCH) if operation.builtin else (*own, JSON_WATCH)


def _body(operation: Operation, definitions: Mapping[str, Any]) -> Document:
    required = operation.action in ("post", "put", "patch")
    body: Document = {"name": "body", "in": "body", "schema": _schema(operation.request, definitions)}
    return body | {"required": True} if required else body


def _responses(operation: Operation, definitions: Mapping[str, Any]) -> Document:
    schema = _schema(operation.response, definitions)
    answers = {code: {"description": DESCRIPTIONS[code], "schema": schema} for code in operation.codes}
    return answers | {"401": {"description": "Unauthorized"}}


DESCRIPTIONS = {"200": "OK", "201": "Created", "202": "Accepted"}


def _schema(definition: str, definitions: Mapping[str, Any]) -> Document:
    if definition == TEXT:
        return {"type": "string"}
    return {"$ref": f"#/definitions/{definition}"} if definition in definitions else {"type": "object"}


def _reference(name: str) -> Document:
    return {"$ref": f"#/parameters/{name}"}


def _parameter(parameter: Parameter) -> Document:
    described: Document = {"uniqueItems": True, "type": parameter.type, "description": parameter.description, "name": parameter.name}
    return described | ({"in": "path", "required": True} if parameter.place == "path" else {"in": "query"})
