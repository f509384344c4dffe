"""What happened in the cluster that may let a waiting pod run, in the terms that queueing hints are asked in."""

from proa.api.meta import Object
from proa.lib.dataclass import dataclass
from proa.scheduler.pod_info import PodInfo


@dataclass(frozen=True, slots=True)
class NodeEvent:
    """`old` and `new` are the node before and after; None where there is none."""

    old: Object | None
    new: Object | None

    def changed(self, *path: str) -> bool:
        """Whether the node is there and new, or has another value at that path than before."""
        return self.new is not None and (self.old is None or _at(self.old, path) != _at(self.new, path))


def _at(node: Object, path: tuple[str, ...]) -> object:
    value: object = node
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    return value


@dataclass(frozen=True, slots=True)
class AssignedPodEvent:
    """A pod that has a node: it came (old is None), changed, or went (new is None)."""

    old: PodInfo | None
    new: PodInfo | None


@dataclass(frozen=True, slots=True)
class NamespaceEvent:
    """Labels of a namespace changed."""

    name: str


ClusterEvent = NodeEvent | AssignedPodEvent | NamespaceEvent
