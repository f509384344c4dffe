"""A pod that states a constraint which this scheduler can't keep is not scheduled as if it had not stated it: it waits, and is told why."""

from proa.api.meta import Object
from proa.scheduler.framework.cycle_state import CycleState
from proa.scheduler.framework.events import ClusterEvent
from proa.scheduler.framework.status import SKIP, Status, unresolvable
from proa.scheduler.pod_info import PodInfo

_VOLUMES = ("persistentVolumeClaim", "ephemeral", "csi", "awsElasticBlockStore", "gcePersistentDisk", "iscsi", "rbd")
"""Volumes that bind to places or that count against limits of a node."""
_FIELDS = ("resourceClaims", "workloadRef", "schedulingGroup")


class UnsupportedConstraints:
    name = "UnsupportedConstraints"

    def pre_filter(self, state: CycleState, pod: PodInfo) -> Status | None:
        field = unsupported_field(pod.spec)
        return unresolvable(self.name, f"{field} is not supported by this scheduler yet") if field else SKIP

    def may_help(self, pod: PodInfo, event: ClusterEvent) -> bool:
        return False


def unsupported_field(spec: Object) -> str:
    """The path of the first one, or ""."""
    for index, volume in enumerate(spec.get("volumes") or ()):
        for kind in _VOLUMES:
            if volume.get(kind):
                return f"spec.volumes[{index}].{kind}"
    return next((f"spec.{field}" for field in _FIELDS if spec.get(field)), "")
