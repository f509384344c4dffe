"""What a node's silence or conditions mean: conditions turned Unknown, taints, and how disturbed a zone is. Pure."""

from collections.abc import Sequence
from typing import Literal

from proa.api import meta
from proa.api.meta import Object
from proa.api.node import ready_status
from proa.lib.dataclass import dataclass

NOT_READY = "node.kubernetes.io/not-ready"
UNREACHABLE = "node.kubernetes.io/unreachable"
UNSCHEDULABLE = "node.kubernetes.io/unschedulable"
WATCHED_CONDITIONS = ("Ready", "MemoryPressure", "DiskPressure", "PIDPressure")
_CONDITION_TAINTS = {
    ("Ready", "False"): NOT_READY,
    ("Ready", "Unknown"): UNREACHABLE,
    ("MemoryPressure", "True"): "node.kubernetes.io/memory-pressure",
    ("DiskPressure", "True"): "node.kubernetes.io/disk-pressure",
    ("PIDPressure", "True"): "node.kubernetes.io/pid-pressure",
    ("NetworkUnavailable", "True"): "node.kubernetes.io/network-unavailable",
}
MANAGED_NO_SCHEDULE = frozenset(_CONDITION_TAINTS.values()) | {UNSCHEDULABLE}
MANAGED_NO_EXECUTE = frozenset({NOT_READY, UNREACHABLE})
LARGE_ZONE = 50
UNHEALTHY_SHARE = 0.55
ZoneState = Literal["Normal", "PartialDisruption", "FullDisruption"]


def silenced_conditions(node: Object, now: str) -> list[Object] | None:
    """The conditions of a node that has stopped reporting; None if they say so already."""
    conditions = {each["type"]: each for each in node.get("status", {}).get("conditions") or ()}
    changed = False
    for type_ in WATCHED_CONDITIONS:
        old = conditions.get(type_)
        if old is None:
            conditions[type_] = {
                "type": type_, "status": "Unknown", "reason": "NodeStatusNeverUpdated", "message": "Kubelet never posted node status.",
                "lastHeartbeatTime": node["metadata"].get("creationTimestamp", now), "lastTransitionTime": now,
            }  # fmt: skip
            changed = True
        elif old["status"] != "Unknown":
            told = {"reason": "NodeStatusUnknown", "message": "Kubelet stopped posting node status."}
            conditions[type_] = {**old, "status": "Unknown", **told, "lastTransitionTime": now}
            changed = True
    return list(conditions.values()) if changed else None


def no_schedule_keys(node: Object) -> set[str]:
    keys = {
        taint for each in node.get("status", {}).get("conditions") or () if (taint := _CONDITION_TAINTS.get((each["type"], each["status"])))
    }
    return keys | ({UNSCHEDULABLE} if node.get("spec", {}).get("unschedulable") else set())


def no_execute_key(node: Object) -> str:
    """The taint that evicts from this node, "" for a ready one and for one that has never spoken."""
    if meta.condition(node, "Ready") is None:
        return ""
    return {"True": "", "False": NOT_READY}.get(ready_status(node), UNREACHABLE)


def taints_after(node: Object, now: str, *, may_evict: bool) -> list[Object]:
    """The node's taints as they should be; a new NoExecute taint waits until `may_evict`, others of ours come and go at once."""
    old = node.get("spec", {}).get("taints") or []
    no_schedule, no_execute = no_schedule_keys(node), no_execute_key(node)
    kept = [each for each in old if not _is_stale(each, no_schedule, no_execute)]
    present = {(each["key"], each["effect"]) for each in kept}
    added = [{"key": key, "effect": "NoSchedule", "timeAdded": now} for key in sorted(no_schedule) if (key, "NoSchedule") not in present]
    if no_execute and may_evict and (no_execute, "NoExecute") not in present:
        added.append({"key": no_execute, "effect": "NoExecute", "timeAdded": now})
    return [*kept, *added]


def _is_stale(taint: Object, no_schedule: set[str], no_execute: str) -> bool:
    if taint["effect"] == "NoSchedule":
        return taint["key"] in MANAGED_NO_SCHEDULE and taint["key"] not in no_schedule
    return taint["effect"] == "NoExecute" and taint["key"] in MANAGED_NO_EXECUTE and taint["key"] != no_execute


def lacks_no_execute(node: Object) -> bool:
    key = no_execute_key(node)
    taints = node.get("spec", {}).get("taints") or ()
    return bool(key) and not any(each["key"] == key and each["effect"] == "NoExecute" for each in taints)


def zone(node: Object) -> str:
    labels = meta.labels(node)
    return f"{labels.get('topology.kubernetes.io/region', '')}/{labels.get('topology.kubernetes.io/zone', '')}"


def zone_state(nodes: Sequence[Object]) -> ZoneState:
    """Nodes that have never spoken do not count."""
    known = [node for node in nodes if meta.condition(node, "Ready") is not None]
    not_ready = sum(ready_status(node) != "True" for node in known)
    if not_ready and not_ready == len(known):
        return "FullDisruption"
    if not_ready > 2 and not_ready / len(known) >= UNHEALTHY_SHARE:
        return "PartialDisruption"
    return "Normal"


def eviction_rate(state: ZoneState, size: int) -> float:
    """Nodes of a zone that may be emptied per second."""
    if state == "PartialDisruption":
        return 0.01 if size > LARGE_ZONE else 0.0
    return 0.1


@dataclass(slots=True)
class TokenBucket:
    """One token at most, refilled at the zone's rate."""

    tokens: float = 1.0
    at: float = 0.0

    def take(self, rate: float, now: float) -> bool:
        self.tokens = min(1.0, self.tokens + (now - self.at) * rate)
        self.at = now
        if self.tokens < 1.0 or not rate:
            return False
        self.tokens = 0.0
        return True
