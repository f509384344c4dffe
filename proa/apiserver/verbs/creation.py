"""The order of steps of every create, whatever the kind: defaults, system metadata, field managers, mutating admission, strategy,
validating admission, allocation, store. A kind fills in its policy; nothing here knows any kind.

Defaults come a second time only after webhooks: what the plugins of the server itself add is in its stored form already.
"""

from collections.abc import Callable
from dataclasses import replace

from proa.api.errors import AlreadyExists, ApiError, Invalid
from proa.api.meta import Object, metadata
from proa.api.names import generate_name, new_uid
from proa.api.resource import StrategyContext
from proa.apiserver.authz.denial import forbidden
from proa.apiserver.call import Call
from proa.apiserver.interface import Attributes
from proa.apiserver.options import WriteOptions
from proa.apiserver.verbs.owner_references import AFTER_ADMISSION, BEFORE, remove_duplicate_owners
from proa.storage.interface import Entry, KeyExists

GENERATE_ATTEMPTS = 8
VERSION_SET = "resourceVersion should not be set on objects to be created"


async def authorize_create(call: Call) -> None:
    """Who updates or applies what isn't there creates it, and needs that right as well. Raises Forbidden."""
    info = replace(call.info, verb="create")
    decision = await call.server.authorizer.authorize(call.user, info)
    if not decision.allowed:
        raise forbidden(call.user, info, decision.reason)


async def create_object(call: Call, obj: Object, options: WriteOptions, *, manager: str, kind: str = "CreateOptions") -> Entry | Object:
    """The stored entry, or for a dry run the object that would have been stored. `manager` "" leaves managedFields as they are."""
    strategy, identity = call.served.resource.strategy, call.served.resource.id
    now = call.now()
    strategy.default(obj)
    meta = metadata(obj)
    if meta.get("resourceVersion"):
        raise ApiError(VERSION_SET, code=500, reason="")
    fill_system_metadata(meta, now)
    generated = not meta.get("name") and bool(meta.get("generateName"))
    remove_duplicate_owners(call, obj, BEFORE)
    if manager:
        call.server.field_managers.update(call.served, None, obj, manager, now, "")
    attributes = Attributes(
        "CREATE", call.served.resource, "", call.namespace, meta.get("name", ""), call.user, obj, None, options.dry_run,
        options.as_object(kind), call.warn, call.annotate,
    )  # fmt: skip
    await call.server.admission.admit(attributes)
    if attributes.reinvocation is not None:
        strategy.default(obj)
        remove_duplicate_owners(call, obj, AFTER_ADMISSION)
    meta = metadata(obj)
    if generated:
        meta["name"] = attributes.name = generate_name(meta["generateName"])
    strategy.prepare_for_create(obj, StrategyContext(call.user.name, now, options.dry_run, "", call.user))
    if causes := strategy.validate(obj):
        raise Invalid.of(identity.group, identity.kind, meta.get("name", ""), causes)
    strategy.canonicalize(obj)
    for warning in strategy.warnings(obj, None):
        call.warn(warning)
    await call.server.admission.validate(attributes)
    undo = call.served.hook.begin_create(obj) if call.served.hook is not None else _nothing
    return await _store(call, obj, options, undo, generated=generated)


def _nothing() -> None:
    return None


def fill_system_metadata(meta: Object, now: str) -> None:
    """What only the server decides of a new object."""
    for field in ("deletionTimestamp", "deletionGracePeriodSeconds", "selfLink", "generation", "resourceVersion"):
        meta.pop(field, None)
    meta["uid"] = new_uid()
    meta["creationTimestamp"] = now


async def _store(call: Call, obj: Object, options: WriteOptions, undo: Callable[[], None], *, generated: bool) -> Entry | Object:
    try:
        if options.dry_run:
            return _dry(call, obj, undo)
        insert = _insert(call, obj, attempts=GENERATE_ATTEMPTS if generated else 1)
        return await (insert if call.served.hook is None else call.served.hook.create(obj, insert))
    except BaseException:
        undo()
        raise


def _dry(call: Call, obj: Object, undo: Callable[[], None]) -> Object:
    meta = obj["metadata"]
    key = call.served.key(call.namespace, meta["name"])
    if call.served.objects.peek(key) is not None:
        raise _already_exists(call, key, meta["name"], generated=bool(meta.get("generateName")))
    undo()
    return obj


async def _insert(call: Call, obj: Object, attempts: int) -> Entry:
    meta = obj["metadata"]
    for attempt in range(1, attempts + 1):
        key = call.served.key(call.namespace, meta["name"])
        stored = call.served.to_storage(obj)
        identity = call.served.resource.id
        call.server.offer(identity.group, identity.plural, key, stored)
        try:
            return await call.served.objects.create(key, stored)
        except KeyExists:
            if attempt == attempts:
                raise _already_exists(call, key, meta["name"], generated=bool(meta.get("generateName"))) from None
            meta["name"] = generate_name(meta["generateName"])
        finally:
            call.server.withdraw(identity.group, identity.plural, key)
    raise AssertionError("unreachable: at least one attempt is made")


def _already_exists(call: Call, key: str, name: str, *, generated: bool) -> AlreadyExists:
    identity = call.served.resource.id
    error = AlreadyExists.of(identity.group, identity.plural, name)
    if generated:
        error.message += ", the server was not able to generate a unique name for the object"
        error.details["retryAfterSeconds"] = 1
    existing = call.served.objects.peek(key)
    if existing is not None and (existing.decode().get("metadata") or {}).get("deletionTimestamp"):
        error.message = f"object is being deleted: {error.message}"
    return error
