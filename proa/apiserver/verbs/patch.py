"""PATCH in its four kinds (JSON, merge, strategic merge, server-side apply), on the newest state, again if another writer was faster."""

from collections.abc import Callable, Iterator
from typing import Any

import orjson

from proa.api.errors import ApiError, BadRequest, Conflict, Invalid, NotFound, UnsupportedMediaType, invalid
from proa.api.meta import Object
from proa.api.strict_json import DecodedBody, decode_json
from proa.api.validation import Findings, field_order, strict_complaints
from proa.apiserver.call import Call
from proa.apiserver.decode import Decoder, check_type, media_type
from proa.apiserver.options import WriteOptions, user_agent_manager, write_options
from proa.apiserver.verbs.applied import APPLY_PATCH, applied_object
from proa.apiserver.verbs.change import ObjectChange, copy_of
from proa.apiserver.verbs.create import settle_namespace
from proa.apiserver.verbs.creation import authorize_create, create_object
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
    call.encoding()
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
    document = decode_patch(call.request.body, kind, options.field_validation)
    if call.audit is not None:
        call.audit.request_patch(document.value)
    transform = patch_function(kind, document.value, call)

    def build(live: Object) -> Object:
        patched = transform(copy_of(live))
        if not isinstance(patched, dict):
            raise refused_patch(patched, "json: cannot unmarshal into Go value of type struct")
        obj = check_type(patched, live["apiVersion"], live["kind"])
        shown = document.value if kind == STRATEGIC_PATCH else obj
        check_patched(call, obj, call.served.decoder, document.duplicates, options.field_validation, shown)
        check_identity(call, obj)
        return obj

    return build


def decode_patch(body: bytes, kind: str, validation: str) -> DecodedBody:
    """The patch and what is wrong with it under strict decoding. Raises BadRequest."""
    try:
        document = decode_json(body)
    except BadRequest as error:
        told = error.message if kind != MERGE_PATCH or validation == "Ignore" else f"error decoding patch: {error.message}"
        raise BadRequest(told) from None
    if kind != JSON_PATCH:
        return document
    return DecodedBody(document.value, tuple(_json_patch_faults(document)))


def _json_patch_faults(document: DecodedBody) -> Iterator[str]:
    """Complaints about the operations themselves, which are no fields of the object."""
    yield from (f'json patch duplicate field "{path}"' for path in document.duplicates if path.count(".") == 1)
    for index, operation in enumerate(document.value if isinstance(document.value, list) else ()):
        for member in operation if isinstance(operation, dict) else ():
            if member not in ("op", "path", "from", "value"):
                yield f'json patch unknown field "[{index}].{member}"'


def check_patched(call: Call, obj: Object, decoder: Decoder | None, faults: tuple[str, ...], validation: str, shown: Any) -> None:
    """Prune the patched object. What a client may not have put into it is Invalid, with the patch as the field: upstream decodes the
    result and not the patch, so it can't tell from where a stray field came."""
    own = tuple(fault for fault in faults if fault.startswith("json patch "))
    duplicates = tuple(fault for fault in faults if fault not in own)
    order = field_order(obj) if duplicates else {}
    given = orjson.dumps(shown) if isinstance(shown, dict) and shown is obj else b""
    findings = decoder(obj) if decoder is not None else Findings()
    value = given.decode() if given else go_format(shown)
    if findings.causes:
        raise refused_patch(value, findings.causes[0].message)
    complaints = [*own, *strict_complaints(findings.unknown, duplicates, order)]
    if complaints and validation == "Strict":
        raise refused_patch(value, f"strict decoding error: {', '.join(complaints)}")
    if validation == "Warn":
        for complaint in complaints:
            call.warn(complaint)


def refused_patch(value: Any, why: str) -> Invalid:
    """Of no kind and no name, as upstream has it."""
    return Invalid.of("", "", "", [invalid("patch", value, why)])


def go_format(value: Any) -> str:
    """A value as Go's `%+v` prints it: how upstream shows a strategic merge patch."""
    if isinstance(value, dict):
        return f"map[{' '.join(f'{key}:{go_format(value[key])}' for key in sorted(value))}]"
    if isinstance(value, list):
        return f"[{' '.join(map(go_format, value))}]"
    if value is None:
        return "<nil>"
    return str(value).lower() if isinstance(value, bool) else str(value)


def patch_function(kind: str, patch_: Any, call: Call) -> Callable[[Object], Any]:
    """What turns a document into the patched one (it may change its argument). Raises BadRequest for what is no such patch."""
    from proa.api.patch import json_patch, merge_patch, strategic_merge_patch

    if kind == JSON_PATCH:
        if not isinstance(patch_, list):
            raise BadRequest("json: cannot unmarshal object into Go value of type jsonpatch.Patch")
        if len(patch_) > JSON_PATCH_LIMIT:
            why = f"Request entity too large: The allowed maximum operations in a JSON patch is {JSON_PATCH_LIMIT}, got {len(patch_)}"
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
    check_identity(call, applied)
    if call.audit is not None:
        call.audit.request_patch(applied)
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
    identity, uid = call.served.resource.id, applied["metadata"].get("uid")
    if uid:
        why = f"uid mismatch: the provided object specified uid {uid}, and no existing object was found"
        raise Conflict.of(identity.group, identity.plural, call.info.name, why)
    await authorize_create(call)
    created = build({})
    created["metadata"].pop("resourceVersion", None)
    settle_namespace(call, created)
    return call.written(await create_object(call, created, options, manager="", kind="PatchOptions"), 201)
