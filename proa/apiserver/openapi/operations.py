"""What the server can be asked, as plain values: one `Operation` per path and method, made from the served resources.

Both OpenAPI versions are renderings of these.
"""

from collections.abc import Iterable, Iterator

from proa.api.resource import Resource, Subresource
from proa.apiserver.discovery.groups import by_group
from proa.apiserver.openapi.parameters import BELOW_PROXY, BY_ACTION, BY_SUBRESOURCE
from proa.lib.dataclass import dataclass

STATUS = "io.k8s.apimachinery.pkg.apis.meta.v1.Status"
PATCH = "io.k8s.apimachinery.pkg.apis.meta.v1.Patch"
DELETE_OPTIONS = "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions"
_META, _VERSION_INFO = "io.k8s.apimachinery.pkg.apis.meta.v1", "io.k8s.apimachinery.pkg.version.Info"
WATCH_EVENT = f"{_META}.WatchEvent"
TEXT = "string"
"""As a response: plain text, not an object."""

_CONNECT = ("attach", "exec", "portforward", "proxy")
_PREFIX = {
    "get": "read",
    "list": "list",
    "post": "create",
    "put": "replace",
    "patch": "patch",
    "delete": "delete",
    "deletecollection": "delete",
    "watch": "watch",
    "watchlist": "watch",
}
_DESCRIPTIONS = {
    "get": "read the specified {kind}",
    "list": "list or watch objects of kind {kind}",
    "post": "create {kind}",
    "put": "replace the specified {kind}",
    "patch": "partially update the specified {kind}",
    "delete": "delete {kind}",
    "deletecollection": "delete collection of {kind}",
    "watch": "watch changes to an object of kind {kind}. deprecated: use the 'watch' parameter with a list operation instead, "
    "filtered to a single item with the 'fieldSelector' parameter.",
    "watchlist": "watch individual changes to a list of {kind}. deprecated: use the 'watch' parameter with a list operation instead.",
}
_METHODS = {
    "watch": "get",
    "watchlist": "get",
    "get": "get",
    "list": "get",
    "post": "post",
    "put": "put",
    "patch": "patch",
    "delete": "delete",
    "deletecollection": "delete",
}
_ITEM_ACTIONS = (("get", "get"), ("update", "put"), ("delete", "delete"), ("patch", "patch"))
_COLLECTION_ACTIONS = (("list", "list"), ("create", "post"), ("deletecollection", "deletecollection"))
_ANSWERS = {"post": ("200", "201", "202"), "put": ("200", "201"), "patch": ("200", "201"), "delete": ("200", "202")}
_DELETED_IS_ANSWERED = {
    ("", "persistentvolumeclaims"), ("", "persistentvolumes"), ("", "pods"), ("", "podtemplates"), ("", "resourcequotas"),
    ("", "serviceaccounts"), ("", "services"), ("storage.k8s.io", "csidrivers"), ("storage.k8s.io", "csinodes"),
    ("storage.k8s.io", "storageclasses"), ("storage.k8s.io", "volumeattachments"), ("storage.k8s.io", "volumeattributesclasses"),
}  # fmt: skip
"""Resources whose DELETE answers with the object instead of a Status."""


@dataclass(frozen=True, slots=True)
class Kind:
    group: str
    version: str
    kind: str


@dataclass(frozen=True, slots=True)
class Operation:
    """`request` and `response` name definitions, "" for none. `builtin` tells apart what takes strategic merge patches.

    `kind` and `action` are absent from what is not about a resource (discovery)."""

    path: str
    method: str
    action: str
    id: str
    tag: str
    kind: Kind | None
    path_parameters: tuple[str, ...]
    query: tuple[str, ...]
    request: str
    response: str
    codes: tuple[str, ...]
    description: str
    builtin: bool


def operations_by_document(resources: Iterable[Resource]) -> dict[str, list[Operation]]:
    """Operations by the path of the v3 document that holds them: "api", "api/v1", "apis", "apis/apps", "apis/apps/v1", "version"."""
    documents: dict[str, list[Operation]] = {
        "api": [_discovery("/api/", "getCoreAPIVersions", "core", f"{_META}.APIVersions")],
        "apis": [_discovery("/apis/", "getAPIVersions", "apis", f"{_META}.APIGroupList")],
        "version": [_discovery("/version/", "getCodeVersion", "version", _VERSION_INFO)],
    }
    for group, versions in by_group(resources).items():
        title = "".join(_capital(word) for word in _words(group))
        if group:
            discovery = _discovery(f"/apis/{group}/", f"get{title}APIGroup", _tag(group), f"{_META}.APIGroup")
            documents[f"apis/{group}"] = [discovery]
        for version, served in versions.items():
            path = f"apis/{group}/{version}" if group else f"api/{version}"
            name = f"get{title}{_capital(version)}APIResources"
            listing = _discovery(f"/{path}/", name, f"{_tag(group)}_{version}", f"{_META}.APIResourceList")
            documents[path] = [listing, *operations(served)]
    return documents


def _discovery(path: str, operation_id: str, tag: str, response: str) -> Operation:
    return Operation(path, "get", "", operation_id, tag, None, (), (), "", response, ("200",), "discovery", True)


def operations(resources: Iterable[Resource]) -> Iterator[Operation]:
    for resource in resources:
        yield from _resource_operations(resource)
        for name in sorted(resource.subresources):
            yield from _subresource_operations(resource, resource.subresources[name])


def _resource_operations(resource: Resource) -> Iterator[Operation]:
    collection = _collection(resource)
    for verb, action in _COLLECTION_ACTIONS:
        if verb in resource.verbs:
            yield _operation(resource, action, collection)
    for verb, action in _ITEM_ACTIONS:
        if verb in resource.verbs:
            yield _operation(resource, action, f"{collection}/{{name}}")
    if resource.id.namespaced and "list" in resource.verbs:
        yield _operation(resource, "list", f"{_base(resource)}/{resource.id.plural}", everywhere=True)
    if "watch" in resource.verbs:
        yield from _watch_operations(resource)


def _watch_operations(resource: Resource) -> Iterator[Operation]:
    """The deprecated paths, which client generators still look for."""
    below = f"{_base(resource)}/watch"
    collection = below + _collection(resource).removeprefix(_base(resource))
    yield _operation(resource, "watchlist", collection)
    yield _operation(resource, "watch", f"{collection}/{{name}}")
    if resource.id.namespaced:
        yield _operation(resource, "watchlist", f"{below}/{resource.id.plural}", everywhere=True)


def _base(resource: Resource) -> str:
    return f"/apis/{resource.id.group}/{resource.id.version}" if resource.id.group else f"/api/{resource.id.version}"


def _collection(resource: Resource) -> str:
    namespace = "/namespaces/{namespace}" if resource.id.namespaced else ""
    return f"{_base(resource)}{namespace}/{resource.id.plural}"


def _operation(resource: Resource, action: str, path: str, *, everywhere: bool = False) -> Operation:
    own = resource.id
    scope = "Namespaced" if own.namespaced and not everywhere else ""
    collection = "Collection" if action == "deletecollection" else ""
    many = "List" if action == "watchlist" else ""
    operation_id = f"{_PREFIX[action]}{_title(resource)}{collection}{scope}{own.kind}{many}{'ForAllNamespaces' if everywhere else ''}"
    return Operation(
        path, _METHODS[action], action, operation_id, _version_tag(resource), Kind(own.group, own.version, own.kind),
         _path_parameters(path),
        BY_ACTION[action], _request(action, resource.definition), _response(resource, action), _ANSWERS.get(action, ("200",)),
        _DESCRIPTIONS[action].format(kind=own.kind), _is_builtin(resource),
    )  # fmt: skip


def _request(action: str, definition: str) -> str:
    return {"post": definition, "put": definition, "patch": PATCH, "delete": DELETE_OPTIONS, "deletecollection": DELETE_OPTIONS}.get(
        action, ""
    )


def _response(resource: Resource, action: str) -> str:
    if action in ("watch", "watchlist"):
        return WATCH_EVENT
    if action == "list":
        return f"{resource.definition}List"
    if action == "deletecollection":
        return STATUS
    if action == "delete" and (resource.id.group, resource.id.plural) not in _DELETED_IS_ANSWERED:
        return STATUS
    return resource.definition


def _subresource_operations(resource: Resource, subresource: Subresource) -> Iterator[Operation]:
    path = f"{_collection(resource)}/{{name}}/{subresource.name}"
    if subresource.name in _CONNECT:
        methods = ("get", "post") if subresource.name != "proxy" else ("get", "post", "put", "patch", "delete")
        for below in (path, f"{path}/{{path}}") if subresource.name == "proxy" else (path,):
            for method in methods:
                yield _subresource_operation(resource, subresource, below, method, "connect")
        return
    for verb, action in (*_ITEM_ACTIONS, ("create", "post")):
        if verb in subresource.verbs:
            yield _subresource_operation(resource, subresource, path, action, action)


def _subresource_operation(resource: Resource, subresource: Subresource, path: str, method: str, action: str) -> Operation:
    own = resource.id
    group, version = (subresource.group, subresource.version) if subresource.version else (own.group, own.version)
    scope = "Namespaced" if own.namespaced else ""
    prefix = f"connect{_title(resource)}{method.title()}" if action == "connect" else f"{_PREFIX[action]}{_title(resource)}"
    suffix = "WithPath" if path.endswith("/{path}") else ""
    definition = _subresource_definition(resource, subresource)
    is_text = action == "connect" or subresource.name == "log"
    query = BY_SUBRESOURCE.get((own.plural, subresource.name), ())
    return Operation(
        path, method, action, f"{prefix}{scope}{own.kind}{subresource.name.title()}{suffix}", _version_tag(resource), Kind(group, version,
         subresource.kind),
        _path_parameters(path), (*BY_ACTION[action], *query), "" if is_text else _request(action, definition),
         TEXT if is_text else definition,
        _ANSWERS.get(action, ("200",)), f"{action} {subresource.name} of {own.kind}", _is_builtin(resource),
    )  # fmt: skip


def _subresource_definition(resource: Resource, subresource: Subresource) -> str:
    if subresource.kind == resource.id.kind and not subresource.version:
        return resource.definition
    package = (subresource.group or "core").removesuffix(".k8s.io").split(".")[0]
    version = subresource.version or resource.id.version
    return f"io.k8s.api.{package}.{version}.{subresource.kind}"


def _path_parameters(path: str) -> tuple[str, ...]:
    named = tuple(name for name in ("namespace", "name") if f"{{{name}}}" in path)
    return (*named, BELOW_PROXY) if path.endswith("/{path}") else named


def _words(group: str) -> list[str]:
    return (group or "core").removesuffix(".k8s.io").split(".")


def _title(resource: Resource) -> str:
    return "".join(_capital(word) for word in (*_words(resource.id.group), resource.id.version))


def _capital(word: str) -> str:
    return word[:1].upper() + word[1:]


def _tag(group: str) -> str:
    first, *rest = _words(group)
    return f"{first}{''.join(_capital(word) for word in rest)}"


def _version_tag(resource: Resource) -> str:
    return f"{_tag(resource.id.group)}_{resource.id.version}"


def _is_builtin(resource: Resource) -> bool:
    return resource.definition.startswith("io.k8s.")
