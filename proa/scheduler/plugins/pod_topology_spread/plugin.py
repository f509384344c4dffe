"""Spreads pods of a kind over zones, hosts or any other topology: DoNotSchedule filters, ScheduleAnyway scores.

With a constraint, no domain may get more than maxSkew pods ahead of the emptiest one. Source: KEP-895, KEP-3022, KEP-3094, KEP-3243.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import field
from typing import TYPE_CHECKING, Any

from proa.api.labels import Selector
from proa.lib.dataclass import dataclass
from proa.scheduler.cache import Cache
from proa.scheduler.framework.cycle_state import CycleState
from proa.scheduler.framework.events import AssignedPodEvent, ClusterEvent, NodeEvent
from proa.scheduler.framework.interface import MAX_NODE_SCORE
from proa.scheduler.framework.status import SKIP, Status, unresolvable, unschedulable
from proa.scheduler.node_info import NodeInfo
from proa.scheduler.plugins.pod_topology_spread.constraints import HOSTNAME, Constraint, Constraints, implied, stated
from proa.scheduler.pod_counts import NodeCounts
from proa.scheduler.pod_info import PodInfo

if TYPE_CHECKING:
    from proa.scheduler.vector.columns import Columns

REASON = "node(s) didn't match pod topology spread constraints"
REASON_NO_LABEL = f"{REASON} (missing required label)"
_IGNORED = -1


@dataclass(slots=True)
class _Skew:
    """One constraint at filter: pods in each domain, and the fewest that any has."""

    constraint: Constraint
    own: int
    domains: dict[str, int] = field(default_factory=dict)

    @property
    def least(self) -> float:
        return 0 if len(self.domains) < self.constraint.min_domains else min(self.domains.values(), default=math.inf)


@dataclass(slots=True)
class _Spread:
    """One constraint at score."""

    constraint: Constraint
    counts: NodeCounts
    weight: float
    domains: dict[str, int]


class PodTopologySpread:
    name = "PodTopologySpread"

    def __init__(self, cache: Cache, owner_selector: Callable[[PodInfo], Selector | None]) -> None:
        self._cache, self._owner_selector = cache, owner_selector

    def pre_filter(self, state: CycleState, pod: PodInfo) -> Status | None:
        constraints = stated(pod, "DoNotSchedule")
        if not constraints:
            return SKIP
        skews = [_Skew(each, int(each.selector.matches(pod.labels))) for each in constraints.listed]
        counts = [self._cache.counts.of(each.kind(pod.namespace)).by_node for each in constraints.listed]
        for node in self._cache.nodes.values():
            if not constraints.has_keys(node):
                continue
            for skew, by_node in zip(skews, counts, strict=True):
                if constraints.includes(skew.constraint, node):
                    domain = node.labels[skew.constraint.topology_key]
                    skew.domains[domain] = skew.domains.get(domain, 0) + by_node.get(node.name, 0)
        state.data[self.name] = [(skew, skew.least) for skew in skews]
        return None

    def filter(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> Status | None:
        for skew, least in state.data[self.name]:
            domain = node.labels.get(skew.constraint.topology_key)
            if domain is None:
                return unresolvable(self.name, REASON_NO_LABEL)
            if skew.domains.get(domain, 0) + skew.own - least > skew.constraint.max_skew:
                return unschedulable(self.name, REASON)
        return None

    def filter_all(self, state: CycleState, pod: PodInfo, columns: "Columns") -> Any:
        from proa.scheduler.plugins.pod_topology_spread import vector

        constraints = stated(pod, "DoNotSchedule")
        return vector.filter_all(pod, constraints, self._cache.counts, columns) if constraints else None

    def pre_score(self, state: CycleState, pod: PodInfo, nodes: Sequence[NodeInfo]) -> Status | None:
        constraints = self._for_scoring(pod)
        if not constraints:
            return SKIP
        taking_part = [node for node in nodes if not constraints.every_key or constraints.has_keys(node)]
        spreads = [self._spread(pod, each, taking_part) for each in constraints.listed]
        for node in self._cache.nodes.values():
            if not constraints.every_key or constraints.has_keys(node):
                _add_node(node, constraints, spreads)
        state.data["score " + self.name] = constraints, spreads
        return None

    def _for_scoring(self, pod: PodInfo) -> Constraints:
        return stated(pod, "ScheduleAnyway") if pod.spec.get("topologySpreadConstraints") else implied(pod, self._owner_selector)

    def _spread(self, pod: PodInfo, constraint: Constraint, nodes: Sequence[NodeInfo]) -> _Spread:
        counts = self._cache.counts.of(constraint.kind(pod.namespace))
        if constraint.topology_key == HOSTNAME:
            return _Spread(constraint, counts, math.log(len(nodes) + 2), {})
        domains = {node.labels.get(constraint.topology_key, ""): 0 for node in nodes}
        return _Spread(constraint, counts, math.log(len(domains) + 2), domains)

    def score(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> int:
        constraints, spreads = state.data["score " + self.name]
        if constraints.every_key and not constraints.has_keys(node):
            return _IGNORED
        total = 0.0
        for spread in spreads:
            domain = node.labels.get(spread.constraint.topology_key)
            if domain is not None:
                own_host = spread.constraint.topology_key == HOSTNAME
                count = spread.counts.by_node.get(node.name, 0) if own_host else spread.domains[domain]
                total += count * spread.weight + (spread.constraint.max_skew - 1)
        return math.floor(total + 0.5)

    def normalize(self, state: CycleState, scores: list[int]) -> list[int]:
        """The fewer pods, the better; nodes outside the topology get nothing."""
        counted = [score for score in scores if score != _IGNORED]
        least, most = min(counted, default=0), max(counted, default=0)
        if most == 0:
            return [0 if score == _IGNORED else MAX_NODE_SCORE for score in scores]
        return [0 if score == _IGNORED else MAX_NODE_SCORE * (most + least - score) // most for score in scores]

    def score_all(self, state: CycleState, pod: PodInfo, columns: "Columns", slots: Any) -> Any:
        from proa.scheduler.plugins.pod_topology_spread import vector

        constraints = self._for_scoring(pod)
        return vector.score_all(pod, constraints, self._cache.counts, columns, slots) if constraints else None

    def may_help(self, pod: PodInfo, event: ClusterEvent) -> bool:
        constraints = stated(pod, "DoNotSchedule")
        if isinstance(event, NodeEvent):
            return any(node is not None and _in_topology(node, constraints) for node in (event.old, event.new))
        if isinstance(event, AssignedPodEvent):
            return any(each is not None and _is_counted(each, pod, constraints) for each in (event.old, event.new))
        return False


def _add_node(node: NodeInfo, constraints: Constraints, spreads: list[_Spread]) -> None:
    for spread in spreads:
        domain = node.labels.get(spread.constraint.topology_key, "")
        if domain in spread.domains and constraints.includes(spread.constraint, node):
            spread.domains[domain] += spread.counts.by_node.get(node.name, 0)


def _in_topology(node: dict[str, Any], constraints: Constraints) -> bool:
    labels = node.get("metadata", {}).get("labels") or {}
    return all(each.topology_key in labels for each in constraints.listed)


def _is_counted(other: PodInfo, pod: PodInfo, constraints: Constraints) -> bool:
    return other.namespace == pod.namespace and any(each.selector.matches(other.labels) for each in constraints.listed)
