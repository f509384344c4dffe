"""Runs the plugins of a scheduling cycle, extension point by extension point."""

from collections.abc import Sequence

from proa.scheduler.framework.cycle_state import CycleState
from proa.scheduler.framework.events import ClusterEvent
from proa.scheduler.framework.interface import (
    MAX_NODE_SCORE,
    Bind,
    Filter,
    Permit,
    Plugin,
    PostFilter,
    PreBind,
    PreEnqueue,
    PreFilter,
    PreScore,
    QueueingHint,
    Reserve,
    Score,
    VectorFilter,
)
from proa.scheduler.framework.status import Code, Status
from proa.scheduler.node_info import NodeInfo
from proa.scheduler.nominator import Nominator
from proa.scheduler.pod_info import PodInfo


class Framework:
    """`plugins` in the order in which they are asked, each with the weight of its score."""

    def __init__(self, plugins: Sequence[tuple[Plugin, int]], nominator: Nominator) -> None:
        everyone = [plugin for plugin, _ in plugins]
        self._nominator = nominator
        self.pre_enqueues = [each for each in everyone if isinstance(each, PreEnqueue)]
        self.pre_filters = [(each, isinstance(each, VectorFilter)) for each in everyone if isinstance(each, PreFilter)]
        self.filters = [each for each in everyone if isinstance(each, Filter)]
        self.post_filters = [each for each in everyone if isinstance(each, PostFilter)]
        self.scores = [(plugin, weight) for plugin, weight in plugins if isinstance(plugin, Score)]
        self._pre_scores = {each.name: each for each in everyone if isinstance(each, PreScore)}
        self._reserves = [each for each in everyone if isinstance(each, Reserve)]
        self._permits = [each for each in everyone if isinstance(each, Permit)]
        self._pre_binds = [each for each in everyone if isinstance(each, PreBind)]
        self._binds = [each for each in everyone if isinstance(each, Bind)]
        self._hints = {each.name: each for each in everyone if isinstance(each, QueueingHint)}

    def pre_enqueue(self, pod: PodInfo) -> Status | None:
        return next((status for each in self.pre_enqueues if (status := each.pre_enqueue(pod)) is not None), None)

    def pre_filter(
        self, state: CycleState, pod: PodInfo, *, vectors: bool = False, names: dict[str, frozenset[str]] | None = None
    ) -> Status | None:
        """With `vectors`, those that work over all nodes at once are left to do so. `names` takes what plugins narrow the nodes down to."""
        for plugin, over_all_nodes in self.pre_filters:
            if vectors and over_all_nodes:
                continue
            answer = plugin.pre_filter(state, pod)
            if isinstance(answer, Status):
                if answer.code is not Code.SKIP:
                    return answer
                state.skipped_filters.add(plugin.name)
            elif answer is not None and names is not None:
                names[plugin.name] = answer
        return None

    def filter(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> Status | None:
        """With the pods that were promised a place there, and without them, as they may never come."""
        promised = self._nominator.ahead_of(pod, node.name)
        if promised:
            for each in promised:
                node.add_pod(each)
            try:
                status = self._filter(state, pod, node)
            finally:
                for each in promised:
                    node.remove_pod(each)
            if status is not None:
                return status
        return self._filter(state, pod, node)

    def _filter(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> Status | None:
        for plugin in self.filters:
            if plugin.name not in state.skipped_filters and (status := plugin.filter(state, pod, node)) is not None:
                return status
        return None

    def score(self, state: CycleState, pod: PodInfo, nodes: Sequence[NodeInfo]) -> list[int]:
        total = [0] * len(nodes)
        for plugin, weight in self.scores:
            for index, score in enumerate(self.score_with(plugin, state, pod, nodes)):
                total[index] += weight * score
        return total

    def score_with(self, plugin: Score, state: CycleState, pod: PodInfo, nodes: Sequence[NodeInfo]) -> list[int]:
        if (pre_score := self._pre_scores.get(plugin.name)) is not None:
            status = pre_score.pre_score(state, pod, nodes)
            if status is not None and status.code is Code.SKIP:
                return [0] * len(nodes)
        scores = plugin.normalize(state, [plugin.score(state, pod, node) for node in nodes])
        if any(not 0 <= score <= MAX_NODE_SCORE for score in scores):
            raise ValueError(f"plugin {plugin.name} returned scores outside 0..{MAX_NODE_SCORE}")
        return scores

    def reserve(self, state: CycleState, pod: PodInfo, node: str) -> Status | None:
        return next((status for each in self._reserves if (status := each.reserve(state, pod, node)) is not None), None)

    def unreserve(self, state: CycleState, pod: PodInfo, node: str) -> None:
        for each in reversed(self._reserves):
            each.unreserve(state, pod, node)

    def permit(self, state: CycleState, pod: PodInfo, node: str) -> Status | None:
        return next((status for each in self._permits if (status := each.permit(state, pod, node)) is not None), None)

    async def bind(self, state: CycleState, pod: PodInfo, node: str) -> Status | None:
        """PreBind of all, then the first Bind that does it; raises what the API raises."""
        for pre_bind in self._pre_binds:
            if (status := await pre_bind.pre_bind(state, pod, node)) is not None:
                return status
        for bind in self._binds:
            status = await bind.bind(state, pod, node)
            if status is None or status.code is not Code.SKIP:
                return status
        raise LookupError("no plugin binds pods")

    def may_help(self, pod: PodInfo, plugins: set[str], event: ClusterEvent) -> bool:
        """Whether any of the plugins that refused the pod thinks that the event may change its mind."""
        hints = (self._hints.get(name) for name in plugins)
        return any(hint is None or hint.may_help(pod, event) for hint in hints)
