"""Node selector and node affinity: required terms filter, preferred terms add their weight."""

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any

import orjson

from proa.api.scheduling.node_affinity import preferred_node_terms, required_node_affinity
from proa.scheduler.framework.cycle_state import CycleState
from proa.scheduler.framework.events import ClusterEvent, NodeEvent
from proa.scheduler.framework.status import SKIP, Status, unresolvable
from proa.scheduler.node_info import NodeInfo
from proa.scheduler.plugins.normalize import in_proportion, vector_in_proportion
from proa.scheduler.pod_info import PodInfo

if TYPE_CHECKING:
    from proa.scheduler.vector.columns import Columns

REASON = "node(s) didn't match Pod's node affinity/selector"


class NodeAffinity:
    name = "NodeAffinity"

    def pre_filter(self, state: CycleState, pod: PodInfo) -> Status | frozenset[str] | None:
        required = required_node_affinity(pod.spec)
        if not required:
            return SKIP
        state.data[self.name] = required
        return required.node_names()

    def filter(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> Status | None:
        return None if state.data[self.name].matches(node.node) else unresolvable(self.name, REASON)

    def sign_filter(self, pod: PodInfo) -> Hashable:
        affinity = (pod.spec.get("affinity") or {}).get("nodeAffinity")
        return orjson.dumps([pod.spec.get("nodeSelector"), affinity], option=orjson.OPT_SORT_KEYS)

    def pre_score(self, state: CycleState, pod: PodInfo, nodes: Sequence[NodeInfo]) -> Status | None:
        preferred = preferred_node_terms(pod.spec)
        state.data["score " + self.name] = preferred
        return None if preferred else SKIP

    def score(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> int:
        return sum(weight for weight, term in state.data["score " + self.name] if term.matches(node.node))

    def normalize(self, state: CycleState, scores: list[int]) -> list[int]:
        return in_proportion(scores)

    def score_all(self, state: CycleState, pod: PodInfo, columns: "Columns", slots: Any) -> Any:
        if self.pre_score(state, pod, ()) is SKIP:
            return None
        key = (self.name, "score", self.sign_filter(pod))
        return vector_in_proportion(columns.kept(key, lambda node: self.score(state, pod, node))[slots])

    def may_help(self, pod: PodInfo, event: ClusterEvent) -> bool:
        if not isinstance(event, NodeEvent) or event.new is None or not event.changed("metadata", "labels"):
            return False
        return required_node_affinity(pod.spec).matches(event.new)
