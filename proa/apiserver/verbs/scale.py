"""The `scale` subresource: autoscaling/v1 Scale as a window onto a resource's replicas, which of its fields these may be.

`Window` is what differs: workloads have spec.replicas and a selector, custom resources what the paths of their definition name.
"""

from dataclasses import replace
from typing import Protocol

from proa.api.errors import ApplyConflict, BadRequest, Invalid, UnsupportedMediaType, invalid
from proa.api.labels import selector_from_object, selector_from_set
from proa.api.meta import Object
from proa.apiserver.call import Call
from proa.apiserver.decode import check_type, media_type, parse_body
from proa.apiserver.options import WriteOptions, user_agent_manager, write_options
from proa.apiserver.verbs.applied import APPLY_PATCH
from proa.apiserver.verbs.change import Build, ObjectChange, copy_of
from proa.apiserver.verbs.own_kind import SCALE, checked, decode_own
from proa.apiserver.verbs.patch import JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH, check_patched, decode_patch, patch_function
from proa.apiserver.verbs.update import check_identity
from proa.lib.http.message import Response

API_VERSION = "autoscaling/v1"
_STATED = ("name", "namespace", "uid", "resourceVersion")
_METADATA = (*_STATED, "creationTimestamp")


class Window(Protocol):
    """How one resource shows its replicas and takes them."""

    patches: tuple[str, ...]
    """The media types of PATCH that it knows."""

    def shown(self, obj: Object, *, to_be_patched: bool) -> tuple[Object, Object]:
        """`spec` and `status` of the Scale."""
        ...

    def replicas(self, scale: Object) -> int | None:
        """What a client's Scale wants, None where it says nothing. Raises ApiError."""
        ...

    def put(self, obj: Object, replicas: int) -> None:
        """Raises ApiError."""
        ...


class _Workload:
    patches: tuple[str, ...] = (JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH, APPLY_PATCH)

    def shown(self, obj: Object, *, to_be_patched: bool) -> tuple[Object, Object]:
        spec, status = obj.get("spec") or {}, obj.get("status") or {}
        selector = spec.get("selector") or {}
        chosen = selector_from_set(selector) if obj["kind"] == "ReplicationController" else selector_from_object(selector)
        shown: Object = {"replicas": status.get("replicas", 0)}
        if text := str(chosen):
            shown["selector"] = text
        return {"replicas": spec["replicas"]} if spec.get("replicas") else {}, shown

    def replicas(self, scale: Object) -> int | None:
        replicas: int | None = (scale.get("spec") or {}).get("replicas")
        if replicas is not None and replicas < 0:
            cause = invalid("spec.replicas", replicas, "must be greater than or equal to 0")
            raise Invalid.of("autoscaling", "Scale", scale["metadata"].get("name", ""), [cause])
        return replicas

    def put(self, obj: Object, replicas: int) -> None:
        obj.setdefault("spec", {})["replicas"] = replicas


WORKLOAD: Window = _Workload()


def scale_of(obj: Object, window: Window, *, to_be_patched: bool = False) -> Object:
    metadata = {key: obj["metadata"][key] for key in _METADATA if key in obj["metadata"]}
    spec, status = window.shown(obj, to_be_patched=to_be_patched)
    return {"kind": "Scale", "apiVersion": API_VERSION, "metadata": metadata, "spec": spec, "status": status}


async def get_scale(call: Call) -> Response:
    return call.object_response(scale_of(await stored(call), WORKLOAD), tabular=False)


async def stored(call: Call) -> Object:
    """Raises NotFound."""
    entry = await call.served.objects.get(call.key)
    if entry is None:
        raise call.served.missing(call.info.name)
    return call.served.decode(entry)


async def update_scale(call: Call, window: Window = WORKLOAD) -> Response:
    options = write_options(call.request, "UpdateOptions")
    wanted = decode_own(call, SCALE, API_VERSION, options.field_validation)
    check_identity(call, wanted)
    return await _change(call, window, options, lambda live: _scaled(live, wanted, window), "UpdateOptions")


async def patch_scale(call: Call, window: Window = WORKLOAD) -> Response:
    kind = media_type(call.request.headers.get("content-type", ""))
    if kind not in window.patches:
        listed = ", ".join(window.patches)
        raise UnsupportedMediaType(f"the body of the request was in an unknown format - accepted media types include: {listed}")
    if kind == APPLY_PATCH:
        return await _apply(call, window)
    options = write_options(call.request, "PatchOptions")
    document = decode_patch(call.request.body, kind, options.field_validation)
    transform = patch_function(MERGE_PATCH if kind == STRATEGIC_PATCH else kind, document.value, call)

    def build(live: Object) -> Object:
        patched = transform(copy_of(scale_of(live, window, to_be_patched=True)))
        wanted = check_type(patched, API_VERSION, "Scale")
        shown = document.value if kind == STRATEGIC_PATCH else wanted
        check_patched(call, wanted, call.server.decoder_of(SCALE), document.duplicates, options.field_validation, shown)
        check_identity(call, wanted)
        return _scaled(live, wanted, window)

    return await _change(call, window, options, build, "PatchOptions")


def _scaled(live: Object, scale: Object, window: Window) -> Object:
    """A copy of the resource with the Scale's replicas and preconditions. Raises ApiError."""
    replicas = window.replicas(scale) or 0
    new = copy_of(live)
    window.put(new, replicas)
    for field in ("uid", "resourceVersion"):
        if scale["metadata"].get(field):
            new["metadata"][field] = scale["metadata"][field]
        else:
            new["metadata"].pop(field, None)
    return new


async def _apply(call: Call, window: Window) -> Response:
    """Server-side apply of a Scale: the manager comes to own the resource's field of replicas, under this subresource."""
    options = write_options(call.request, "PatchOptions", is_apply=True)
    parsed = parse_body(call.request.body, APPLY_PATCH, also_yaml=True)
    scale = checked(call, parsed.value, SCALE, API_VERSION, options.field_validation, parsed.duplicates)
    if scale["metadata"].get("managedFields"):
        raise BadRequest("metadata.managedFields must be nil")
    scale["metadata"].setdefault("name", call.info.name)
    check_identity(call, scale)
    replicas, identity = window.replicas(scale), call.served.resource.id
    stated = {key: scale["metadata"][key] for key in _STATED if scale["metadata"].get(key)}
    config: Object = {"apiVersion": identity.api_version, "kind": identity.kind, "metadata": stated}
    if replicas is not None:
        window.put(config, replicas)

    def build(live: Object) -> Object:
        managers, now, force = call.server.field_managers, call.now(), bool(options.force)
        try:
            return managers.apply(call.served, live, copy_of(config), options.field_manager, now, "scale", force=force)
        except ApplyConflict as conflict:
            raise _in_terms_of_scale(conflict, identity.api_version) from None

    return await _change(call, window, options, build, "PatchOptions", manager="")


def _in_terms_of_scale(conflict: ApplyConflict, api_version: str) -> ApplyConflict:
    """Who set the replicas in whatever way did it, for this client, to a Scale."""
    using, shown = f"using {api_version}", f"using {API_VERSION}"
    causes = [cause | {"message": cause["message"].replace(using, shown)} for cause in conflict.details["causes"]]
    return ApplyConflict(conflict.message.replace(using, shown), {"causes": causes})


async def _change(call: Call, window: Window, options: WriteOptions, build: Build, kind: str, manager: str | None = None) -> Response:
    if manager is None:
        manager = options.field_manager or user_agent_manager(call.request)
    strategy = call.served.resource.strategy
    change = ObjectChange(call, replace(options), strategy, build, manager, kind, "scale", needs_version=False)
    result = await change.run(call.key, call.info.name)
    obj = result if isinstance(result, dict) else call.served.decode(result)
    return call.object_response(scale_of(obj, window), tabular=False)
