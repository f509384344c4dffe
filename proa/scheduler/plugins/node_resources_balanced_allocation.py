"""Likes nodes where CPU and memory would be used to a similar degree: 100 less the standard deviation of the two shares, in hundredths."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from proa.scheduler.framework.cycle_state import CycleState
from proa.scheduler.framework.interface import MAX_NODE_SCORE
from proa.scheduler.framework.status import SKIP, Status
from proa.scheduler.node_info import NodeInfo
from proa.scheduler.pod_info import PodInfo

if TYPE_CHECKING:
    from proa.scheduler.vector.columns import Columns


class NodeResourcesBalancedAllocation:
    name = "NodeResourcesBalancedAllocation"

    def pre_score(self, state: CycleState, pod: PodInfo, nodes: Sequence[NodeInfo]) -> Status | None:
        """A pod that asks for nothing would find every node equally balanced and pile up on one."""
        return None if pod.requests.get("cpu") or pod.requests.get("memory") else SKIP

    def score(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> int:
        shares = [
            min(1.0, (node.requested.get(name, 0) + pod.requests.get(name, 0)) / node.allocatable[name])
            for name in ("cpu", "memory")
            if node.allocatable.get(name)
        ]
        deviation = abs((shares[0] - shares[1]) / 2) if len(shares) == 2 else 0.0
        return int((1 - deviation) * MAX_NODE_SCORE)

    def normalize(self, state: CycleState, scores: list[int]) -> list[int]:
        return scores

    def score_all(self, state: CycleState, pod: PodInfo, columns: "Columns", slots: Any) -> Any:
        if self.pre_score(state, pod, ()) is SKIP:
            return None
        asked = pod.requests.get("cpu", 0), pod.requests.get("memory", 0)
        return columns.recent((self.name, asked), lambda: columns.balance(*asked), lambda node: self.score(state, pod, node))[slots]
