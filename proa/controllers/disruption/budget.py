"""What a PodDisruptionBudget's status says of its pods: pure.

An eviction that the API granted is remembered in `disruptedPods` until the pod is seen to go: such a pod counts as lost already, so that
evictions in quick succession can't spend one allowance twice. Who is still there after two minutes counts as healthy again.
Source: policy/v1 PodDisruptionBudget, "Specifying a Disruption Budget for your Application".
"""

from collections.abc import Mapping, Sequence
from dataclasses import field
from datetime import datetime

from proa.api import meta
from proa.api.int_or_string import is_percent, scaled_value
from proa.api.meta import Object
from proa.controllers import pods
from proa.lib.clock import format_time, parse_time
from proa.lib.dataclass import dataclass

DELETION_TIMEOUT = 120.0
CONDITION = "DisruptionAllowed"


@dataclass(slots=True)
class Disrupted:
    """`waiting`: evictions still on their way; `overdue`: pods that were to go and did not; `recheck`: seconds until one more is."""

    waiting: dict[str, str] = field(default_factory=dict)
    overdue: list[Object] = field(default_factory=list)
    recheck: float | None = None


def needs_scale(budget: Object) -> bool:
    """Whether the budget is a share of what the pods' controllers want, and not a plain number of pods."""
    spec = budget.get("spec") or {}
    return spec.get("maxUnavailable") is not None or is_percent(spec.get("minAvailable", 0))


def expectation(budget: Object, pod_count: int, scale: int) -> tuple[int, int]:
    """(expectedPods, desiredHealthy); `scale` is what the controllers of the pods want, where `needs_scale`."""
    spec = budget.get("spec") or {}
    if (unavailable := spec.get("maxUnavailable")) is not None:
        return scale, max(0, scale - scaled_value(unavailable, scale, round_up=True))
    if (available := spec.get("minAvailable")) is not None:
        return (scale, scaled_value(available, scale, round_up=True)) if isinstance(available, str) else (pod_count, available)
    return 0, 0


def disrupted(budget: Object, selected: Sequence[Object], now: datetime) -> Disrupted:
    recorded: Mapping[str, str] = (budget.get("status") or {}).get("disruptedPods") or {}
    found = Disrupted()
    for pod in selected:
        since = recorded.get(meta.name(pod))
        if since is None or meta.is_terminating(pod):
            continue
        left = DELETION_TIMEOUT - (now - parse_time(since)).total_seconds()
        if left <= 0:
            found.overdue.append(pod)
        else:
            found.waiting[meta.name(pod)] = since
            found.recheck = left if found.recheck is None else min(left, found.recheck)
    return found


def healthy(selected: Sequence[Object], waiting: Mapping[str, str]) -> int:
    return sum(pods.is_ready(pod) and not meta.is_terminating(pod) and meta.name(pod) not in waiting for pod in selected)


def build_status(budget: Object, current: int, desired: int, expected: int, waiting: Mapping[str, str], now: datetime) -> Object:
    """A budget that expects no pod allows nothing: its first pods may appear before this status does."""
    allowed = max(0, current - desired) if expected > 0 else 0
    generation = budget["metadata"].get("generation", 0)
    status: Object = {
        "conditions": [dict(each) for each in (budget.get("status") or {}).get("conditions") or ()],
        "currentHealthy": current,
        "desiredHealthy": desired,
        "disruptionsAllowed": allowed,
        "expectedPods": expected,
        "observedGeneration": generation,
    }
    if waiting:
        status["disruptedPods"] = dict(waiting)
    reason, verdict = ("SufficientPods", "True") if allowed else ("InsufficientPods", "False")
    condition = {"type": CONDITION, "status": verdict, "reason": reason, "message": "", "observedGeneration": generation}
    meta.set_condition({"status": status}, condition, format_time(now))
    return status


def failed_status(budget: Object, why: str, now: datetime) -> Object:
    """What can't be calculated allows no disruption."""
    old = budget.get("status") or {}
    zeros = dict.fromkeys(("currentHealthy", "desiredHealthy", "expectedPods"), 0)
    status = zeros | old | {"disruptionsAllowed": 0, "conditions": [dict(each) for each in old.get("conditions") or ()]}
    condition = {
        "type": CONDITION, "status": "False", "reason": "SyncFailed", "message": why,
        "observedGeneration": old.get("observedGeneration", 0),
    }  # fmt: skip
    meta.set_condition({"status": status}, condition, format_time(now))
    return status


def stale_after(pod: Object, now: datetime) -> float | None:
    """Seconds until the pod's DisruptionTarget condition has outlived the disruption; None if it has none that could."""
    condition = meta.condition(pod, "DisruptionTarget")
    if condition is None or condition.get("status") != "True" or meta.is_terminating(pod) or not condition.get("lastTransitionTime"):
        return None
    return max(0.0, DELETION_TIMEOUT - (now - parse_time(condition["lastTransitionTime"])).total_seconds())


def described(selector: Object | None) -> str:
    """A label selector as upstream's events print it."""
    if selector is None:
        return "nil"
    labels = "".join(f"{key}: {value}," for key, value in sorted((selector.get("matchLabels") or {}).items()))
    listed = "".join(
        f"LabelSelectorRequirement{{Key:{each['key']},Operator:{each['operator']},Values:[{' '.join(each.get('values') or ())}],}},"
        for each in selector.get("matchExpressions") or ()
    )
    return f"&LabelSelector{{MatchLabels:map[string]string{{{labels}}},MatchExpressions:[]LabelSelectorRequirement{{{listed}}},}}"
