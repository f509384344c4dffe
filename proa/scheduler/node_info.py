"""A node with its pods, summed up: what filters and scores read.

It is kept up to date in place. As a scheduling cycle runs without a pause in one event loop, it sees a consistent state without a copy.
"""

from typing import Any

from proa.api import meta
from proa.api.meta import Object
from proa.api.scheduling.host_ports import HostPort
from proa.api.scheduling.requests import Requests, amounts
from proa.scheduler.pod_info import PodInfo


class NodeInfo:
    """`node` is {} until the node itself is known: its pods may be seen first."""

    __slots__ = (
        "allocatable", "images", "labels", "name", "node", "pods", "requested", "scored_cpu", "scored_memory", "taints",
        "unschedulable", "used_ports",
    )  # fmt: skip

    def __init__(self, name: str) -> None:
        self.name = name
        self.node: Object = {}
        self.labels: dict[str, str] = {}
        self.taints: list[Object] = []
        self.unschedulable = False
        self.allocatable: Requests = {}
        self.images: dict[str, int] = {}
        self.pods: dict[str, PodInfo] = {}
        self.requested: Requests = {}
        self.scored_cpu = self.scored_memory = 0
        self.used_ports: list[HostPort] = []

    def set_node(self, node: Object) -> None:
        spec, status = node.get("spec") or {}, node.get("status") or {}
        self.node = node
        self.labels = meta.labels(node)
        self.taints = spec.get("taints") or []
        self.unschedulable = bool(spec.get("unschedulable"))
        self.allocatable = amounts(status.get("allocatable"))
        self.images = {name: image.get("sizeBytes") or 0 for image in status.get("images") or () for name in image.get("names") or ()}

    def add_pod(self, pod: PodInfo) -> None:
        self.pods[pod.key] = pod
        self._count(pod, 1)
        self.used_ports.extend(pod.host_ports)

    def remove_pod(self, pod: PodInfo) -> None:
        del self.pods[pod.key]
        self._count(pod, -1)
        for port in pod.host_ports:
            self.used_ports.remove(port)

    def _count(self, pod: PodInfo, sign: int) -> None:
        for name, value in pod.requests.items():
            self.requested[name] = self.requested.get(name, 0) + sign * value
        self.scored_cpu += sign * pod.scored[0]
        self.scored_memory += sign * pod.scored[1]


def scheduling_facts(node: Object) -> tuple[Any, ...]:
    """What of a node object matters here; a heartbeat changes none of it."""
    spec, status = node.get("spec") or {}, node.get("status") or {}
    return meta.labels(node), spec.get("taints"), spec.get("unschedulable"), status.get("allocatable"), status.get("images")
