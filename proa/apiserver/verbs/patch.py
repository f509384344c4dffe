"""PATCH in its four kinds (JSON, merge, strategic merge, server-side apply), on the newest state, again if another writer was faster."""

from collections.abc import Callable
from typing import Any

from proa.api.errors import ApiError, BadRequest, NotFound, UnsupportedMediaType
from proa.api.meta import Object
from proa.api.strict_json import decode_json
from proa.apiserver.call import Call
from proa.apiserver.decode import check_fields, check_type, media_type
from proa.apiserver.options import WriteOptions, user_agent_manager, write_options
from proa.apiserver.verbs.applied import APPLY_PATCH, applied_object
from proa.apiserver.verbs.change import ObjectChange, copy_of
from proa.apiserver.verbs.create import settle_namespace
from proa.apiserver.verbs.creation import create_object
from proa.apiserver.verbs.update import check_identity, strategy_of
from proa.lib.http.message import Response

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"
ACCEPTED = ", ".join((JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH, APPLY_PATCH))
JSON_PATCH_LIMIT = 10_000

Build = Callable[[Object], Object]


async def patch(call: Call) -> Response:
    kind = media_type(call.request.headers.get("content-type", ""))
    accepted = (JSON_PATCH, MERGE_PATCH, APPLY_PATCH) if call.served.custom else (JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH, APPLY_PATCH)
    if kind not in accepted:
        listed = ", ".join(accepted)
        raise UnsupportedMediaType(f"the body of the request was in an unknown format - accepted media types include: {listed}")
    options = write_options(call.request, "PatchOptions", is_apply=kind == APPLY_PATCH)
    if call.served.controllerless and not call.info.subresource:
        call.warn(call.served.controllerless)
    if kind == APPLY_PATCH:
        return await _apply(call, options)
    manager = options.field_manager or user_agent_manager(call.request)
    build = _patcher(call, kind, options)
    change = ObjectChange(
        call, options, strategy_of(call), build, manager, "PatchOptions", call.info.subresource, needs_version=False
    )  # fmt: skip
    return call.written(await change.run(call.key, call.info.name), 200)


def _patcher(call: Call, kind: str, options: WriteOptions) -> Build:
    document = decode_json(call.request.body)
    transform = patch_function(kind, document.value, call)

    def build(live: Object) -> Object:
        patched = transform(copy_of(live))
        obj = check_type(patched, live["apiVersion"], live["kind"])
        check_fields(obj, document.duplicates, call.served.decoder, options.field_validation, call.warn)
        check_identity(call, obj)
        return obj

    return build


def patch_function(kind: str, patch_: Any, call: Call) -> Callable[[Object], Any]:
    """What turns a document into the patched one (it may change its argument). Raises BadRequest for what is no such patch."""
    from proa.api.patch import json_patch, merge_patch, strategic_merge_patch

    if kind == JSON_PATCH:
        if not isinstance(patch_, list):
            raise BadRequest("json: cannot unmarshal object into Go value of type jsonpatch.Patch")
        if len(patch_) > JSON_PATCH_LIMIT:
            why = f"The allowed maximum operations in a JSON patch is {JSON_PATCH_LIMIT}, got {len(patch_)}"
            raise ApiError(why, code=413, reason="RequestEntityTooLarge")
        return lambda document: json_patch(document, patch_)
    if not isinstance(patch_, dict):
        raise BadRequest("json: cannot unmarshal array into Go value of type map[string]interface {}")
    if kind == MERGE_PATCH:
        return lambda document: merge_patch(document, patch_)
    if not call.served.schema.properties:
        raise UnsupportedMediaType(f"the body of the request was in an unknown format - accepted media types include: {ACCEPTED}")
    return lambda document: strategic_merge_patch(document, patch_, call.served.schema)


async def _apply(call: Call, options: WriteOptions) -> Response:
    manager = options.field_manager
    applied = applied_object(call, options)
    force = bool(options.force)

    def build(live: Object) -> Object:
        wanted, now = copy_of(applied), call.now()
        return call.server.field_managers.apply(call.served, live, wanted, manager, now, call.info.subresource, force=force)

    change = ObjectChange(call, options, strategy_of(call), build, "", "PatchOptions", call.info.subresource, needs_version=False)
    try:
        return call.written(await change.run(call.key, call.info.name), 200)
    except NotFound:
        if call.info.subresource:
            raise
    if applied["metadata"].get("uid"):
        raise call.served.missing(call.info.name)
    if applied["metadata"].get("resourceVersion"):
        raise call.served.missing(call.info.name)
    created = build({})
    settle_namespace(call, created)
    return call.written(await create_object(call, created, options, manager="", kind="PatchOptions"), 201)
