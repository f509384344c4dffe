"""Two pods can't hold the same port of a node."""

from proa.api.scheduling.host_ports import conflict
from proa.scheduler.framework.cycle_state import CycleState
from proa.scheduler.framework.events import AssignedPodEvent, ClusterEvent, NodeEvent
from proa.scheduler.framework.status import SKIP, Status, unschedulable
from proa.scheduler.node_info import NodeInfo
from proa.scheduler.pod_info import PodInfo

REASON = "node(s) didn't have free ports for the requested pod ports"


class NodePorts:
    name = "NodePorts"

    def pre_filter(self, state: CycleState, pod: PodInfo) -> Status | None:
        return None if pod.host_ports else SKIP

    def filter(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> Status | None:
        return unschedulable(self.name, REASON) if node.used_ports and conflict(pod.host_ports, node.used_ports) else None

    def may_help(self, pod: PodInfo, event: ClusterEvent) -> bool:
        if isinstance(event, AssignedPodEvent):
            return event.new is None and event.old is not None and conflict(pod.host_ports, event.old.host_ports)
        return isinstance(event, NodeEvent) and event.old is None
