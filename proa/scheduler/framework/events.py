"""What happened in the cluster that may let a waiting pod run, in the terms that queueing hints are asked in."""

from dataclasses import dataclass
from typing import Literal

from proa.api.meta import Object
from proa.scheduler.pod_info import PodInfo

Action = Literal["add", "update", "delete"]


@dataclass(frozen=True, slots=True)
class NodeEvent:
    """`old` and `new` are the node before and after; None where there is none."""

    old: Object | None
    new: Object | None


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
