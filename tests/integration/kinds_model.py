"""What upstream's API server makes of a write, for four kinds with policies of their own: the oracle of the random writes.

It is written from upstream's documented rules (strategies of the kinds, "Finalizers", "Garbage Collection", "Termination of Pods", the
design of metadata.generation), not from this server's code, and knows nothing of HTTP: one `Model` in, the next one out.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from proa.lib.clock import parse_time

FOREGROUND, ORPHAN = "foregroundDeletion", "orphan"
Owner = tuple[str, bool]
"""The uid of an owner, and whether it is the controller."""


@dataclass(frozen=True)
class Kind:
    """`value_counts`, ...: a change steps generation. `status_keeps`: what a write of the status may not touch; () is no subresource."""

    name: str
    path: str
    graceful: bool = False
    generation: bool = True
    status: bool = True
    unconditional: bool = True
    creates_on_update: bool = False
    answers_with_object: bool = False
    annotations_count: bool = False
    status_keeps: frozenset[str] = frozenset({"value"})

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """How hypothesis tells of it."""
        printer.text(self.name.upper())


NAMESPACED = "namespaces/default"
POD = Kind(
    "pod", f"/api/v1/{NAMESPACED}/pods", graceful=True, answers_with_object=True, status_keeps=frozenset({"value", "owners"}),
)  # fmt: skip
DEPLOYMENT = Kind(
    "deployment", f"/apis/apps/v1/{NAMESPACED}/deployments", annotations_count=True, status_keeps=frozenset({"value", "label"}),
)  # fmt: skip
WIDGET = Kind(
    "widget", f"/apis/example.com/v1/{NAMESPACED}/widgets", unconditional=False,
    status_keeps=frozenset({"value", "label", "annotation", "finalizers", "owners"}),
)  # fmt: skip
LEASE = Kind(
    "lease", f"/apis/coordination.k8s.io/v1/{NAMESPACED}/leases", generation=False, status=False, unconditional=False,
    creates_on_update=True,
)  # fmt: skip
KINDS = (POD, DEPLOYMENT, WIDGET, LEASE)


@dataclass(frozen=True)
class Content:
    """What a client writes: `value` stands for the spec, `bound` for a pod's node. `status` "" is none."""

    value: int = 1
    status: str = ""
    label: str = ""
    annotation: str = ""
    finalizers: tuple[str, ...] = ()
    owners: tuple[Owner, ...] = ()
    bound: bool = False


@dataclass(frozen=True)
class Model:
    content: Content = field(default_factory=Content)
    generation: int = 0
    grace: int | None = None
    """None until its deletion is asked for."""
    deleted_at: datetime | None = None

    @property
    def deleting(self) -> bool:
        return self.grace is not None

    @property
    def gone(self) -> bool:
        """No write leaves such a one behind."""
        return self.grace == 0 and not self.content.finalizers


class Refused(Exception):
    def __init__(self, code: int, reason: str, field: str = "") -> None:
        super().__init__(code, reason, field)
        self.summary, self.field = (code, reason), field


def created(kind: Kind, content: Content) -> Model:
    status = {"pod": "Pending"}.get(kind.name, "") if kind.status else ""
    _check_owners(content)
    return Model(replace(content, status=status, bound=content.bound and kind.graceful), int(kind.generation))


def _check_owners(content: Content) -> None:
    if sum(controls for _, controls in content.owners) > 1:
        raise Refused(422, "Invalid", "metadata.ownerReferences")


def updated(kind: Kind, old: Model, asked: Content, endpoint: str) -> Model:
    """After a write of the whole object, to its own endpoint or to /status."""
    kept = kind.status_keeps if endpoint == "status" else {"status"}
    new = replace(asked, bound=old.content.bound, **{name: getattr(old.content, name) for name in kept})
    if old.deleting and not set(new.finalizers) <= set(old.content.finalizers):
        raise Refused(422, "Invalid", "metadata.finalizers")
    _check_owners(new)
    counts = new.value != old.content.value or (kind.annotations_count and new.annotation != old.content.annotation)
    return replace(old, content=new, generation=old.generation + int(counts and kind.generation and endpoint != "status"))


def bound(old: Model) -> Model:
    if old.deleting or old.content.bound:
        raise Refused(409, "Conflict")
    return replace(old, content=replace(old.content, bound=True))


@dataclass(frozen=True)
class Removal:
    """`written` is what is stored first, if anything; `pending` changes nothing."""

    outcome: Literal["pending", "stays", "goes"]
    written: Model | None = None


def removed(kind: Kind, old: Model, grace: int | None, policy: str | None, now: datetime) -> Removal:
    if grace is not None and grace < 0:
        grace = 1
    finalizers = finalizers_after(old.content.finalizers, policy)
    if kind.graceful and not old.deleting:
        return _begun(old, _granted(old, grace), finalizers, now)
    if kind.graceful and old.grace:
        if grace is None or grace >= old.grace:
            return Removal("pending")
        assert old.deleted_at is not None
        at = old.deleted_at - timedelta(seconds=old.grace - grace)
        new = replace(old, content=replace(old.content, finalizers=finalizers), grace=grace, deleted_at=at)
        return Removal("goes" if new.gone else "stays", new)
    if not finalizers:
        return Removal("goes")
    return (
        _begun(old, 0, finalizers, now)
        if not old.deleting
        else Removal("stays", replace(old, content=replace(old.content, finalizers=finalizers)))
    )


def _begun(old: Model, grace: int, finalizers: tuple[str, ...], now: datetime) -> Removal:
    stepped = old.generation + 1 if old.generation else 0
    new = Model(replace(old.content, finalizers=finalizers), stepped, grace, now + timedelta(seconds=grace))
    return Removal("goes" if new.gone else "stays", new)


def _granted(pod: Model, asked: int | None) -> int:
    """Nothing runs of a pod without a node, or of one that has ended."""
    if not pod.content.bound or pod.content.status in ("Succeeded", "Failed"):
        return 0
    return 30 if asked is None else asked


def finalizers_after(finalizers: tuple[str, ...], policy: str | None) -> tuple[str, ...]:
    """What the propagation policy says to the garbage collector. Without one, it stays as it was asked for."""
    if policy is None:
        return finalizers
    own = {"Foreground": (FOREGROUND,), "Orphan": (ORPHAN,)}.get(policy, ())
    wanted = (*(each for each in finalizers if each not in (FOREGROUND, ORPHAN)), *own)
    return finalizers if set(wanted) == set(finalizers) else wanted


# -- objects as clients see them


def body(kind: Kind, name: str, content: Content) -> dict[str, Any]:
    """To create, with what must not survive: a status, a generation, an unknown field of a custom resource."""
    metadata: dict[str, Any] = {"name": name, "generation": 40} | metadata_of(content)
    obj: dict[str, Any] = {"metadata": metadata, "spec": spec_of(kind, content)}
    if kind is WIDGET:
        obj |= {"apiVersion": "example.com/v1", "kind": "Widget", "unknown": 1}
    return obj | ({"status": status_of(kind, content.status)} if content.status else {})


def metadata_of(content: Content) -> dict[str, Any]:
    return {
        "labels": {"l": content.label} if content.label else {},
        "annotations": {"a": content.annotation} if content.annotation else {},
        "finalizers": list(content.finalizers),
        "ownerReferences": [
            {"apiVersion": "v1", "kind": "ConfigMap", "name": f"o-{uid}", "uid": uid, "controller": controls}
            for uid, controls in content.owners
        ],
    }  # fmt: skip


def spec_of(kind: Kind, content: Content) -> dict[str, Any]:
    containers = [{"name": "c", "image": f"i:{content.value}"}]
    labels = {"app": "x"}
    specs: dict[str, dict[str, Any]] = {
        "pod": {"containers": containers} | ({"nodeName": "n"} if content.bound else {}),
        "deployment": {
            "replicas": content.value, "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": "i"}]}},
        },
        "widget": {"value": content.value, "unknown": {"deep": 1}},
        "lease": {"leaseDurationSeconds": content.value},
    }  # fmt: skip
    return specs[kind.name]


def status_of(kind: Kind, status: str) -> dict[str, Any]:
    if kind is DEPLOYMENT:
        return {"conditions": [{"type": "Available", "status": "True", "reason": status}]}
    return {"phase": status, "unknown": 1} if kind is WIDGET else {"phase": status}


def seen(kind: Kind, obj: Any) -> Model:
    """Raises AssertionError for what no such object may have."""
    metadata, spec, status = obj["metadata"], obj["spec"], obj.get("status") or {}
    if kind is WIDGET:
        assert spec == {"value": spec["value"], "size": 7}, "pruned and defaulted"
        assert not status or status == {"phase": status["phase"], "level": "low"}
    value: Any = {
        "pod": (spec.get("containers") or [{}])[0].get("image", "i:0")[2:], "deployment": spec.get("replicas"),
        "widget": spec.get("value"), "lease": spec.get("leaseDurationSeconds"),
    }[kind.name]  # fmt: skip
    shown = status["conditions"][0]["reason"] if status.get("conditions") and kind is DEPLOYMENT else status.get("phase", "")
    content = Content(
        int(value), shown, (metadata.get("labels") or {}).get("l", ""), (metadata.get("annotations") or {}).get("a", ""),
        tuple(metadata.get("finalizers") or ()),
        tuple((each["uid"], each.get("controller", False)) for each in metadata.get("ownerReferences") or ()),
        bool(spec.get("nodeName")),
    )  # fmt: skip
    at = metadata.get("deletionTimestamp")
    grace = metadata.get("deletionGracePeriodSeconds")
    assert (at is None) == (grace is None)
    return Model(content, metadata.get("generation", 0), grace, parse_time(at) if at else None)


def differences(kind: Kind, obj: Any, expected: Model) -> list[str]:
    """In words, for whoever reads the failure."""
    found = seen(kind, obj)
    pairs = {name: (getattr(found.content, name), getattr(expected.content, name)) for name in Content.__dataclass_fields__}
    pairs |= {name: (getattr(found, name), getattr(expected, name)) for name in ("generation", "grace", "deleted_at")}
    return [f"{name} is {got!r} instead of {wanted!r}" for name, (got, wanted) in pairs.items() if got != wanted]
