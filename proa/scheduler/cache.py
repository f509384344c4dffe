"""All nodes and all pods that have one: what was watched, and what was decided a moment ago and is not seen yet (assumed pods).

Every read of a scheduling cycle is answered from here, without a request and without a copy. An assumed pod counts from the decision on;
the watch confirms it, a failed binding forgets it, and one that is never confirmed is let go after a while.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from proa.api import meta
from proa.api.meta import Object
from proa.lib.clock import Clock
from proa.scheduler.node_info import NodeInfo, scheduling_facts
from proa.scheduler.pod_counts import PodCounts
from proa.scheduler.pod_info import PodInfo

_log = logging.getLogger(__name__)

ASSUMED_SECONDS = 900.0


class NodeObserver(Protocol):
    """The columns of a large cluster: told of every change to a node."""

    def slot_of(self, node: str) -> int | None: ...
    def node_changed(self, node: NodeInfo) -> None: ...
    def node_removed(self, name: str) -> None: ...
    def pods_changed(self, node: NodeInfo) -> None: ...


class Cache:
    """`nodes` are those that are known by name and object. `generation` moves with every change."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.nodes: dict[str, NodeInfo] = {}
        self.generation = 0
        self.observer: NodeObserver | None = None
        self.counts = PodCounts(lambda name: self.observer.slot_of(name) if self.observer else None)
        self._unknown: dict[str, NodeInfo] = {}
        self._pods: dict[str, tuple[PodInfo, str]] = {}
        self._assumed: dict[str, float | None] = {}
        self.image_nodes: dict[str, int] = {}

    # Nodes

    def set_node(self, node: Object) -> bool:
        """Whether anything changed that matters for scheduling."""
        name = meta.name(node)
        info = self.nodes.get(name)
        if info is not None and scheduling_facts(info.node) == scheduling_facts(node):
            info.node = node
            return False
        if info is None:
            info = self._unknown.pop(name, None) or NodeInfo(name)
            self.nodes[name] = info
        self._count_images(info, -1)
        info.set_node(node)
        self._count_images(info, 1)
        self.generation += 1
        if self.observer:
            self.observer.node_changed(info)
        return True

    def remove_node(self, name: str) -> None:
        info = self.nodes.pop(name, None)
        if info is None:
            return
        self._count_images(info, -1)
        self.generation += 1
        if info.pods:
            info.node = {}
            self._unknown[name] = info
        if self.observer:
            self.observer.node_removed(name)

    def _count_images(self, info: NodeInfo, number: int) -> None:
        for image in info.images:
            count = self.image_nodes.get(image, 0) + number
            if count:
                self.image_nodes[image] = count
            else:
                del self.image_nodes[image]

    # Pods

    def get_pod(self, key: str) -> PodInfo | None:
        """Assigned or assumed."""
        found = self._pods.get(key)
        return found[0] if found else None

    def set_pod(self, pod: PodInfo) -> None:
        """As the API says it is now; it has a node."""
        self._assumed.pop(pod.key, None)
        known = self._pods.get(pod.key)
        if known is not None and known[1] == pod.node_name and known[0].counts_as(pod):
            self._pods[pod.key] = pod, known[1]
            self._info(known[1]).pods[pod.key] = pod
            self.counts.replace(pod, known[1])
            return
        if known is not None:
            self._take(*known)
        self._put(pod, pod.node_name)

    def remove_pod(self, key: str) -> PodInfo | None:
        self._assumed.pop(key, None)
        known = self._pods.get(key)
        if known is None:
            return None
        self._take(*known)
        return known[0]

    def assume(self, pod: PodInfo, node: str) -> None:
        self._put(pod, node)
        self._assumed[pod.key] = None

    def is_assumed(self, key: str) -> bool:
        return key in self._assumed

    def binding_finished(self, key: str) -> None:
        """From now on the confirmation is waited for."""
        if key in self._assumed:
            self._assumed[key] = self._clock.monotonic() + ASSUMED_SECONDS

    def forget(self, key: str) -> None:
        """A decision that came to nothing."""
        if key in self._assumed:
            self.remove_pod(key)

    def expire(self) -> list[PodInfo]:
        """Drop, and return, assumed pods that the watch never confirmed."""
        now = self._clock.monotonic()
        late = [key for key, deadline in self._assumed.items() if deadline is not None and deadline <= now]
        expired = [pod for key in late if (pod := self.remove_pod(key)) is not None]
        for pod in expired:
            _log.warning("the binding of %s was never confirmed", pod.key)
        return expired

    @contextmanager
    def without(self, pods: Sequence[PodInfo]) -> Iterator[list[PodInfo]]:
        """A rehearsal: these pods are gone, until the end of the block; the yielded list says which are still gone and may be changed
        with `restore` and `withdraw`."""
        places = {pod.key: self._pods[pod.key][1] for pod in pods}
        gone: list[PodInfo] = []
        for pod in pods:
            self._take(pod, places[pod.key])
            gone.append(pod)
        try:
            yield gone
        finally:
            for pod in gone:
                self._put(pod, places[pod.key])

    def restore(self, gone: list[PodInfo], pod: PodInfo, node: str) -> None:
        gone.remove(pod)
        self._put(pod, node)

    def withdraw(self, gone: list[PodInfo], pod: PodInfo, node: str) -> None:
        self._take(pod, node)
        gone.append(pod)

    def _info(self, node: str) -> NodeInfo:
        found = self.nodes.get(node) or self._unknown.get(node)
        if found is None:
            found = self._unknown[node] = NodeInfo(node)
        return found

    def _put(self, pod: PodInfo, node: str) -> None:
        self._pods[pod.key] = pod, node
        info = self._info(node)
        info.add_pod(pod)
        self._pods_changed(info)
        self.counts.add(pod, node)

    def _take(self, pod: PodInfo, node: str) -> None:
        del self._pods[pod.key]
        info = self._info(node)
        info.remove_pod(pod)
        self._pods_changed(info)
        self.counts.remove(pod, node)
        if not info.pods:
            self._unknown.pop(node, None)

    def _pods_changed(self, info: NodeInfo) -> None:
        self.generation += 1
        if self.observer:
            self.observer.pods_changed(info)
