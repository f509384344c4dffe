"""A node must have room for what the pod requests; of those that have, the one with most left over is liked best (LeastAllocated)."""

from typing import TYPE_CHECKING, Any

from proa.api.scheduling.requests import amounts
from proa.scheduler.framework.cycle_state import CycleState
from proa.scheduler.framework.events import AssignedPodEvent, ClusterEvent, NodeEvent
from proa.scheduler.framework.interface import MAX_NODE_SCORE
from proa.scheduler.framework.status import Code, Status
from proa.scheduler.node_info import NodeInfo
from proa.scheduler.pod_info import PodInfo

if TYPE_CHECKING:
    from proa.scheduler.vector.columns import Columns

TOO_MANY_PODS = "Too many pods"


class NodeResourcesFit:
    name = "NodeResourcesFit"

    def filter(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> Status | None:
        reasons: list[str] = []
        allocatable, code = node.allocatable, Code.UNSCHEDULABLE
        if len(node.pods) + 1 > allocatable.get("pods", 0):
            reasons.append(TOO_MANY_PODS)
        for name, wanted in pod.requests.items():
            total = allocatable.get(name, 0)
            if wanted > total - node.requested.get(name, 0) and wanted > 0:
                reasons.append(f"Insufficient {name}")
                if wanted > total:
                    code = Code.UNRESOLVABLE
        return Status(code, tuple(reasons), self.name) if reasons else None

    def filter_all(self, state: CycleState, pod: PodInfo, columns: "Columns") -> Any:
        mask = columns.pod_count < columns.allocatable("pods")
        for name, wanted in pod.requests.items():
            if wanted > 0:
                mask &= columns.allocatable(name) - columns.requested(name) >= wanted
        return mask

    def score(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> int:
        cpu, memory = pod.scored
        parts = (
            (node.allocatable.get("cpu", 0), node.scored_cpu + cpu),
            (node.allocatable.get("memory", 0), node.scored_memory + memory),
        )
        free = [max(0, total - used) * MAX_NODE_SCORE // total for total, used in parts if total]
        return sum(free) // len(free) if free else 0

    def normalize(self, state: CycleState, scores: list[int]) -> list[int]:
        return scores

    def score_all(self, state: CycleState, pod: PodInfo, columns: "Columns", slots: Any) -> Any:
        key = (self.name, pod.scored)
        return columns.recent(key, lambda: columns.free_share(pod.scored), lambda node: self.score(state, pod, node))[slots]

    def may_help(self, pod: PodInfo, event: ClusterEvent) -> bool:
        if isinstance(event, AssignedPodEvent):
            return event.old is not None and (event.new is None or _asks_less(event.old, event.new))
        if not isinstance(event, NodeEvent) or event.new is None or not event.changed("status", "allocatable"):
            return False
        room = amounts((event.new.get("status") or {}).get("allocatable"))
        return room.get("pods", 0) > 0 and all(room.get(name, 0) >= wanted for name, wanted in pod.requests.items())


def _asks_less(old: PodInfo, new: PodInfo) -> bool:
    return any(new.requests.get(name, 0) < asked for name, asked in old.requests.items())
