"""When nothing fits, looks for a node where the removal of less important pods would make room, and for the fewest that must go.

Every trial changes the cache itself and puts it back, so that all plugins see the trial as they would see the fact.
"""

from collections.abc import Callable, Mapping, Sequence

from proa.api.meta import Object
from proa.scheduler.cache import Cache
from proa.scheduler.fit_error import histogram
from proa.scheduler.framework.cycle_state import CycleState
from proa.scheduler.framework.framework import Framework
from proa.scheduler.framework.interface import PostFilterResult
from proa.scheduler.framework.status import Code, Status, unresolvable
from proa.scheduler.plugins.default_preemption.candidates import Candidate, best, importance, violating
from proa.scheduler.pod_info import PodInfo

NO_VICTIMS = "No preemption victims found for incoming pod"
NOT_HELPFUL = "Preemption is not helpful for scheduling"
NEVER = "not eligible due to preemptionPolicy=Never."
TERMINATING = "not eligible due to a terminating pod on the nominated node."
LEAST_CANDIDATES, CANDIDATES_PERCENTAGE = 100, 10


class DefaultPreemption:
    """`framework` is set by the registry, since it is made of its plugins."""

    name = "DefaultPreemption"
    framework: Framework

    def __init__(self, cache: Cache, budgets: Callable[[], Sequence[Object]], choose: Callable[[int], int]) -> None:
        self._cache, self._budgets, self._choose = cache, budgets, choose

    def post_filter(self, pod: PodInfo, statuses: Mapping[str, Status]) -> PostFilterResult:
        if reason := self._not_eligible(pod, statuses):
            # The promise stays while the pods that make room for it leave: else a lesser pod takes the place of the first that is gone.
            return PostFilterResult(pod.nominated_node, message=f"preemption: {reason}")
        candidates, refusals = self._candidates(pod, statuses)
        if candidates:
            chosen = best(candidates)
            return PostFilterResult(chosen.node, chosen.victims)
        absent = unresolvable(self.name, NOT_HELPFUL)
        listed = [refusals.get(name, absent) for name in self._cache.nodes]
        return PostFilterResult(message=f"preemption: 0/{len(listed)} nodes are available:{histogram(listed)}")

    def _not_eligible(self, pod: PodInfo, statuses: Mapping[str, Status]) -> str:
        if pod.spec.get("preemptionPolicy") == "Never":
            return NEVER
        status, node = statuses.get(pod.nominated_node), self._cache.nodes.get(pod.nominated_node)
        if node is None or (status is not None and status.code is Code.UNRESOLVABLE):
            return ""
        leaving = any(each.terminating and each.priority < pod.priority for each in node.pods.values())
        return TERMINATING if leaving else ""

    def _candidates(self, pod: PodInfo, statuses: Mapping[str, Status]) -> tuple[list[Candidate], dict[str, Status]]:
        """Nodes from a random place on, until there are enough candidates."""
        names = [name for name, status in statuses.items() if status.code is Code.UNSCHEDULABLE]
        enough = max(LEAST_CANDIDATES, len(self._cache.nodes) * CANDIDATES_PERCENTAGE // 100)
        start = self._choose(len(names)) if names else 0
        found: list[Candidate] = []
        refusals: dict[str, Status] = {}
        for name in [*names[start:], *names[:start]]:
            result = self._rehearse(pod, name)
            if isinstance(result, Status):
                refusals[name] = result
            else:
                found.append(result)
                if len(found) >= enough:
                    break
        return found, refusals

    def _rehearse(self, pod: PodInfo, name: str) -> Candidate | Status:
        """Take all less important pods away; if the pod fits then, give back as many as possible, the most important first."""
        lower = sorted((each for each in self._cache.nodes[name].pods.values() if each.priority < pod.priority), key=importance)
        if not lower:
            return unresolvable(self.name, NO_VICTIMS)
        breaking = violating(lower, self._budgets())
        with self._cache.without(lower) as gone:
            if (status := self._fits(pod, name)) is not None:
                return status
            for each in sorted(lower, key=lambda each: each.key not in breaking):
                self._cache.restore(gone, each, name)
                if self._fits(pod, name) is not None:
                    self._cache.withdraw(gone, each, name)
            victims = tuple(sorted(gone, key=importance))
        if not victims:
            return unresolvable(self.name, NO_VICTIMS)
        return Candidate(name, victims, sum(each.key in breaking for each in victims))

    def _fits(self, pod: PodInfo, name: str) -> Status | None:
        state = CycleState()
        return self.framework.pre_filter(state, pod) or self.framework.filter(state, pod, self._cache.nodes[name])
