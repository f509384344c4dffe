"""Pods that want to be near others, or far from them: required terms filter, preferred terms score; both sides' wishes count."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from proa.scheduler.cache import Cache
from proa.scheduler.framework.cycle_state import CycleState
from proa.scheduler.framework.events import ClusterEvent, NamespaceEvent, NodeEvent
from proa.scheduler.framework.interface import MAX_NODE_SCORE
from proa.scheduler.framework.status import SKIP, Status, unresolvable, unschedulable
from proa.scheduler.node_info import NodeInfo
from proa.scheduler.plugins.inter_pod_affinity.terms import Domain, NamespaceLabels, add_by_domain, pods_meant
from proa.scheduler.pod_counts import ANTI_AFFINITY, REQUIRED_AFFINITY
from proa.scheduler.pod_info import PodInfo

if TYPE_CHECKING:
    from proa.scheduler.vector.columns import Columns

REASON_AFFINITY = "node(s) didn't match pod affinity rules"
REASON_ANTI_AFFINITY = "node(s) didn't match pod anti-affinity rules"
REASON_EXISTING = "node(s) didn't satisfy existing pods anti-affinity rules"
HARD_AFFINITY_WEIGHT = 1
"""What a running pod's required affinity adds where it is met by the new pod."""


class InterPodAffinity:
    name = "InterPodAffinity"

    def __init__(self, cache: Cache, namespace_labels: NamespaceLabels) -> None:
        self._cache, self._namespace_labels = cache, namespace_labels

    def pre_filter(self, state: CycleState, pod: PodInfo) -> Status | None:
        near: dict[Domain, int] = {}
        far: dict[Domain, int] = {}
        existing: dict[Domain, int] = {}
        counts, nodes = self._cache.counts, self._cache.nodes
        for (kind, term), found in counts.matching(pod, self._namespace_labels):
            if kind == ANTI_AFFINITY:
                add_by_domain(existing, term.topology_key, [found], nodes)
        if wanted := pod.affinity.required_affinity:
            meant = pods_meant(wanted, counts, self._namespace_labels)
            for key in {term.topology_key for term in wanted}:
                add_by_domain(near, key, meant, nodes)
        for term in pod.affinity.required_anti_affinity:
            add_by_domain(far, term.topology_key, pods_meant([term], counts, self._namespace_labels), nodes)
        if not existing and not pod.affinity.required_affinity and not far:
            return SKIP
        state.data[self.name] = near, far, existing, {key for key, _ in existing}
        return None

    def filter(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> Status | None:
        near, far, existing, keys = state.data[self.name]
        if pod.affinity.required_affinity and not self._is_near(pod, near, node):
            return unresolvable(self.name, REASON_AFFINITY)
        if far and any(_here(far, term.topology_key, node) for term in pod.affinity.required_anti_affinity):
            return unschedulable(self.name, REASON_ANTI_AFFINITY)
        if any((key, node.labels.get(key)) in existing for key in keys):
            return unschedulable(self.name, REASON_EXISTING)
        return None

    def _is_near(self, pod: PodInfo, near: dict[Domain, int], node: NodeInfo) -> bool:
        """The first pod of a group that wants its own kind near may go anywhere that has the topology."""
        terms = pod.affinity.required_affinity
        if any(term.topology_key not in node.labels for term in terms):
            return False
        if all(_here(near, term.topology_key, node) for term in terms):
            return True
        return not near and all(term.matches(pod.namespace, pod.labels, self._namespace_labels) for term in terms)

    def filter_all(self, state: CycleState, pod: PodInfo, columns: "Columns") -> Any:
        if not self._cache.counts.carried and not pod.affinity:
            return None
        from proa.scheduler.plugins.inter_pod_affinity import vector

        return vector.filter_all(pod, self._cache.counts, self._namespace_labels, columns)

    def pre_score(self, state: CycleState, pod: PodInfo, nodes: Sequence[NodeInfo]) -> Status | None:
        scores: dict[Domain, int] = {}
        counts, known = self._cache.counts, self._cache.nodes
        for (kind, term), found in counts.matching(pod, self._namespace_labels):
            if kind != ANTI_AFFINITY:
                add_by_domain(scores, term.topology_key, [found], known, HARD_AFFINITY_WEIGHT if kind == REQUIRED_AFFINITY else kind)
        for weight, term in pod.affinity.preferred:
            add_by_domain(scores, term.topology_key, pods_meant([term], counts, self._namespace_labels), known, weight)
        state.data["score " + self.name] = scores
        return None if scores else SKIP

    def score(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> int:
        scores: dict[Domain, int] = state.data["score " + self.name]
        return sum(scores.get((key, node.labels[key]), 0) for key in {key for key, _ in scores} if key in node.labels)

    def normalize(self, state: CycleState, scores: list[int]) -> list[int]:
        least, most = min(scores), max(scores)
        return [int(MAX_NODE_SCORE * ((score - least) / (most - least))) if most > least else 0 for score in scores]

    def score_all(self, state: CycleState, pod: PodInfo, columns: "Columns", slots: Any) -> Any:
        if not self._cache.counts.carried and not pod.affinity:
            return None
        from proa.scheduler.plugins.inter_pod_affinity import vector

        scores = vector.scores(pod, self._cache.counts, self._namespace_labels, columns, HARD_AFFINITY_WEIGHT)[slots]
        least, most = int(scores.min()), int(scores.max())
        return (MAX_NODE_SCORE * ((scores - least) / (most - least))).astype(scores.dtype) if most > least else None

    def may_help(self, pod: PodInfo, event: ClusterEvent) -> bool:
        if isinstance(event, NodeEvent):
            return event.new is not None
        if isinstance(event, NamespaceEvent):
            return True
        return any(each is not None and self._concerns(pod, each) for each in (event.old, event.new))

    def _concerns(self, pod: PodInfo, other: PodInfo) -> bool:
        labels = self._namespace_labels
        own = (*pod.affinity.required_affinity, *pod.affinity.required_anti_affinity)
        return any(term.matches(other.namespace, other.labels, labels) for term in own) or any(
            term.matches(pod.namespace, pod.labels, labels) for term in other.affinity.required_anti_affinity
        )


def _here(found: dict[Domain, int], key: str, node: NodeInfo) -> bool:
    return key in node.labels and found.get((key, node.labels[key]), 0) > 0
