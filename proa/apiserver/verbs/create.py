"""POST to a collection: decode, settle the namespace, then the steps of `creation`. Virtual resources are answered, not stored."""

from proa.api.errors import BadRequest, MethodNotAllowed, NotAcceptable, UnsupportedMediaType
from proa.api.meta import Object, metadata
from proa.apiserver.call import Call
from proa.apiserver.decode import PROTOBUF, decode_object, media_type
from proa.apiserver.negotiation import SUPPORTED
from proa.apiserver.options import WriteOptions, user_agent_manager, write_options
from proa.apiserver.verbs.creation import create_object, fill_system_metadata
from proa.lib.http.message import Response

CUSTOM_ACCEPTED = "application/json, application/yaml"
NAMESPACE_MISMATCH = "the namespace of the provided object does not match the namespace sent on the request"


async def create(call: Call) -> Response:
    call.encoding()
    options = write_options(call.request, "CreateOptions")
    obj = decode_body(call, options)
    settle_namespace(call, obj)
    call.received(obj)
    if call.served.resource.virtual:
        return await _review(call, obj)
    if call.served.controllerless:
        call.warn(call.served.controllerless)
    manager = options.field_manager or user_agent_manager(call.request)
    return call.written(await create_object(call, obj, options, manager=manager), 201)


def decode_body(call: Call, options: WriteOptions) -> Object:
    identity = call.served.resource.id
    if call.served.custom and media_type(call.request.headers.get("content-type", "")) == PROTOBUF:
        raise UnsupportedMediaType(f"the body of the request was in an unknown format - accepted media types include: {CUSTOM_ACCEPTED}")
    return decode_object(
        call.request.body,
        call.request.headers.get("content-type", ""),
        api_version=identity.api_version,
        kind=identity.kind,
        decoder=call.served.decoder,
        validation=options.field_validation,
        warn=call.warn,
    )


def settle_namespace(call: Call, obj: Object) -> None:
    """The object's namespace is the request's; raises BadRequest if it says another."""
    meta = metadata(obj)
    if not isinstance(meta, dict):
        raise BadRequest("metadata must be an object")
    if not call.served.resource.id.namespaced:
        meta.pop("namespace", None)
    elif not meta.get("namespace"):
        if not call.namespace:
            raise BadRequest("an empty namespace may not be set during creation")
        meta["namespace"] = call.namespace
    elif meta["namespace"] != call.namespace:
        raise BadRequest(NAMESPACE_MISMATCH)


async def _review(call: Call, obj: Object) -> Response:
    identity = call.served.resource.id
    review = call.server.reviews.get((identity.group, identity.plural))
    if call.encoding().form:
        raise NotAcceptable(f"only the following media types are accepted: {SUPPORTED}")
    if review is None:
        raise MethodNotAllowed(f"{identity.plural} can't be created")
    fill_system_metadata(metadata(obj), call.now())
    del obj["metadata"]["uid"]
    del obj["metadata"]["creationTimestamp"]
    return call.object_response(await review(call.user, call.namespace, obj), 201, tabular=False)
