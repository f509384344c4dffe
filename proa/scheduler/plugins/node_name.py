"""A pod that names its node runs there or nowhere."""

from collections.abc import Hashable

from proa.scheduler.framework.cycle_state import CycleState
from proa.scheduler.framework.events import ClusterEvent, NodeEvent
from proa.scheduler.framework.status import Status, unresolvable
from proa.scheduler.node_info import NodeInfo
from proa.scheduler.pod_info import PodInfo

REASON = "node(s) didn't match the requested node name"


class NodeName:
    name = "NodeName"

    def filter(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> Status | None:
        return unresolvable(self.name, REASON) if pod.node_name not in ("", node.name) else None

    def sign_filter(self, pod: PodInfo) -> Hashable:
        return pod.node_name

    def may_help(self, pod: PodInfo, event: ClusterEvent) -> bool:
        return isinstance(event, NodeEvent) and event.old is None
