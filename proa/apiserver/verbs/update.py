"""PUT: replace an object or, through a subresource, the part of it that the subresource's strategy lets pass; create it where allowed."""

from proa.api.errors import BadRequest, NotFound
from proa.api.meta import Object, metadata
from proa.api.resource import Strategy
from proa.apiserver.call import Call
from proa.apiserver.options import user_agent_manager, write_options
from proa.apiserver.verbs.change import ObjectChange
from proa.apiserver.verbs.create import decode_body, settle_namespace
from proa.apiserver.verbs.creation import authorize_create, create_object
from proa.lib.http.message import Response


async def update(call: Call) -> Response:
    call.encoding()
    options = write_options(call.request, "UpdateOptions")
    obj = decode_body(call, options)
    check_identity(call, obj)
    call.received(obj)
    if call.served.controllerless and not call.info.subresource:
        call.warn(call.served.controllerless)
    manager = options.field_manager or user_agent_manager(call.request)
    strategy = strategy_of(call)
    bodies = iter([obj])

    def build(live: Object) -> Object:
        return next(bodies, None) or _again(call, options.field_validation)

    change = ObjectChange(call, options, strategy, build, manager, subresource=call.info.subresource)
    try:
        return call.written(await change.run(call.key, call.info.name), 200)
    except NotFound:
        if call.info.subresource or not strategy.allow_create_on_update:
            raise
        await authorize_create(call)
        created = build({})
        metadata(created).pop("resourceVersion", None)
        return call.written(await create_object(call, created, options, manager=manager, kind="UpdateOptions"), 201)


def _again(call: Call, validation: str) -> Object:
    """The body once more, as the first attempt has changed what it was given."""
    from proa.apiserver.options import WriteOptions

    obj = decode_body(call, WriteOptions(field_validation="Ignore" if validation != "Strict" else validation))
    check_identity(call, obj)
    return obj


def strategy_of(call: Call) -> Strategy:
    if not call.info.subresource:
        return call.served.resource.strategy
    return call.served.resource.subresources[call.info.subresource].strategy or call.served.resource.strategy


def check_identity(call: Call, obj: Object) -> None:
    """The object must be the one that the URL names; an absent namespace is the URL's. Raises BadRequest."""
    meta, info = metadata(obj), call.info
    if not isinstance(meta, dict):
        raise BadRequest("metadata must be an object")
    settle_namespace(call, obj)
    name = meta.get("name")
    if not name:
        raise BadRequest(f"the name of the object ({info.name} based on URL) was undeterminable: name must be provided")
    if name != info.name:
        raise BadRequest(f"the name of the object ({name}) does not match the name on the URL ({info.name})")
