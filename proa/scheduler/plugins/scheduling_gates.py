"""A pod with scheduling gates waits outside the queue until the last one is removed."""

from proa.scheduler.framework.events import ClusterEvent
from proa.scheduler.framework.status import Status, unresolvable
from proa.scheduler.pod_info import PodInfo


class SchedulingGates:
    name = "SchedulingGates"

    def pre_enqueue(self, pod: PodInfo) -> Status | None:
        gates = [gate["name"] for gate in pod.spec.get("schedulingGates") or ()]
        return unresolvable(self.name, f"waiting for scheduling gates: [{' '.join(gates)}]") if gates else None

    def may_help(self, pod: PodInfo, event: ClusterEvent) -> bool:
        return False
