"""The nodes of a large cluster as vectors, one slot per node, kept in step with the cache.

Plain Python over thousands of nodes costs milliseconds a pod; these cost microseconds. numpy takes 10 MB and 0.1 s to load, so this module
is imported only when a cluster has grown enough to need it.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any

import numpy as np

from proa.scheduler.cache import Cache
from proa.scheduler.framework.interface import MAX_NODE_SCORE
from proa.scheduler.node_info import NodeInfo
from proa.scheduler.pod_counts import NodeCounts

Vector = np.ndarray[Any, Any]
KEPT_LIMIT = 256
"""Vectors of answers that are kept; the least recently used goes."""
RECENT_LIMIT = 6
"""Of those that change with every pod: each costs some microseconds a placement, and saves a hundred where a pod is like the last ones."""


class Columns:
    """`known` marks slots that hold a node. Reading a vector that was not there builds it."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self._start(max(256, 2 * len(cache.nodes)))

    def _start(self, size: int) -> None:
        self.size = size
        self._slots: dict[str, int] = {}
        self.nodes: list[NodeInfo | None] = [None] * size
        self._free = list(range(size - 1, -1, -1))
        self.known = np.zeros(size, bool)
        self.pod_count = np.zeros(size, np.int64)
        self._scored_cpu, self._scored_memory = np.zeros(size, np.int64), np.zeros(size, np.int64)
        self._allocatable: dict[str, Vector] = {}
        self._requested: dict[str, Vector] = {}
        self._kept: OrderedDict[Hashable, tuple[Vector, Callable[[NodeInfo], int]]] = OrderedDict()
        self._recent: OrderedDict[Hashable, tuple[Vector, Callable[[NodeInfo], int]]] = OrderedDict()
        self._domains: dict[str, tuple[Vector, dict[str, int]]] = {}
        self._cache.counts.forget_vectors()
        for node in self._cache.nodes.values():
            self.node_changed(node)

    # What the cache tells.

    def slot_of(self, node: str) -> int | None:
        return self._slots.get(node)

    def node_changed(self, node: NodeInfo) -> None:
        slot = self._slots.get(node.name)
        if slot is None:
            if not self._free:
                self._start(2 * self.size)
                return
            slot = self._slots[node.name] = self._free.pop()
            self.nodes[slot], self.known[slot] = node, True
            self._cache.counts.forget_vectors()
        for name, vector in self._allocatable.items():
            vector[slot] = node.allocatable.get(name, 0)
        for vector, function in self._kept.values():
            vector[slot] = function(node)
        for key, (vector, numbers) in self._domains.items():
            vector[slot] = _number(node.labels.get(key), numbers)
        self.pods_changed(node)

    def node_removed(self, name: str) -> None:
        slot = self._slots.pop(name)
        self.nodes[slot], self.known[slot] = None, False
        self.pod_count[slot] = 0
        for vector in self._allocatable.values():
            vector[slot] = 0
        for vector, _ in self._kept.values():
            vector[slot] = 0
        for vector, _ in self._domains.values():
            vector[slot] = -1
        self._cache.counts.forget_vectors()
        self._free.append(slot)

    def pods_changed(self, node: NodeInfo) -> None:
        slot = self._slots.get(node.name)
        if slot is None:
            return
        self.pod_count[slot] = len(node.pods)
        self._scored_cpu[slot], self._scored_memory[slot] = node.scored_cpu, node.scored_memory
        for name, vector in self._requested.items():
            vector[slot] = node.requested.get(name, 0)
        for vector, function in self._recent.values():
            vector[slot] = function(node)

    # What plugins read.

    def zeros(self) -> Vector:
        return np.zeros(self.size, np.int64)

    def allocatable(self, resource: str) -> Vector:
        if resource not in self._allocatable:
            self._allocatable[resource] = self._build(lambda node: node.allocatable.get(resource, 0))
        return self._allocatable[resource]

    def requested(self, resource: str) -> Vector:
        if resource not in self._requested:
            self._requested[resource] = self._build(lambda node: node.requested.get(resource, 0))
        return self._requested[resource]

    def kept(self, key: Hashable, function: Callable[[NodeInfo], int]) -> Vector:
        """`function` of every node object; it must depend on nothing but that and `key`."""
        found = self._kept.get(key)
        if found is None:
            found = self._kept[key] = self._build(function), function
            if len(self._kept) > KEPT_LIMIT:
                self._kept.popitem(last=False)
        else:
            self._kept.move_to_end(key)
        return found[0]

    def recent(self, key: Hashable, build: Callable[[], Vector], function: Callable[[NodeInfo], int]) -> Vector:
        """What depends on the node's pods too: built at once, then kept in step node by node."""
        found = self._recent.get(key)
        if found is None:
            found = self._recent[key] = build(), function
            if len(self._recent) > RECENT_LIMIT:
                self._recent.popitem(last=False)
        else:
            self._recent.move_to_end(key)
        return found[0]

    def counted(self, counts: NodeCounts) -> Vector:
        if counts.vector is None:
            counts.vector = self.zeros()
            for name, number in counts.by_node.items():
                if (slot := self._slots.get(name)) is not None:
                    counts.vector[slot] = number
        vector: Vector = counts.vector
        return vector

    def domains(self, topology_key: str) -> tuple[Vector, int]:
        """The number of each node's domain (-1 without the label), and how many numbers there are."""
        if topology_key not in self._domains:
            numbers: dict[str, int] = {}
            vector = np.full(self.size, -1, np.int64)
            for name, slot in self._slots.items():
                vector[slot] = _number(self._cache.nodes[name].labels.get(topology_key), numbers)
            self._domains[topology_key] = vector, numbers
        vector, numbers = self._domains[topology_key]
        return vector, max(1, len(numbers))

    def sum_by_domain(self, topology_key: str, counts: NodeCounts) -> Vector:
        """Per node, how many of these pods its domain holds; 0 where it is in none."""
        domain_of, size = self.domains(topology_key)
        inside = domain_of >= 0
        sums = np.bincount(domain_of[inside], weights=self.counted(counts)[inside], minlength=size).astype(np.int64)
        return np.where(inside, sums[domain_of], 0)

    def free_share(self, scored: tuple[int, int]) -> Vector:
        """The mean of the free shares of CPU and memory once the pod is there, in hundredths."""
        parts = ((self.allocatable("cpu"), self._scored_cpu, scored[0]), (self.allocatable("memory"), self._scored_memory, scored[1]))
        total, present = self.zeros(), self.zeros()
        for allocatable, used, wanted in parts:
            total += np.maximum(allocatable - used - wanted, 0) * MAX_NODE_SCORE // np.maximum(allocatable, 1)
            present += allocatable > 0
        return total // np.maximum(present, 1)

    def balance(self, cpu: int, memory: int) -> Vector:
        """100 less the standard deviation of the shares of CPU and memory, in hundredths."""
        shares = [
            np.minimum((self.requested(name) + wanted) / np.maximum(self.allocatable(name), 1), 1.0)
            for name, wanted in (("cpu", cpu), ("memory", memory))
        ]
        both = (self.allocatable("cpu") > 0) & (self.allocatable("memory") > 0)
        deviation = np.where(both, np.abs((shares[0] - shares[1]) / 2), 0.0)
        return ((1 - deviation) * MAX_NODE_SCORE).astype(np.int64)

    def _build(self, function: Callable[[NodeInfo], int]) -> Vector:
        vector = self.zeros()
        for name, slot in self._slots.items():
            vector[slot] = function(self._cache.nodes[name])
        return vector


def _number(value: str | None, numbers: dict[str, int]) -> int:
    return -1 if value is None else numbers.setdefault(value, len(numbers))
