"""The `scale` subresource of workloads: autoscaling/v1 Scale as a window onto spec.replicas, status.replicas and the selector."""

from dataclasses import replace
from typing import Any

from proa.api.errors import BadRequest, Invalid, UnsupportedMediaType, invalid
from proa.api.labels import selector_from_object, selector_from_set
from proa.api.meta import Object
from proa.api.strict_json import decode_json
from proa.apiserver.call import Call
from proa.apiserver.decode import check_type, media_type, parse_body
from proa.apiserver.options import WriteOptions, user_agent_manager, write_options
from proa.apiserver.verbs.change import Build, ObjectChange, copy_of
from proa.apiserver.verbs.patch import ACCEPTED, JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH, patch_function
from proa.apiserver.verbs.update import check_identity
from proa.lib.http.message import Response
from proa.storage.interface import Entry

API_VERSION = "autoscaling/v1"
_METADATA = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")


def scale_of(obj: Object) -> Object:
    """The Scale that a workload shows."""
    meta, spec, status = obj["metadata"], obj.get("spec") or {}, obj.get("status") or {}
    selector = spec.get("selector") or {}
    chosen = selector_from_set(selector) if obj["kind"] == "ReplicationController" else selector_from_object(selector)
    shown: Object = {"replicas": status.get("replicas", 0)}
    if text := str(chosen):
        shown["selector"] = text
    return {
        "kind": "Scale",
        "apiVersion": API_VERSION,
        "metadata": {key: meta[key] for key in _METADATA if key in meta},
        "spec": {"replicas": spec["replicas"]} if spec.get("replicas") else {},
        "status": shown,
    }


async def get_scale(call: Call) -> Response:
    entry = await call.served.objects.get(call.key)
    if entry is None:
        raise call.served.missing(call.info.name)
    return call.object_response(scale_of(call.served.decode(entry)), tabular=False)


async def update_scale(call: Call) -> Response:
    options = write_options(call.request, "UpdateOptions")
    parsed = parse_body(call.request.body, call.request.headers.get("content-type", ""))
    wanted = check_type(parsed.value, API_VERSION, "Scale")
    check_identity(call, wanted)
    return await _change(call, options, lambda live: scaled(live, wanted), "UpdateOptions")


async def patch_scale(call: Call) -> Response:
    kind = media_type(call.request.headers.get("content-type", ""))
    if kind not in (JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH):
        raise UnsupportedMediaType(f"the body of the request was in an unknown format - accepted media types include: {ACCEPTED}")
    options = write_options(call.request, "PatchOptions")
    transform = patch_function(MERGE_PATCH if kind == STRATEGIC_PATCH else kind, decode_json(call.request.body).value, call)

    def build(live: Object) -> Object:
        wanted = check_type(transform(copy_of(scale_of(live))), API_VERSION, "Scale")
        check_identity(call, wanted)
        return scaled(live, wanted)

    return await _change(call, options, build, "PatchOptions")


def scaled(live: Object, scale: Object) -> Object:
    """A copy of the workload with the Scale's replicas and preconditions. Raises Invalid, BadRequest."""
    spec: Any = scale.get("spec") or {}
    replicas = spec.get("replicas") or 0
    if type(replicas) is not int:
        raise BadRequest('Scale in version "v1" cannot be handled as a Scale: spec.replicas must be an integer')
    name = scale["metadata"].get("name", "")
    if replicas < 0:
        raise Invalid.of("autoscaling", "Scale", name, [invalid("spec.replicas", replicas, "must be greater than or equal to 0")])
    new = copy_of(live)
    new.setdefault("spec", {})["replicas"] = replicas
    for field in ("uid", "resourceVersion"):
        if scale["metadata"].get(field):
            new["metadata"][field] = scale["metadata"][field]
        else:
            new["metadata"].pop(field, None)
    return new


async def _change(call: Call, options: WriteOptions, build: Build, kind: str) -> Response:
    manager = options.field_manager or user_agent_manager(call.request)
    strategy = call.served.resource.strategy
    change = ObjectChange(call, replace(options), strategy, build, manager, kind, "scale", needs_version=False)
    result: Entry | Object = await change.run(call.key, call.info.name)
    obj = result if isinstance(result, dict) else call.served.decode(result)
    return call.object_response(scale_of(obj), tabular=False)
