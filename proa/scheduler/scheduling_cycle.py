"""One pod's way to a node: filter, score, pick; and if nothing fits, why. It runs without a pause, so it sees one state of the cluster."""

from collections.abc import Callable
from dataclasses import field
from typing import TYPE_CHECKING

import orjson

from proa.lib.dataclass import dataclass
from proa.scheduler.cache import Cache
from proa.scheduler.framework.cycle_state import CycleState
from proa.scheduler.framework.framework import Framework
from proa.scheduler.framework.interface import Diagnosis, PostFilterResult
from proa.scheduler.framework.status import Status, unresolvable
from proa.scheduler.node_info import NodeInfo
from proa.scheduler.nominator import Nominator
from proa.scheduler.plugins.node_name import NodeName
from proa.scheduler.pod_info import PodInfo

if TYPE_CHECKING:
    from proa.scheduler.vector.engine import VectorEngine

VECTOR_THRESHOLD = 100
"""From so many nodes on vectors pay: below, loading numpy costs more than it saves."""


@dataclass(frozen=True, slots=True)
class Decision:
    """A node's name, or "" and the reason; `state` goes on to binding."""

    node: str
    state: CycleState = field(default_factory=CycleState)
    diagnosis: Diagnosis | None = None
    post_filter: PostFilterResult = field(default_factory=PostFilterResult)


class SchedulingCycle:
    """`choose(n)` draws one of n equally good nodes."""

    def __init__(self, framework: Framework, cache: Cache, nominator: Nominator, choose: Callable[[int], int]) -> None:
        self._framework, self._cache, self._nominator, self._choose = framework, cache, nominator, choose
        self._engine: VectorEngine | None = None
        self._last_failure: tuple[int, bytes, Decision] | None = None

    def decide(self, pod: PodInfo) -> Decision:
        """What was found out for a pod of the same shape is not found out again while nothing has changed."""
        generation, last = self._cache.generation, self._last_failure
        if last is not None and last[0] == generation and last[1] == _shape(pod) and not self._nominator:
            return last[2]
        decision = self._decide(pod)
        failed = not decision.node and not decision.post_filter.nominated_node
        self._last_failure = (generation, _shape(pod), decision) if failed else None
        return decision

    def _decide(self, pod: PodInfo) -> Decision:
        if not self._cache.nodes:
            return Decision("", diagnosis=Diagnosis(0, plugins={NodeName.name}))
        state = CycleState()
        names: dict[str, frozenset[str]] = {}
        vectors = len(self._cache.nodes) >= VECTOR_THRESHOLD
        refusal = self._framework.pre_filter(state, pod, vectors=vectors and not self._nominator, names=names)
        if refusal is not None:
            statuses = dict.fromkeys(self._cache.nodes, refusal)
            return self._failed(pod, state, statuses, Diagnosis(len(self._cache.nodes), statuses, refusal.message))
        if names:
            return self._among(pod, names)
        if vectors:
            node, statuses = self._vector_engine().place(state, pod, self._nominator, self._choose)
        else:
            node, statuses = self._one_by_one(state, pod, list(self._cache.nodes.values()))
        if node:
            return Decision(node, state)
        return self._failed(pod, state, statuses, Diagnosis(len(self._cache.nodes), statuses))

    def _among(self, pod: PodInfo, names: dict[str, frozenset[str]]) -> Decision:
        """Only the nodes that plugins narrowed the choice down to."""
        state = CycleState()
        self._framework.pre_filter(state, pod)
        allowed = frozenset.intersection(*names.values())
        nodes = [self._cache.nodes[name] for name in sorted(allowed) if name in self._cache.nodes]
        node, statuses = self._one_by_one(state, pod, nodes)
        if node:
            return Decision(node, state)
        plugins = sorted(names)
        absent = unresolvable(plugins[0], f"node(s) didn't satisfy plugin(s) [{' '.join(plugins)}]")
        everyone = {name: statuses.get(name, absent) for name in self._cache.nodes}
        return self._failed(pod, state, everyone, Diagnosis(len(everyone), everyone, plugins=set(plugins)))

    def _one_by_one(self, state: CycleState, pod: PodInfo, nodes: list[NodeInfo]) -> tuple[str, dict[str, Status]]:
        promised = self._cache.nodes.get(self._nominator.node_of(pod.key))
        if promised in nodes and promised is not None and self._framework.filter(state, pod, promised) is None:
            return promised.name, {}
        feasible: list[NodeInfo] = []
        statuses: dict[str, Status] = {}
        for node in nodes:
            status = self._framework.filter(state, pod, node)
            if status is None:
                feasible.append(node)
            else:
                statuses[node.name] = status
        if len(feasible) <= 1:
            return (feasible[0].name if feasible else ""), statuses
        scores = self._framework.score(state, pod, feasible)
        highest = max(scores)
        best = [node for node, score in zip(feasible, scores, strict=True) if score == highest]
        return best[self._choose(len(best))].name, statuses

    def _failed(self, pod: PodInfo, state: CycleState, statuses: dict[str, Status], diagnosis: Diagnosis) -> Decision:
        diagnosis.plugins |= {status.plugin for status in statuses.values()}
        result = PostFilterResult()
        for plugin in self._framework.post_filters:
            result = plugin.post_filter(pod, statuses)
            if result.nominated_node or result.message:
                break
        diagnosis.post_filter_message = result.message
        return Decision("", state, diagnosis, result)

    def _vector_engine(self) -> "VectorEngine":
        if self._engine is None:
            from proa.scheduler.vector.columns import Columns
            from proa.scheduler.vector.engine import VectorEngine

            columns = Columns(self._cache)
            self._cache.observer = columns
            self._engine = VectorEngine(self._framework, columns)
        return self._engine


def _shape(pod: PodInfo) -> bytes:
    return orjson.dumps([pod.namespace, pod.labels, pod.spec])
