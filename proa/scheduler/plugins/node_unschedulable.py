"""A cordoned node takes only pods that tolerate its being unschedulable, as DaemonSet pods do."""

from collections.abc import Hashable

from proa.api.scheduling.taints import UNSCHEDULABLE_TAINT, tolerates
from proa.scheduler.framework.cycle_state import CycleState
from proa.scheduler.framework.events import ClusterEvent, NodeEvent
from proa.scheduler.framework.status import Status, unresolvable
from proa.scheduler.node_info import NodeInfo
from proa.scheduler.pod_info import PodInfo

REASON = "node(s) were unschedulable"


class NodeUnschedulable:
    name = "NodeUnschedulable"

    def filter(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> Status | None:
        if not node.unschedulable or _tolerates(pod):
            return None
        return unresolvable(self.name, REASON)

    def sign_filter(self, pod: PodInfo) -> Hashable:
        return _tolerates(pod)

    def may_help(self, pod: PodInfo, event: ClusterEvent) -> bool:
        if not isinstance(event, NodeEvent) or event.new is None or not event.changed("spec", "unschedulable"):
            return False
        return not (event.new.get("spec") or {}).get("unschedulable")


def _tolerates(pod: PodInfo) -> bool:
    return any(tolerates(each, UNSCHEDULABLE_TAINT) for each in pod.spec.get("tolerations") or ())
