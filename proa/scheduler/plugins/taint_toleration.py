"""Taints keep off pods that do not tolerate them (NoSchedule, NoExecute), or make a node less liked (PreferNoSchedule)."""

from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

from proa.api.scheduling.taints import count_untolerated_preferences, find_untolerated
from proa.scheduler.framework.cycle_state import CycleState
from proa.scheduler.framework.events import ClusterEvent, NodeEvent
from proa.scheduler.framework.status import Status, unresolvable
from proa.scheduler.node_info import NodeInfo
from proa.scheduler.plugins.normalize import in_proportion, vector_in_proportion
from proa.scheduler.pod_info import PodInfo

if TYPE_CHECKING:
    from proa.scheduler.vector.columns import Columns

REASON = "node(s) had untolerated taint(s)"


class TaintToleration:
    name = "TaintToleration"

    def filter(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> Status | None:
        if not node.taints or find_untolerated(node.taints, pod.spec.get("tolerations") or ()) is None:
            return None
        return unresolvable(self.name, REASON)

    def sign_filter(self, pod: PodInfo) -> Hashable:
        return tuple(tuple(sorted(each.items())) for each in pod.spec.get("tolerations") or ())

    def score(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> int:
        return count_untolerated_preferences(node.taints, pod.spec.get("tolerations") or ()) if node.taints else 0

    def normalize(self, state: CycleState, scores: list[int]) -> list[int]:
        return in_proportion(scores, reverse=True)

    def score_all(self, state: CycleState, pod: PodInfo, columns: "Columns", slots: Any) -> Any:
        key = (self.name, "score", self.sign_filter(pod))
        return vector_in_proportion(columns.kept(key, lambda node: self.score(state, pod, node))[slots], reverse=True)

    def may_help(self, pod: PodInfo, event: ClusterEvent) -> bool:
        if not isinstance(event, NodeEvent) or event.new is None or not event.changed("spec", "taints"):
            return False
        return find_untolerated((event.new.get("spec") or {}).get("taints") or (), pod.spec.get("tolerations") or ()) is None
