"""Random requests made likely: names and namespaces that exist, objects grafted onto a valid one, the media types and parameters in use.

Schemathesis draws from the published schema; alone, that is refused at the first check nearly always. So each drawn case is bent towards
something that the server has a reason to go on with, by further draws, which keeps a case reproducible.
"""

from typing import Any

import orjson
from hypothesis import strategies as st

from proa.lib.dataclass import dataclass

Object = dict[str, Any]
NAMESPACE = "fuzz"
NAMES = ("fuzz-a", "fuzz-b", "fuzz-c")
ODD_NAMES = ("none-such", "Upper", "a" * 254, "-", "a.b", "a%2Fb", "a:b")
JSON, YAML, PROTOBUF = "application/json", "application/yaml", "application/vnd.kubernetes.protobuf"
MERGE, STRATEGIC = "application/merge-patch+json", "application/strategic-merge-patch+json"
JSON_PATCH, APPLY = "application/json-patch+json", "application/apply-patch+yaml"
ASSIGNED = ("uid", "resourceVersion", "creationTimestamp", "generation", "deletionTimestamp", "deletionGracePeriodSeconds", "managedFields",
            "selfLink", "namespace", "name", "generateName", "ownerReferences")  # fmt: skip
PARAMETERS: dict[str, tuple[str, ...]] = {
    "dryRun": ("All", "All", "None"),
    "fieldValidation": ("Strict", "Warn", "Ignore", "Odd"),
    "fieldManager": ("m", "m" * 129, "\x7f"),
    "force": ("true", "false"),
    "labelSelector": ("app=fuzz", "app in (a,b),!c", "a==", "x" * 70, "app!=fuzz"),
    "fieldSelector": ("metadata.name=fuzz-a", "metadata.namespace!=x", "spec.nodeName=", "none=1", "status.phase=Running,metadata.name=x"),
    "limit": ("1", "2", "0", "-1", "x"),
    "continue": ("", "x", "eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MSwic3RhcnQiOiJhIn0"),
    "resourceVersion": ("0", "1", "", "x", "99999999999"),
    "resourceVersionMatch": ("Exact", "NotOlderThan", "Odd"),
    "sendInitialEvents": ("true", "false"),
    "allowWatchBookmarks": ("true",),
    "propagationPolicy": ("Orphan", "Background", "Foreground", "Odd"),
    "gracePeriodSeconds": ("0", "1", "-1"),
    "pretty": ("true",),
    "container": ("c",),
    "tailLines": ("1", "-1"),
    "path": ("x", "/"),
    "ports": ("80", "x"),
}
"""Values with a meaning, of parameters whose schema says no more than string or integer."""
ACCEPTS = (JSON, JSON, JSON, YAML, PROTOBUF, "*/*", "application/json;as=Table;g=meta.k8s.io;v=v1",
           "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1", "text/html", "application/cbor")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sent:
    """One request, as far as it is ours to choose."""

    method: str
    path_parameters: Object
    query: Object
    body: bytes | None
    content_type: str
    accept: str


@dataclass(frozen=True, slots=True)
class Ground:
    """What an operation has to go on: the object that exists at `names`, as it is read there; empty for a kind without one."""

    seed: Object
    names: tuple[str, ...]


def graft(draw: st.DrawFn, stock: Any, scion: Any) -> Any:
    """The stock with some of the scion's values in the place of its own."""
    if not isinstance(stock, dict) or not isinstance(scion, dict):
        return scion if draw(st.booleans()) else stock
    grown = dict(stock)
    for key, value in scion.items():
        fate = draw(st.integers(0, 3))
        if fate == 0:
            grown[key] = value
        elif fate == 1 and key in grown:
            grown[key] = graft(draw, grown[key], value)
    return grown


def pointers(value: Any, prefix: str = "") -> list[str]:
    """The JSON pointers of everything in a document."""
    found = [prefix]
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in items:
        found += pointers(each, f"{prefix}/{str(key).replace('~', '~0').replace('/', '~1')}")
    return found


def named(draw: st.DrawFn, obj: Any, ground: Ground, name: str) -> Any:
    """Mostly without what the server assigns, and with a name that fits the URL's."""
    if not isinstance(obj, dict) or draw(st.integers(0, 9)) == 0:
        return obj
    metadata = obj.get("metadata")
    kept = dict(metadata) if isinstance(metadata, dict) else {}
    for key in ASSIGNED:
        if key in kept and draw(st.integers(0, 7)):
            del kept[key]
    if name:
        kept["name"] = name
    elif ground.names and ground.names != NAMES:
        kept["name"] = ground.names[0]
    elif draw(st.booleans()):
        kept["generateName"] = "fuzz-"
    else:
        kept["name"] = draw(st.sampled_from(NAMES))
    return {**obj, "metadata": kept}


def operations(draw: st.DrawFn, seed: Object, scion: Any) -> list[Any]:
    """A JSON patch of a few steps on what is there."""
    places = pointers(seed)
    values = [scion, *(scion.values() if isinstance(scion, dict) else ()), None, 1, "x", [], {}]
    made: list[Any] = []
    for _ in range(draw(st.integers(0, 4))):
        kind = draw(st.sampled_from(("add", "replace", "remove", "copy", "move", "test", "odd")))
        step = {"op": kind, "path": draw(st.sampled_from(places)) + draw(st.sampled_from(("", "", "/x", "/-", "/0")))}
        if kind in ("copy", "move"):
            step["from"] = draw(st.sampled_from(places))
        elif kind != "remove":
            step["value"] = draw(st.sampled_from(values))
        made.append(step)
    return made


DIRECTIVES: tuple[Object, ...] = (
    {"$patch": "replace"}, {"$patch": "delete"}, {"$patch": "odd"}, {"$retainKeys": ["name"]},
    {"$setElementOrder/containers": [{"name": "c"}]}, {"$deleteFromPrimitiveList/finalizers": ["x"]},
)  # fmt: skip


def encoded(draw: st.DrawFn, body: Any, content_type: str) -> bytes:
    if content_type == PROTOBUF and not isinstance(body, bytes):
        return b"k8s\0" + draw(st.binary(max_size=64))
    if isinstance(body, bytes):
        return body
    if not isinstance(body, (dict, list, str, int, float, bool, type(None))):
        return b""
    try:
        return orjson.dumps(body)
    except TypeError:
        return repr(body).encode("utf-8", "replace")


def patch(draw: st.DrawFn, ground: Ground, scion: Any, name: str, query: Object) -> tuple[Any, str]:
    """(body, media type) of one of the four kinds of patch."""
    kind = draw(st.sampled_from((MERGE, STRATEGIC, JSON_PATCH, APPLY)))
    if draw(st.integers(0, 9)) == 0:
        return scion, kind
    if kind == JSON_PATCH:
        return operations(draw, ground.seed, scion), kind
    if kind == APPLY:
        query.setdefault("fieldManager", draw(st.sampled_from(("m", "n"))))
        whole = named(draw, graft(draw, ground.seed, scion), ground, name)
        return whole, kind
    body = named(draw, scion, ground, name) if draw(st.booleans()) else graft(draw, {}, scion)
    if kind == STRATEGIC and isinstance(body, dict) and draw(st.booleans()):
        body = {**body, **draw(st.sampled_from(DIRECTIVES))}
        if isinstance(body.get("spec"), dict):
            body["spec"] = {**body["spec"], **draw(st.sampled_from(DIRECTIVES))}
    return body, kind


def steered(draw: st.DrawFn, case: Any, ground: Ground, parameters: frozenset[str], scion: Any) -> Sent:
    """`scion` is a random object of the operation's kind, for patches, whose own schema says only that they are objects."""
    method = case.method.upper()
    path = dict(case.path_parameters or {})
    if "namespace" in path and draw(st.integers(0, 9)):
        path["namespace"] = draw(st.sampled_from((NAMESPACE, NAMESPACE, NAMESPACE, "default", "none-such")))
    name = ""
    if "name" in path and draw(st.integers(0, 9)):
        name = draw(st.sampled_from((*ground.names * 4, *ODD_NAMES)) if ground.names else st.sampled_from(ODD_NAMES))
        path["name"] = name
    query = dict(case.query or {}) if draw(st.integers(0, 3)) == 0 else {}
    for parameter in sorted(parameters & PARAMETERS.keys()):
        if draw(st.integers(0, 5)) == 0:
            query[parameter] = draw(st.sampled_from(PARAMETERS[parameter]))
    body: Any = None
    content_type = ""
    generated = getattr(case, "body", None)
    if method == "PATCH" and scion is not None:
        body, content_type = patch(draw, ground, scion, name, query)
    elif method in ("POST", "PUT", "PATCH") or (method == "DELETE" and isinstance(generated, (dict, list, str))):
        body = generated
        content_type = draw(st.sampled_from((JSON, JSON, JSON, JSON, YAML, YAML, PROTOBUF, "", "text/plain", "application/cbor")))
        if method != "DELETE" and draw(st.integers(0, 5)):
            body = named(draw, graft(draw, ground.seed, body), ground, name)
    data = None if body is None else encoded(draw, body, content_type)
    return Sent(method, path, query, data, content_type, draw(st.sampled_from(ACCEPTS)))
