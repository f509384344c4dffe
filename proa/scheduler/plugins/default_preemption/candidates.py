"""Which of the nodes where preemption would work it should be: least harm first. Pure.

Order: fewest violated disruption budgets, least important most important victim, smallest sum of priorities, fewest victims, and latest
start of the most important ones.
"""

from collections.abc import Sequence
from typing import Any

from proa.api import meta
from proa.api.labels import selector_from_object
from proa.api.meta import Object
from proa.lib.clock import parse_time
from proa.lib.dataclass import dataclass
from proa.scheduler.pod_info import PodInfo

_OFFSET = 2**31
"""Makes every victim count in the sum, also those of negative priority."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """`victims` with the most important first."""

    node: str
    victims: tuple[PodInfo, ...]
    violations: int


def best(candidates: Sequence[Candidate]) -> Candidate:
    return min(candidates, key=_harm)


def _harm(candidate: Candidate) -> tuple[Any, ...]:
    victims = candidate.victims
    highest = max(each.priority for each in victims)
    latest = min(start_time(each) for each in victims if each.priority == highest)
    return candidate.violations, highest, sum(each.priority + _OFFSET for each in victims), len(victims), -latest


def start_time(pod: PodInfo) -> float:
    """Seconds; a pod that did not start yet is the latest of all."""
    started = pod.pod.get("status", {}).get("startTime")
    return parse_time(started).timestamp() if started else 4e9


def importance(pod: PodInfo) -> tuple[int, float]:
    """Sorts the most important first: priority, then age."""
    return -pod.priority, start_time(pod)


def violating(pods: Sequence[PodInfo], budgets: Sequence[Object]) -> set[str]:
    """Keys of the pods whose removal, in this order, would break a disruption budget."""
    allowed = [int(each.get("status", {}).get("disruptionsAllowed") or 0) for each in budgets]
    found: set[str] = set()
    for pod in pods:
        for index, budget in enumerate(budgets):
            if not _covers(budget, pod):
                continue
            allowed[index] -= 1
            if allowed[index] < 0:
                found.add(pod.key)
    return found


def _covers(budget: Object, pod: PodInfo) -> bool:
    if meta.namespace(budget) != pod.namespace or not pod.labels:
        return False
    selector = selector_from_object(budget["spec"].get("selector"))
    already = meta.name(pod.pod) in (budget.get("status", {}).get("disruptedPods") or {})
    return bool(selector) and selector.matches(pod.labels) and not already
