"""The `scale` subresource of custom resources: autoscaling/v1 Scale over the paths that the definition names."""

from collections.abc import Awaitable, Callable
from typing import Any

from proa.api.errors import ApiError, BadRequest, Invalid, UnsupportedMediaType, invalid
from proa.api.meta import Object
from proa.api.strict_json import decode_json
from proa.apiserver.call import Call
from proa.apiserver.decode import check_type, media_type, parse_body
from proa.apiserver.failure import method_not_allowed, page_not_found
from proa.apiserver.options import WriteOptions, user_agent_manager, write_options
from proa.apiserver.verbs.change import Build, ObjectChange, copy_of
from proa.apiserver.verbs.patch import ACCEPTED, JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH, patch_function
from proa.apiserver.verbs.update import check_identity
from proa.lib.http.message import Response

API_VERSION = "autoscaling/v1"
_METADATA = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")


async def serve_scale(call: Call) -> Response:
    """Every verb on NAME/scale."""
    if "scale" not in call.served.resource.subresources:
        return page_not_found()
    verbs: dict[str, Callable[[Call], Awaitable[Response]]] = {"get": _get, "update": _update, "patch": _patch}
    verb = verbs.get(call.info.verb)
    return method_not_allowed() if verb is None else await verb(call)


def _paths(call: Call) -> Object:
    strategy: Any = call.served.resource.strategy
    paths: Object = strategy.scale
    return paths


def at(obj: Object, path: str) -> Any:
    value: Any = obj
    for name in path.removeprefix(".").split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def put(obj: Object, path: str, value: Any) -> None:
    *parents, last = path.removeprefix(".").split(".")
    for name in parents:
        obj = obj.setdefault(name, {})
    obj[last] = value


def scale_of(obj: Object, paths: Object) -> Object:
    """Raises ApiError where the paths lead to something that is no number."""
    found = {field: at(obj, paths[field]) for field in ("specReplicasPath", "statusReplicasPath")}
    for field, value in found.items():
        if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
            raise ApiError(f"unexpected type for {paths[field]}: it must be an integer", code=500, reason="InternalError")
    if found["specReplicasPath"] is None:
        raise ApiError(f"the spec replicas field {paths['specReplicasPath']!r} does not exist", code=500, reason="InternalError")
    status: Object = {"replicas": found["statusReplicasPath"] or 0}
    selector = at(obj, paths["labelSelectorPath"]) if paths.get("labelSelectorPath") else None
    if selector:
        status["selector"] = str(selector)
    return {
        "kind": "Scale",
        "apiVersion": API_VERSION,
        "metadata": {key: obj["metadata"][key] for key in _METADATA if key in obj["metadata"]},
        "spec": {"replicas": found["specReplicasPath"]} if found["specReplicasPath"] else {},
        "status": status,
    }


async def _get(call: Call) -> Response:
    entry = await call.served.objects.get(call.key)
    if entry is None:
        raise call.served.missing(call.info.name)
    return call.object_response(scale_of(call.served.decode(entry), _paths(call)), tabular=False)


async def _update(call: Call) -> Response:
    options = write_options(call.request, "UpdateOptions")
    parsed = parse_body(call.request.body, call.request.headers.get("content-type", ""))
    wanted = check_type(parsed.value, API_VERSION, "Scale")
    check_identity(call, wanted)
    return await _change(call, options, lambda live: scaled(live, wanted, _paths(call)), "UpdateOptions")


async def _patch(call: Call) -> Response:
    kind = media_type(call.request.headers.get("content-type", ""))
    if kind not in (JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH):
        raise UnsupportedMediaType(f"the body of the request was in an unknown format - accepted media types include: {ACCEPTED}")
    options = write_options(call.request, "PatchOptions")
    transform = patch_function(MERGE_PATCH if kind == STRATEGIC_PATCH else kind, decode_json(call.request.body).value, call)

    def build(live: Object) -> Object:
        # The first scaling of a resource that names no count yet starts from none.
        shown = copy_of(live)
        if at(shown, _paths(call)["specReplicasPath"]) is None:
            put(shown, _paths(call)["specReplicasPath"], 0)
        wanted = check_type(transform(scale_of(shown, _paths(call))), API_VERSION, "Scale")
        check_identity(call, wanted)
        return scaled(live, wanted, _paths(call))

    return await _change(call, options, build, "PatchOptions")


def scaled(live: Object, scale: Object, paths: Object) -> Object:
    """A copy of the resource with the Scale's replicas and preconditions. Raises Invalid, BadRequest."""
    replicas = (scale.get("spec") or {}).get("replicas") or 0
    if type(replicas) is not int:
        raise BadRequest('Scale in version "v1" cannot be handled as a Scale: spec.replicas must be an integer')
    if replicas < 0:
        name = scale["metadata"].get("name", "")
        raise Invalid.of("autoscaling", "Scale", name, [invalid("spec.replicas", replicas, "must be greater than or equal to 0")])
    new = copy_of(live)
    put(new, paths["specReplicasPath"], replicas)
    for field in ("uid", "resourceVersion"):
        if scale["metadata"].get(field):
            new["metadata"][field] = scale["metadata"][field]
        else:
            new["metadata"].pop(field, None)
    return new


async def _change(call: Call, options: WriteOptions, build: Build, kind: str) -> Response:
    manager = options.field_manager or user_agent_manager(call.request)
    change = ObjectChange(
        call, options, call.served.resource.strategy, build, manager, kind, "scale", needs_version=False
    )  # fmt: skip
    result = await change.run(call.key, call.info.name)
    obj = result if isinstance(result, dict) else call.served.decode(result)
    return call.object_response(scale_of(obj, _paths(call)), tabular=False)
