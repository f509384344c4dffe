"""One scheduling decision over all nodes at once, for clusters too large to ask every plugin about every node.

It decides what the node-by-node way decides. When no node fits, it remembers which plugin refused which node, and asks just that plugin
for its reason, so the words are those of the definition.
"""

from collections.abc import Callable

import numpy as np

from proa.scheduler.framework.cycle_state import CycleState
from proa.scheduler.framework.framework import Framework
from proa.scheduler.framework.interface import Filter, PreFilter, Score, SignedFilter, VectorFilter, VectorScore
from proa.scheduler.framework.status import Status
from proa.scheduler.node_info import NodeInfo
from proa.scheduler.nominator import Nominator
from proa.scheduler.pod_info import PodInfo
from proa.scheduler.vector.columns import Columns, Vector

Choose = Callable[[int], int]
"""One of so many equals."""
Refused = list[tuple[Filter, Vector]]


class VectorEngine:
    def __init__(self, framework: Framework, columns: Columns) -> None:
        self._framework, self.columns = framework, columns
        # Asked once: isinstance with a protocol costs microseconds.
        self._filters = [
            (each, each if isinstance(each, VectorFilter) else None, each if isinstance(each, SignedFilter) else None)
            for each in framework.filters
        ]
        self._scores = [(each, each if isinstance(each, VectorScore) else None, weight) for each, weight in framework.scores]

    def place(self, state: CycleState, pod: PodInfo, nominator: Nominator, choose: Choose) -> tuple[str, dict[str, Status]]:
        """The node's name; or "", and a status per node."""
        mask, refused = self.feasible(state, pod)
        promised = nominator.node_of(pod.key)
        taken = self._taken_by_promises(state, pod, nominator, mask)
        if promised and (slot := self.columns.slot_of(promised)) is not None and mask[slot]:
            return promised, {}
        slots = np.flatnonzero(mask)
        if not len(slots):
            return "", self.statuses(state, pod, refused) | taken
        if len(slots) == 1:
            return self._node(int(slots[0])).name, {}
        scores = self.scores(state, pod, slots)
        best = np.flatnonzero(scores == scores.max())
        return self._node(int(slots[best[choose(len(best))]])).name, {}

    def feasible(self, state: CycleState, pod: PodInfo) -> tuple[Vector, Refused]:
        mask = self.columns.known.copy()
        refused: Refused = []
        for plugin, vector, signed in self._filters:
            if plugin.name in state.skipped_filters:
                continue
            passed = vector.filter_all(state, pod, self.columns) if vector else self._passed(plugin, signed, state, pod, mask)
            if passed is not None and (failed := mask & ~passed).any():
                refused.append((plugin, failed))
                mask &= passed
        return mask, refused

    def _taken_by_promises(self, state: CycleState, pod: PodInfo, nominator: Nominator, mask: Vector) -> dict[str, Status]:
        """Nodes where room is left, but not for this pod: they leave the mask."""
        taken: dict[str, Status] = {}
        for name in nominator.nodes():
            slot = self.columns.slot_of(name)
            if slot is not None and mask[slot] and (status := self._framework.filter(state, pod, self._node(slot))) is not None:
                taken[name], mask[slot] = status, False
        return taken

    def _passed(self, plugin: Filter, signed: SignedFilter | None, state: CycleState, pod: PodInfo, mask: Vector) -> Vector:
        def passes(node: NodeInfo) -> int:
            return int(plugin.filter(state, pod, node) is None)

        if signed:
            kept: Vector = self.columns.kept((plugin.name, signed.sign_filter(pod)), passes) > 0
            return kept
        passed = mask.copy()
        for slot in np.flatnonzero(mask):
            passed[slot] = passes(self._node(int(slot)))
        return passed

    def scores(self, state: CycleState, pod: PodInfo, slots: Vector) -> Vector:
        total = np.zeros(len(slots), np.int64)
        for plugin, vector, weight in self._scores:
            found = vector.score_all(state, pod, self.columns, slots) if vector else self._scalar_scores(plugin, state, pod, slots)
            if found is not None:
                total += weight * found
        return total

    def _scalar_scores(self, plugin: Score, state: CycleState, pod: PodInfo, slots: Vector) -> Vector:
        nodes = [self._node(int(slot)) for slot in slots]
        return np.array(self._framework.score_with(plugin, state, pod, nodes), np.int64)

    def statuses(self, state: CycleState, pod: PodInfo, refused: Refused) -> dict[str, Status]:
        found: dict[str, Status] = {}
        for plugin, failed in refused:
            if isinstance(plugin, VectorFilter) and isinstance(plugin, PreFilter):
                plugin.pre_filter(state, pod)
            for slot in np.flatnonzero(failed):
                node = self._node(int(slot))
                status = plugin.filter(state, pod, node)
                if status is not None:
                    found[node.name] = status
        return found

    def _node(self, slot: int) -> NodeInfo:
        node = self.columns.nodes[slot]
        if node is None:
            raise LookupError(f"no node in slot {slot}")
        return node
