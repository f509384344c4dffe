"""How many pods of a kind run on each node, counted once and then kept in step with every pod that comes or goes.

Topology spread and pod affinity ask this of the whole cluster for every pod that they place; walking all pods each time would cost more
than everything else together. A kind is given by namespaces and a label selector, or by an affinity term that running pods carry.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Any

from proa.api.labels import Selector
from proa.api.scheduling.pod_affinity import AffinityTerm
from proa.lib.dataclass import dataclass
from proa.scheduler.pod_info import PodInfo

LIMIT = 512
"""Kinds that are kept; the least recently asked for goes."""


class NodeCounts:
    """`by_node` has no zeros; `vector` is kept by the columns of a large cluster."""

    __slots__ = ("by_node", "vector")

    def __init__(self) -> None:
        self.by_node: dict[str, int] = {}
        self.vector: Any = None

    def add(self, node: str, number: int, slot: int | None) -> None:
        count = self.by_node.get(node, 0) + number
        if count:
            self.by_node[node] = count
        else:
            self.by_node.pop(node, None)
        if self.vector is not None and slot is not None:
            self.vector[slot] += number


@dataclass(frozen=True, slots=True)
class PodKind:
    """Pods of one namespace whose labels match; topology spread leaves out those that are terminating."""

    namespace: str
    selector: Selector
    with_terminating: bool = False

    def includes(self, pod: PodInfo) -> bool:
        return (self.with_terminating or not pod.terminating) and self.selector.matches(pod.labels)


Carried = tuple[int, AffinityTerm]
"""(weight, term) that running pods carry; weight 0 is required anti-affinity, REQUIRED_AFFINITY required affinity."""
ANTI_AFFINITY = 0
REQUIRED_AFFINITY = 1000


class PodCounts:
    """Told of every pod by the cache. `slot_of` gives a node's place in vectors, if there are any."""

    def __init__(self, slot_of: Callable[[str], int | None]) -> None:
        self._slot_of = slot_of
        self._kinds: OrderedDict[PodKind, NodeCounts] = OrderedDict()
        self._by_namespace: dict[str, dict[PodKind, NodeCounts]] = {}
        self._pods: dict[str, dict[str, tuple[PodInfo, str]]] = {}
        self.carried: dict[Carried, NodeCounts] = {}

    def add(self, pod: PodInfo, node: str) -> None:
        self._pods.setdefault(pod.namespace, {})[pod.key] = pod, node
        self._count(pod, node, 1)

    def remove(self, pod: PodInfo, node: str) -> None:
        listed = self._pods[pod.namespace]
        del listed[pod.key]
        if not listed:
            del self._pods[pod.namespace]
        self._count(pod, node, -1)

    def replace(self, pod: PodInfo, node: str) -> None:
        """The same pod, seen again; nothing that is counted changed."""
        self._pods[pod.namespace][pod.key] = pod, node

    def of(self, kind: PodKind) -> NodeCounts:
        found = self._kinds.get(kind)
        if found is None:
            found = self._build(kind)
        else:
            self._kinds.move_to_end(kind)
        return found

    def matching(self, pod: PodInfo, namespace_labels: Callable[[str], dict[str, str]]) -> Iterable[tuple[Carried, NodeCounts]]:
        """Terms of running pods that mean this pod, and where those pods run."""
        for carried, counts in self.carried.items():
            if carried[1].matches(pod.namespace, pod.labels, namespace_labels):
                yield carried, counts

    def namespaces(self) -> Iterable[str]:
        return self._pods.keys()

    def _build(self, kind: PodKind) -> NodeCounts:
        counts = NodeCounts()
        for pod, node in self._pods.get(kind.namespace, {}).values():
            if kind.includes(pod):
                counts.add(node, 1, None)
        self._kinds[kind] = counts
        self._by_namespace.setdefault(kind.namespace, {})[kind] = counts
        if len(self._kinds) > LIMIT:
            oldest, _ = self._kinds.popitem(last=False)
            del self._by_namespace[oldest.namespace][oldest]
        return counts

    def _count(self, pod: PodInfo, node: str, number: int) -> None:
        slot = self._slot_of(node)
        for kind, counts in self._by_namespace.get(pod.namespace, {}).items():
            if kind.includes(pod):
                counts.add(node, number, slot)
        if pod.affinity:
            self._count_carried(pod, node, number, slot)

    def _count_carried(self, pod: PodInfo, node: str, number: int, slot: int | None) -> None:
        terms = pod.affinity
        carried: list[Carried] = [(ANTI_AFFINITY, term) for term in terms.required_anti_affinity]
        carried += [(REQUIRED_AFFINITY, term) for term in terms.required_affinity]
        for key in (*carried, *terms.preferred):
            counts = self.carried.setdefault(key, NodeCounts())
            counts.add(node, number, slot)
            if not counts.by_node:
                del self.carried[key]

    def forget_vectors(self) -> None:
        for counts in (*self._kinds.values(), *self.carried.values()):
            counts.vector = None
