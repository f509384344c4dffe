"""The order of steps of every change of an object that is there: preconditions, defaults, field managers, mutating admission, strategy,
validating admission, allocation, store; again from the newest state if another writer was faster.

An object that is being deleted and has lost its last finalizer is not written but really deleted.
"""

from collections.abc import Callable
from dataclasses import field
from typing import Any

import orjson

from proa.api.errors import MODIFIED, ApiError, Conflict, Invalid, invalid
from proa.api.meta import Object
from proa.api.resource import Strategy, StrategyContext
from proa.apiserver.call import Call
from proa.apiserver.interface import Attributes
from proa.apiserver.options import WriteOptions, parse_version
from proa.apiserver.verbs.owner_references import AFTER_ADMISSION, BEFORE, remove_duplicate_owners
from proa.lib.dataclass import dataclass
from proa.storage.interface import Entry

Build = Callable[[Object], Object]
"""The wanted object, made from the live one (which it must not change)."""

CONDITIONAL_ONLY = frozenset(
    {
        ("coordination.k8s.io", "leases"),
        ("apiextensions.k8s.io", "customresourcedefinitions"),
        ("apiregistration.k8s.io", "apiservices"),
        ("policy", "poddisruptionbudgets"),
        ("node.k8s.io", "runtimeclasses"),
        ("flowcontrol.apiserver.k8s.io", "flowschemas"),
        ("flowcontrol.apiserver.k8s.io", "prioritylevelconfigurations"),
        ("admissionregistration.k8s.io", "mutatingwebhookconfigurations"),
        ("admissionregistration.k8s.io", "validatingwebhookconfigurations"),
        ("admissionregistration.k8s.io", "mutatingadmissionpolicies"),
        ("admissionregistration.k8s.io", "mutatingadmissionpolicybindings"),
        ("admissionregistration.k8s.io", "validatingadmissionpolicies"),
        ("admissionregistration.k8s.io", "validatingadmissionpolicybindings"),
    }
)
"""Kinds whose update must say which version it replaces."""


class _Emptied(Exception):
    """The change leaves an object that is to go: `obj` is what the client gets to see."""

    def __init__(self, obj: Object) -> None:
        super().__init__("no finalizer is left")
        self.obj = obj


def copy_of(obj: Object) -> Object:
    duplicate: Object = orjson.loads(orjson.dumps(obj))
    return duplicate


@dataclass(slots=True)
class ObjectChange:
    """One change of one object. `manager` "" means that `build` has settled managedFields."""

    call: Call
    options: WriteOptions
    strategy: Strategy
    build: Build
    manager: str = ""
    options_kind: str = "UpdateOptions"
    subresource: str = ""
    fail_not_found: bool = True
    needs_version: bool = True
    """False for patches, which state a version only if they want to."""
    _undo: Callable[[], None] | None = field(default=None, init=False)
    _result: Object | None = field(default=None, init=False)

    async def run(self, key: str, name: str) -> Entry | Object:
        """The entry after the change, or an object where nothing was or is stored (dry run, gone). Raises NotFound."""
        objects = self.call.served.objects
        while True:
            try:
                entry, _ = await objects.update(key, self._attempt)
            except KeyError:
                self._revert()
                raise self.call.served.missing(name) from None
            except _Emptied as emptied:
                if await self._delete(key, emptied.obj):
                    return emptied.obj
                continue
            except BaseException:
                self._revert()
                raise
            if self.options.dry_run and self._result is not None:
                self._revert()
                return self._result
            self._undo = None
            if self.call.served.hook is not None and not self.subresource and self._result is not None:
                await self.call.served.hook.after_update(self._result)
            return entry

    def _revert(self) -> None:
        if self._undo is not None:
            self._undo()
            self._undo = None

    async def _attempt(self, stored: Object) -> Object | None:
        self._revert()
        served = self.call.served
        live = served.from_storage(stored)
        new = await self._prepared(live)
        if served.hook is not None and not self.subresource:
            self._undo = served.hook.begin_update(new, live)
        keep_unchanged_times(new, live)
        if is_finished(new, live):
            raise _Emptied(new)
        self._result = new
        return None if self.options.dry_run else served.to_storage(new)

    async def _prepared(self, live: Object) -> Object:
        call, strategy, identity = self.call, self.strategy, self.call.served.resource.id
        now = call.now()
        new = self.build(live)
        self._check_version(new, live)
        inherit_metadata(new, live, now)
        strategy.default(new)
        if self.options_kind == "UpdateOptions":
            remove_duplicate_owners(call, new, BEFORE)
        if self.manager:
            call.server.field_managers.update(call.served, live, new, self.manager, now, self.subresource)
        attributes = self._attributes(new, live)
        await call.server.admission.admit(attributes)
        if attributes.reinvocation is not None:
            strategy.default(new)
        remove_duplicate_owners(call, new, AFTER_ADMISSION)
        inherit_metadata(new, live, now)
        strategy.prepare_for_update(new, live, StrategyContext(call.user.name, now, self.options.dry_run, self.subresource, call.user))
        if causes := strategy.validate_update(new, live):
            raise Invalid.of(identity.group, identity.kind, attributes.name, causes)
        strategy.canonicalize(new)
        for warning in strategy.warnings(new, live):
            call.warn(warning)
        await call.server.admission.validate(attributes)
        return new

    def _attributes(self, new: Object, live: Object) -> Attributes:
        call, name = self.call, live["metadata"]["name"]
        return Attributes(
            "UPDATE", call.served.resource, self.subresource, call.namespace, name, call.user, new, live, self.options.dry_run,
            self.options.as_object(self.options_kind), call.warn, call.annotate,
        )  # fmt: skip

    def _check_version(self, new: Object, live: Object) -> None:
        identity, meta, old = self.call.served.resource.id, new.setdefault("metadata", {}), live["metadata"]
        if self.needs_version and meta.get("uid") and meta["uid"] != old.get("uid"):
            raise Conflict.of(identity.group, identity.plural, old["name"], self._other_object(meta["uid"], old))
        try:
            version = parse_version(meta.get("resourceVersion") or "0")
        except ValueError as error:  # upstream's store has no better word for it
            raise ApiError(str(error), code=500, reason="") from None
        if version == 0:
            if self.needs_version and (self.call.served.custom or (identity.group, identity.plural) in CONDITIONAL_ONLY):
                cause = invalid("metadata.resourceVersion", 0, "must be specified for an update")
                raise Invalid.of(identity.group, identity.plural, old["name"], [cause])
        elif str(version) != old.get("resourceVersion"):
            raise Conflict.of(identity.group, identity.plural, old["name"], MODIFIED)

    def _other_object(self, uid: str, old: Object) -> str:
        """As upstream's store words it, which checks the UID before all else."""
        key = f"{self.call.served.resource.storage_key.rstrip('/')}/{self.call.served.key(old.get('namespace', ''), old['name'])}"
        why = f"Precondition failed: UID in precondition: {uid}, UID in object meta: {old.get('uid', '')}"
        return f"StorageError: invalid object, Code: 4, Key: {key}, ResourceVersion: 0, AdditionalErrorMsg: {why}"

    async def _delete(self, key: str, obj: Object) -> bool:
        """Whether it is gone; False if it has changed since and must be looked at again."""
        if self.options.dry_run:
            self._revert()
            return True
        version = obj["metadata"].get("resourceVersion")

        async def unchanged(current: Object) -> None:
            if current["metadata"].get("resourceVersion") != version:
                raise _Changed

        try:
            await self.call.served.objects.delete(key, unchanged)
        except _Changed:
            return False
        except KeyError:
            return True
        if self.call.served.hook is not None:
            await self.call.served.hook.after_delete(obj)
        return True


class _Changed(Exception):
    """Another write came in between."""


def inherit_metadata(new: Object, old: Object, now: str) -> None:
    """What an update can't say: it keeps identity, creation and a deletion under way."""
    meta, before = new.setdefault("metadata", {}), old["metadata"]
    meta["resourceVersion"] = before.get("resourceVersion", "")
    if not meta.get("uid"):
        meta["uid"] = before.get("uid", "")
    meta["creationTimestamp"] = before.get("creationTimestamp") or now
    for name in ("deletionTimestamp", "generation"):
        if before.get(name) is not None:
            meta[name] = before[name]
        elif name == "generation":
            meta.pop(name, None)
    if before.get("deletionGracePeriodSeconds") is not None and meta.get("deletionGracePeriodSeconds") is None:
        meta["deletionGracePeriodSeconds"] = before["deletionGracePeriodSeconds"]
    meta.pop("selfLink", None)


def is_finished(new: Object, old: Object) -> bool:
    """Whether an object that is being deleted has nothing more to wait for."""
    before = old["metadata"]
    if not before.get("deletionTimestamp") or before.get("deletionGracePeriodSeconds"):
        return False
    if new["metadata"].get("finalizers"):
        return False
    return not (new["kind"] == "Namespace" and (new.get("spec") or {}).get("finalizers"))


def keep_unchanged_times(new: Object, old: Object) -> None:
    """If only the times of managedFields differ, the old ones stay, so that a write that says nothing new writes nothing."""
    managed = new["metadata"].get("managedFields")
    before = old["metadata"].get("managedFields")
    if not managed or not before or managed == before or len(managed) != len(before):
        return
    if [_timeless(each) for each in managed] == [_timeless(each) for each in before] and _but_managed(new) == _but_managed(old):
        new["metadata"]["managedFields"] = before


def _timeless(entry: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in entry.items() if key != "time"}


def _but_managed(obj: Object) -> Object:
    kept = {key: value for key, value in obj["metadata"].items() if key != "managedFields"}
    return {**obj, "metadata": kept}
