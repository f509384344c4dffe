"""What DELETE does to an object: it goes at once, or it is marked (deletionTimestamp) and waits for its grace period and its finalizers.

`plan_removal` decides, from the object and the options alone; `remove` carries it out. Source: apiserver's registry/rest/delete.go rules as
"Finalizers", "Garbage Collection" and "Termination of Pods" document them.
"""

from datetime import timedelta
from typing import Literal

from proa.api.errors import Conflict
from proa.api.meta import Object
from proa.apiserver.call import Call
from proa.apiserver.crd.status import mark_terminating
from proa.apiserver.interface import Attributes
from proa.apiserver.options import DeleteOptions
from proa.lib.clock import format_time, parse_time
from proa.lib.dataclass import dataclass
from proa.storage.interface import Entry

ORPHAN = "orphan"
FOREGROUND = "foregroundDeletion"
NAMESPACE_BUSY = (
    "The system is ensuring all content is removed from this namespace.  "
    "Upon completion, this namespace will automatically be purged by the system."
)
BEFORE_REMOVAL = {("apiextensions.k8s.io", "customresourcedefinitions"): mark_terminating}
"""What a kind does to an object whose deletion is asked for."""
NEVER_COLLECTED = frozenset({("", "events"), ("events.k8s.io", "events")})

Outcome = Literal["delete", "update", "expire", "pending"]


@dataclass(frozen=True, slots=True)
class Removal:
    """`delete` at once; `update`: the object has been marked in place and is to be written; `expire`: the same, and then it is deleted, so
    that watchers of a kind with grace periods always see the mark first; `pending`: deletion is under way already."""

    outcome: Outcome


def plan_removal(obj: Object, options: DeleteOptions, now: str, *, graceful: bool, collected: bool = True) -> Removal:
    """Decide and mark `obj` accordingly. `graceful` says that the kind has grace periods (pods). Whose grace period is over, but who has
    finalizers, is treated like a kind without: another propagation policy still counts."""
    meta = obj["metadata"]
    before = list(meta.get("finalizers") or [])
    after = finalizers_after(before, options) if collected else before
    grace = requested_grace(obj, options) if graceful else None
    if graceful and meta.get("deletionTimestamp") and meta.get("deletionGracePeriodSeconds"):
        if options.grace_period_seconds is None or max_one(options.grace_period_seconds) >= meta["deletionGracePeriodSeconds"]:
            return Removal("pending")
        _shorten(meta, max_one(options.grace_period_seconds))
        grace = meta["deletionGracePeriodSeconds"]
    elif graceful and not meta.get("deletionTimestamp"):
        _mark(meta, now, grace or 0)
    else:
        grace = None
    _set_finalizers(meta, after)
    if after:
        if not meta.get("deletionTimestamp") or not graceful:
            _mark(meta, now, 0, keep=True)
        return Removal("update")
    if grace is not None:
        return Removal("update" if grace else "expire")
    return Removal("delete")


def max_one(grace: int) -> int:
    """Negative grace periods mean one second."""
    return 1 if grace < 0 else grace


def requested_grace(pod: Object, options: DeleteOptions) -> int:
    """Seconds that a pod is given: none if nothing runs that could use them."""
    spec = pod.get("spec") or {}
    if not spec.get("nodeName") or (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed"):
        return 0
    asked = options.grace_period_seconds
    return max_one(asked if asked is not None else spec.get("terminationGracePeriodSeconds") or 0)


def finalizers_after(finalizers: list[str], options: DeleteOptions) -> list[str]:
    """The finalizers with those that ask the garbage collector to orphan dependents, or to delete them first."""
    policy, orphan = options.propagation_policy, options.orphan_dependents
    if policy is not None:
        orphaning, foreground = policy == "Orphan", policy == "Foreground"
    elif orphan is not None:
        orphaning, foreground = orphan, False
    else:
        orphaning = ORPHAN in finalizers
        foreground = FOREGROUND in finalizers and not orphaning
    kept = [each for each in finalizers if each not in (ORPHAN, FOREGROUND)]
    if orphaning:
        kept.append(ORPHAN)
    if foreground:
        kept.append(FOREGROUND)
    return finalizers if set(kept) == set(finalizers) else kept


def _set_finalizers(meta: Object, finalizers: list[str]) -> None:
    if finalizers:
        meta["finalizers"] = finalizers
    else:
        meta.pop("finalizers", None)


def _mark(meta: Object, now: str, grace: int, *, keep: bool = False) -> None:
    if not meta.get("deletionTimestamp"):
        if meta.get("generation"):
            meta["generation"] += 1
        meta["deletionTimestamp"] = format_time(parse_time(now) + timedelta(seconds=grace))
        meta["deletionGracePeriodSeconds"] = grace
    elif not keep or meta.get("deletionGracePeriodSeconds") is None:
        meta["deletionGracePeriodSeconds"] = grace


def _shorten(meta: Object, grace: int) -> None:
    start = parse_time(meta["deletionTimestamp"]) - timedelta(seconds=meta["deletionGracePeriodSeconds"])
    meta["deletionTimestamp"] = format_time(start + timedelta(seconds=grace))
    meta["deletionGracePeriodSeconds"] = grace


def check_preconditions(call: Call, obj: Object, options: DeleteOptions) -> None:
    """Raises Conflict."""
    identity, meta = call.served.resource.id, obj["metadata"]
    if options.uid is not None and options.uid != meta.get("uid"):
        why = (
            f"the UID in the precondition ({options.uid}) does not match the UID in record ({meta.get('uid', '')}). "
            "The object might have been deleted and then recreated"
        )
        raise Conflict.of(identity.group, identity.kind, meta["name"], why)
    if options.resource_version is not None and options.resource_version != meta.get("resourceVersion"):
        why = (
            f"the ResourceVersion in the precondition ({options.resource_version}) does not match the ResourceVersion in record "
            f"({meta.get('resourceVersion', '')}). The object might have been modified"
        )
        raise Conflict.of(identity.group, identity.kind, meta["name"], why)


class _DeleteNow(Exception):
    """Nothing is to be written first."""


@dataclass(frozen=True, slots=True)
class Removed:
    """`gone` if the object is no more; `entry` is its last state (an object for a dry run)."""

    gone: bool
    last: Entry | Object


async def remove(call: Call, key: str, name: str, options: DeleteOptions, *, admitted: bool = True) -> Removed:
    """Raises NotFound, Conflict, and what admission raises (`admitted` False: it has been asked before, for an eviction)."""
    step = _Step(call, options, admitted)
    objects = call.served.objects
    try:
        while True:
            try:
                entry, _ = await objects.update(key, step.mark)
                if not step.expired:
                    return Removed(False, step.dry if step.dry is not None else entry)
            except _DeleteNow:
                pass
            if options.dry_run:
                return Removed(True, step.seen)
            try:
                entry = await objects.delete(key, step.check_unchanged)
            except _DeleteNow:
                continue
            except KeyError:
                if not step.expired:
                    raise
                return Removed(True, entry)
            if call.served.hook is not None:
                await call.served.hook.after_delete(call.served.decode(entry))
            return Removed(True, entry)
    except KeyError:
        raise call.served.missing(name) from None


class _Step:
    """The callbacks of one removal and what they saw."""

    def __init__(self, call: Call, options: DeleteOptions, admitted: bool) -> None:
        self._call = call
        self._options = options
        self._admitted = admitted
        self._seen_version = ""
        self.expired = False
        self.seen: Object = {}
        self.dry: Object | None = None

    async def mark(self, stored: Object) -> Object | None:
        call, options = self._call, self._options
        live = call.served.from_storage(stored)
        check_preconditions(call, live, options)
        if self._admitted:
            await self._admit(live)
        outcome = self._plan(live)
        self.seen, self._seen_version = live, stored["metadata"].get("resourceVersion", "")
        self.expired = outcome == "expire"
        if outcome == "delete":
            raise _DeleteNow
        if outcome == "pending":
            return None
        if options.dry_run:
            self.dry = live
            return None
        return call.served.to_storage(live)

    def _plan(self, live: Object) -> Outcome:
        call, identity = self._call, self._call.served.resource.id
        if identity.plural == "namespaces" and not identity.group:
            return _plan_namespace(live, call.now())
        if (before := BEFORE_REMOVAL.get((identity.group, identity.plural))) is not None:
            before(live, call.now())
        graceful = call.served.resource.strategy.graceful_deletion
        collected = (identity.group, identity.plural) not in NEVER_COLLECTED
        return plan_removal(live, self._options, call.now(), graceful=graceful, collected=collected).outcome

    async def _admit(self, live: Object) -> None:
        call = self._call
        attributes = Attributes(
            "DELETE", call.served.resource, "", call.namespace, live["metadata"]["name"], call.user, None, live,
            self._options.dry_run, self._options.as_object(), call.warn, call.annotate,
        )  # fmt: skip
        await call.server.admission.admit(attributes)
        await call.server.admission.validate(attributes)

    async def check_unchanged(self, current: Object) -> None:
        """What was marked goes whatever came in between; what was only looked at must be what it was."""
        if not self.expired and current["metadata"].get("resourceVersion", "") != self._seen_version:
            raise _DeleteNow


def _plan_namespace(namespace: Object, now: str) -> Outcome:
    """A namespace first becomes Terminating; it goes when its content is gone, which spec.finalizers says. Raises Conflict."""
    meta = namespace["metadata"]
    if not meta.get("deletionTimestamp"):
        meta["deletionTimestamp"] = now
        namespace.setdefault("status", {})["phase"] = "Terminating"
        return "update"
    if (namespace.get("spec") or {}).get("finalizers"):
        raise Conflict.of("", "namespaces", meta["name"], NAMESPACE_BUSY)
    return "pending" if meta.get("finalizers") else "delete"
