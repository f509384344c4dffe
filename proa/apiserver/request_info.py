"""From method and URL to what is asked: the table of URL shapes that Kubernetes clients use, with its special cases.

`/api/VERSION/...`, `/apis/GROUP/VERSION/...`, optional `namespaces/NS`, resource, name, subresource; the legacy prefixes watch and proxy;
`namespaces/NAME` is itself a resource, and `namespaces/NS/status|finalize` are its subresources, not resources of that namespace.
"""

import functools

from proa.api.errors import BadRequest
from proa.api.fields import parse_field_selector
from proa.apiserver.interface import RequestInfo
from proa.lib.http.message import Request

_VERBS = {"GET": "get", "HEAD": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
_LEGACY_PREFIXES = frozenset({"watch", "proxy"})
_SELECTING = frozenset({"list", "watch", "deletecollection"})
_NAMESPACE_SUBRESOURCES = frozenset({"status", "finalize"})


Query = dict[str, list[str]]
MEMORY = 4096
LONGEST_REMEMBERED = 256
"""Characters of a path."""


def request_info(request: Request) -> RequestInfo:
    """What `request` asks for; anything that is not below /api/VERSION or /apis/GROUP/VERSION is a non-resource request.

    Remembered by method and path: controllers and node agents ask for the same objects again and again."""
    if request.query or len(request.path) > LONGEST_REMEMBERED:
        return _read(request.method, request.path, request.query)
    return _remembered(request.method, request.path)


@functools.lru_cache(MEMORY)
def _remembered(method: str, path: str) -> RequestInfo:
    return _read(method, path, {})


def _read(method: str, path: str, query: Query) -> RequestInfo:
    parts = [part for part in path.split("/") if part]
    if len(parts) >= 3 and parts[0] == "api":
        group, version, rest = "", parts[1], parts[2:]
    elif len(parts) >= 4 and parts[0] == "apis":
        group, version, rest = parts[1], parts[2], parts[3:]
    else:
        return RequestInfo(method.lower(), path)
    return _resource_info(method, path, query, group, version, rest)


def _resource_info(method: str, path: str, query: Query, group: str, version: str, parts: list[str]) -> RequestInfo:
    verb = _VERBS.get(method, "")
    if parts[0] in _LEGACY_PREFIXES:
        if len(parts) < 2:
            return RequestInfo(method.lower(), path)
        verb = parts[0]
        parts = parts[1:]
    namespace = ""
    if parts[0] == "namespaces" and len(parts) > 1:
        namespace = parts[1]
        if len(parts) > 2 and parts[2] not in _NAMESPACE_SUBRESOURCES:
            parts = parts[2:]
    resource = parts[0]
    subresource = parts[2] if len(parts) > 2 and verb != "proxy" else ""
    name = parts[1] if len(parts) > 1 else ""
    fields = labels = ""
    if not name:
        verb, name, fields, labels = _collection_verb(query, verb)
    return RequestInfo(verb, path, True, group, version, resource, subresource, namespace, name, tuple(parts[3:]), fields, labels)


def _collection_verb(query: Query, verb: str) -> tuple[str, str, str, str]:
    """(verb, name, field selector, label selector) for a request without a name. A selector for one name names it."""
    selector = query["fieldSelector"][0] if query and "fieldSelector" in query else ""
    labels = query["labelSelector"][0] if query and "labelSelector" in query else ""
    if verb == "delete":
        return "deletecollection", "", selector, labels
    if verb not in ("get", "watch"):
        return verb, "", "", ""
    verb = "watch" if verb == "watch" or (query and is_true(query, "watch")) else "list"
    return verb, _selected_name(selector) if selector else "", selector, labels


def _selected_name(selector: str) -> str:
    try:
        name = parse_field_selector(selector).exact("metadata.name") or ""
    except BadRequest:
        return ""
    return name if "/" not in name else ""


def is_true(query: dict[str, list[str]], name: str) -> bool:
    """A boolean parameter as Go's conversion reads it: present and neither "false" nor "0"."""
    values = query.get(name)
    return values is not None and values[0].lower() not in ("false", "0")
