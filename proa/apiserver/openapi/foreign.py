"""OpenAPI documents of other servers: what of them belongs to one group version, and how it joins this server's own document.

Definitions that are the same in both are shared; one that is not gets a name of its own, as upstream's aggregation gives it. Parameters are
written out where they are used, so that nothing refers to a part of a document that stays behind.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from proa.api.schema import REFERENCE_PREFIX
from proa.apiserver.openapi.v2 import SECURITY, Document
from proa.apiserver.openapi.v3 import reachable, to_v3

_METHODS = ("get", "put", "post", "delete", "options", "head", "patch")
_LISTS = ("tags", "consumes", "produces", "schemes")
_PARAMETER_PREFIX = "#/parameters/"
_JSON = "application/json"


def only(document: Mapping[str, Any], prefix: str) -> Document:
    """The paths below `prefix` and the definitions that they need.

    Raises KeyError, TypeError or AttributeError for what is no OpenAPI v2."""
    shared = document.get("parameters") or {}
    found = {path: _item(item, shared) for path, item in document["paths"].items() if f"{path}/".startswith(f"{prefix}/")}
    definitions = document.get("definitions") or {}
    needed = reachable(_referred(found), definitions)
    return {"paths": found, "definitions": {name: definitions[name] for name in sorted(needed)}}


def _item(item: Mapping[str, Any], shared: Mapping[str, Any]) -> Document:
    made: Document = {method: _operation(item[method], shared) for method in _METHODS if method in item}
    return made | {"parameters": _parameters(item.get("parameters") or (), shared)}


def _operation(operation: Mapping[str, Any], shared: Mapping[str, Any]) -> Document:
    whole = {"description": "", "operationId": "", "responses": {}, **{name: [] for name in _LISTS}, **operation}
    return whole | {"parameters": _parameters(operation.get("parameters") or (), shared)}


def _parameters(listed: Iterable[Mapping[str, Any]], shared: Mapping[str, Any]) -> list[Document]:
    found = (shared[each["$ref"].removeprefix(_PARAMETER_PREFIX)] if "$ref" in each else each for each in listed)
    plain = {"uniqueItems": True, "type": "string"}
    return [dict(each) if each["in"] == "body" else {**plain, **each} for each in found if each["in"] in ("body", "path", "query")]


def _referred(value: Any) -> set[str]:
    """The names of all definitions that are referred to anywhere in it."""
    if isinstance(value, Mapping):
        own = {value["$ref"].removeprefix(REFERENCE_PREFIX)} if isinstance(value.get("$ref"), str) else set()
        return own.union(*map(_referred, value.values()))
    return set().union(*map(_referred, value)) if isinstance(value, list) else set()


def joined(own: Document, others: Iterable[Document]) -> Document:
    """`own` with the paths and definitions of the others; what both have is own's."""
    paths, definitions = dict(own["paths"]), dict(own["definitions"])
    for other in others:
        renamed = _renamed(other["definitions"], definitions)
        moved = _moved(other, renamed) if renamed else other
        for name, definition in moved["definitions"].items():
            definitions.setdefault(name, definition)
        paths |= {path: item for path, item in moved["paths"].items() if path not in own["paths"]}
    return own | {"paths": dict(sorted(paths.items())), "definitions": definitions}


def _renamed(new: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, str]:
    """{name: another name} for definitions that differ under the same name, and for those that refer to such."""
    clashing = {name for name, definition in new.items() if name in known and _without_kinds(known[name]) != _without_kinds(definition)}
    while more := {name for name in new if name in known and name not in clashing and _referred(new[name]) & clashing}:
        clashing |= more
    return {name: _free_name(name, known) for name in clashing}


def _without_kinds(definition: Mapping[str, Any]) -> Document:
    return {key: value for key, value in definition.items() if key != "x-kubernetes-group-version-kind"}


def _free_name(name: str, known: Mapping[str, Any]) -> str:
    number = 2
    while f"{name}_v{number}" in known:
        number += 1
    return f"{name}_v{number}"


def _moved(document: Document, renamed: Mapping[str, str]) -> Document:
    paths: Document = _redirected(document["paths"], renamed)
    definitions = {renamed.get(name, name): _redirected(definition, renamed) for name, definition in document["definitions"].items()}
    return {"paths": paths, "definitions": definitions}


def _redirected(value: Any, renamed: Mapping[str, str]) -> Any:
    if isinstance(value, Mapping):
        made = {key: _redirected(inner, renamed) for key, inner in value.items()}
        name = value["$ref"].removeprefix(REFERENCE_PREFIX) if isinstance(value.get("$ref"), str) else ""
        return made | {"$ref": REFERENCE_PREFIX + renamed[name]} if name in renamed else made
    return [_redirected(inner, renamed) for inner in value] if isinstance(value, list) else value


def as_v3(document: Document, version: str) -> Document:
    """What `only` left of a v2 document, as the v3 document of the group version."""
    return {
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": version},
        "paths": {path: _item_v3(item) for path, item in document["paths"].items()},
        "components": {
            "schemas": {name: to_v3(definition, name) for name, definition in document["definitions"].items()},
            "securitySchemes": SECURITY,
        },
    }


def _item_v3(item: Document) -> Document:
    made = {method: _operation_v3(item[method]) for method in _METHODS if method in item}
    return made | {"parameters": [_parameter_v3(each) for each in item["parameters"] if each["in"] != "body"]}


def _operation_v3(operation: Document) -> Document:
    kept = {key: operation[key] for key in operation if key in ("tags", "description", "operationId") or key.startswith("x-")}
    produced, consumed = operation["produces"] or [_JSON], operation["consumes"] or [_JSON]
    made = kept | {"parameters": [_parameter_v3(each) for each in operation["parameters"] if each["in"] != "body"]}
    for each in operation["parameters"]:
        if each["in"] == "body":
            content = {kind: {"schema": to_v3(each.get("schema") or {})} for kind in consumed}
            made["requestBody"] = {"content": content} | ({"required": True} if each.get("required") else {})
    made["responses"] = {code: _response_v3(answer, produced) for code, answer in operation["responses"].items()}
    return made


def _response_v3(answer: Document, produced: Iterable[str]) -> Document:
    described: Document = {"description": answer.get("description", "")}
    if "schema" in answer:
        described["content"] = {kind: {"schema": to_v3(answer["schema"])} for kind in produced}
    return described


def _parameter_v3(parameter: Document) -> Document:
    kept = {key: parameter[key] for key in ("name", "in", "description", "required") if key in parameter}
    return kept | {"schema": {key: parameter[key] for key in ("type", "uniqueItems", "format", "items") if key in parameter}}
