"""The `scale` subresource of custom resources: autoscaling/v1 Scale over the paths that the definition names."""

from collections.abc import Awaitable, Callable
from typing import Any

from proa.api.errors import ApiError, BadRequest, InternalError, UnsupportedMediaType
from proa.api.meta import Object
from proa.api.strict_json import decode_json
from proa.apiserver.call import Call
from proa.apiserver.crd.scale_values import put, read
from proa.apiserver.decode import media_type, parse_body
from proa.apiserver.failure import method_not_allowed
from proa.apiserver.options import WriteOptions, user_agent_manager, write_options
from proa.apiserver.verbs.applied import APPLY_PATCH
from proa.apiserver.verbs.change import Build, ObjectChange, copy_of
from proa.apiserver.verbs.own_kind import SCALE, checked, decode_own
from proa.apiserver.verbs.patch import JSON_PATCH, MERGE_PATCH, patch_function
from proa.apiserver.verbs.update import check_identity
from proa.lib.http.message import Response

API_VERSION = "autoscaling/v1"
ACCEPTED = (JSON_PATCH, MERGE_PATCH, APPLY_PATCH)
UNSET = -(2**31)
"""What a patch finds as replicas where the resource names none, and has to replace."""
_METADATA = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
_STATED = ("name", "namespace", "uid", "resourceVersion")


async def serve_scale(call: Call) -> Response:
    """Every verb on NAME/scale."""
    if "scale" not in call.served.resource.subresources:
        raise call.served.missing(call.info.name)
    verbs: dict[str, Callable[[Call], Awaitable[Response]]] = {"get": _get, "update": _update, "patch": _patch}
    verb = verbs.get(call.info.verb)
    return method_not_allowed() if verb is None else await verb(call)


def _paths(call: Call) -> Object:
    strategy: Any = call.served.resource.strategy
    paths: Object = strategy.scale
    return paths


def scale_of(obj: Object, paths: Object) -> Object:
    """Raises ApiError where the paths lead to something of another type."""
    try:
        replicas, shown = read(obj, paths["specReplicasPath"], int), read(obj, paths["statusReplicasPath"], int)
        selector = read(obj, paths["labelSelectorPath"], str) if paths.get("labelSelectorPath") else None
    except ValueError as error:
        raise ApiError(str(error), code=500, reason="") from None
    return {
        "kind": "Scale",
        "apiVersion": API_VERSION,
        "metadata": {key: obj["metadata"][key] for key in _METADATA if key in obj["metadata"]},
        "spec": {"replicas": replicas} if replicas else {},
        "status": {"replicas": shown or 0, **({"selector": selector} if selector else {})},
    }


async def _get(call: Call) -> Response:
    entry = await call.served.objects.get(call.key)
    if entry is None:
        raise call.served.missing(call.info.name)
    obj, paths = call.served.decode(entry), _paths(call)
    scale = scale_of(obj, paths)
    if read(obj, paths["specReplicasPath"], int) is None:
        raise InternalError.of(f'the spec replicas field "{paths["specReplicasPath"]}" does not exist')
    return call.object_response(scale, tabular=False)


async def _update(call: Call) -> Response:
    options = write_options(call.request, "UpdateOptions")
    wanted = decode_own(call, SCALE, API_VERSION, options.field_validation)
    check_identity(call, wanted)
    return await _change(call, options, lambda live: scaled(live, wanted, _paths(call)), "UpdateOptions")


async def _patch(call: Call) -> Response:
    kind = media_type(call.request.headers.get("content-type", ""))
    if kind not in ACCEPTED:
        listed = ", ".join(ACCEPTED)
        raise UnsupportedMediaType(f"the body of the request was in an unknown format - accepted media types include: {listed}")
    if kind == APPLY_PATCH:
        return await _apply(call)
    options, paths = write_options(call.request, "PatchOptions"), _paths(call)
    document = decode_json(call.request.body)
    transform = patch_function(kind, document.value, call)

    def build(live: Object) -> Object:
        shown = scale_of(live, paths)
        shown["spec"].setdefault("replicas", UNSET if read(live, paths["specReplicasPath"], int) is None else 0)
        wanted = checked(call, transform(shown), SCALE, API_VERSION, options.field_validation, document.duplicates)
        check_identity(call, wanted)
        return scaled(live, wanted, paths)

    return await _change(call, options, build, "PatchOptions")


def scaled(live: Object, scale: Object, paths: Object) -> Object:
    """A copy of the resource with the Scale's replicas and preconditions. Raises BadRequest."""
    replicas = (scale.get("spec") or {}).get("replicas") or 0
    if replicas == UNSET:
        raise BadRequest(f'the spec replicas field "{paths["specReplicasPath"]}" cannot be empty')
    new = copy_of(live)
    try:
        put(new, paths["specReplicasPath"], replicas)
    except ValueError as error:
        raise ApiError(str(error), code=500, reason="") from None
    for field in ("uid", "resourceVersion"):
        if scale["metadata"].get(field):
            new["metadata"][field] = scale["metadata"][field]
        else:
            new["metadata"].pop(field, None)
    return new


async def _apply(call: Call) -> Response:
    """Server-side apply of a Scale: the manager comes to own the field of replicas, under this subresource."""
    options, paths = write_options(call.request, "PatchOptions", is_apply=True), _paths(call)
    parsed = parse_body(call.request.body, APPLY_PATCH, also_yaml=True)
    scale = checked(call, parsed.value, SCALE, API_VERSION, options.field_validation, parsed.duplicates)
    if scale["metadata"].get("managedFields"):
        raise BadRequest("metadata.managedFields must be nil")
    scale["metadata"].setdefault("name", call.info.name)
    check_identity(call, scale)
    identity = call.served.resource.id
    stated = {key: scale["metadata"][key] for key in _STATED if scale["metadata"].get(key)}
    config: Object = {"apiVersion": identity.api_version, "kind": identity.kind, "metadata": stated}
    if (replicas := (scale.get("spec") or {}).get("replicas")) is not None:
        put(config, paths["specReplicasPath"], replicas)

    def build(live: Object) -> Object:
        managers, now, force = call.server.field_managers, call.now(), bool(options.force)
        return managers.apply(call.served, live, copy_of(config), options.field_manager, now, "scale", force=force)

    return await _change(call, options, build, "PatchOptions", manager="")


async def _change(call: Call, options: WriteOptions, build: Build, kind: str, manager: str | None = None) -> Response:
    if manager is None:
        manager = options.field_manager or user_agent_manager(call.request)
    change = ObjectChange(
        call, options, call.served.resource.strategy, build, manager, kind, "scale", needs_version=False
    )  # fmt: skip
    result = await change.run(call.key, call.info.name)
    obj = result if isinstance(result, dict) else call.served.decode(result)
    return call.object_response(scale_of(obj, _paths(call)), tabular=False)
