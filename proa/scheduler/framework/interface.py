"""The extension points of a scheduling cycle, in their order, as protocols; a plugin implements those that it needs.

Filters and scores are asked node by node. For large clusters a plugin may answer for all nodes at once (`filter_all`, `score_all`), or say
what of the pod its answer depends on beside the node object (`sign_filter`, `sign_score`), so that answers can be kept. Both must agree
with the node-by-node answer, which stays the definition.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import field
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from proa.lib.dataclass import dataclass
from proa.scheduler.framework.cycle_state import CycleState
from proa.scheduler.framework.events import ClusterEvent
from proa.scheduler.framework.status import Status
from proa.scheduler.node_info import NodeInfo
from proa.scheduler.pod_info import PodInfo

if TYPE_CHECKING:
    from proa.scheduler.vector.columns import Columns

MAX_NODE_SCORE = 100


class Plugin(Protocol):
    name: str


@runtime_checkable
class PreEnqueue(Protocol):
    name: str

    def pre_enqueue(self, pod: PodInfo) -> Status | None:
        """A status keeps the pod out of the queue until it changes."""
        ...


@runtime_checkable
class PreFilter(Protocol):
    name: str

    def pre_filter(self, state: CycleState, pod: PodInfo) -> "Status | frozenset[str] | None":
        """SKIP leaves out the filter; a status refuses all nodes; names are the only nodes worth a look."""
        ...


@runtime_checkable
class Filter(Protocol):
    name: str

    def filter(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> Status | None: ...


@runtime_checkable
class SignedFilter(Protocol):
    name: str

    def sign_filter(self, pod: PodInfo) -> Hashable:
        """Equal for pods that the filter treats alike on every node, whatever pods run there."""
        ...


@runtime_checkable
class VectorFilter(Protocol):
    name: str

    def filter_all(self, state: CycleState, pod: PodInfo, columns: "Columns") -> Any:
        """A mask over the node slots, or None if every node passes."""
        ...


@dataclass(frozen=True, slots=True)
class PostFilterResult:
    """`nominated_node` is "" where nothing helps; `victims` leave it."""

    nominated_node: str = ""
    victims: tuple[PodInfo, ...] = ()
    message: str = ""


@runtime_checkable
class PostFilter(Protocol):
    name: str

    def post_filter(self, pod: PodInfo, statuses: Mapping[str, Status]) -> PostFilterResult: ...


@runtime_checkable
class PreScore(Protocol):
    name: str

    def pre_score(self, state: CycleState, pod: PodInfo, nodes: Sequence[NodeInfo]) -> Status | None:
        """SKIP leaves out the score."""
        ...


@runtime_checkable
class Score(Protocol):
    name: str

    def score(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> int: ...

    def normalize(self, state: CycleState, scores: list[int]) -> list[int]:
        """To 0..100, where 100 is best."""
        ...


@runtime_checkable
class VectorScore(Protocol):
    name: str

    def score_all(self, state: CycleState, pod: PodInfo, columns: "Columns", slots: Any) -> Any:
        """Normalized scores of the feasible node slots, or None if they are all the same."""
        ...


@runtime_checkable
class Reserve(Protocol):
    name: str

    def reserve(self, state: CycleState, pod: PodInfo, node: str) -> Status | None: ...

    def unreserve(self, state: CycleState, pod: PodInfo, node: str) -> None: ...


@runtime_checkable
class Permit(Protocol):
    name: str

    def permit(self, state: CycleState, pod: PodInfo, node: str) -> Status | None: ...


@runtime_checkable
class PreBind(Protocol):
    name: str

    async def pre_bind(self, state: CycleState, pod: PodInfo, node: str) -> Status | None: ...


@runtime_checkable
class Bind(Protocol):
    name: str

    async def bind(self, state: CycleState, pod: PodInfo, node: str) -> Status | None:
        """SKIP leaves it to the next."""
        ...


@runtime_checkable
class QueueingHint(Protocol):
    name: str

    def may_help(self, pod: PodInfo, event: ClusterEvent) -> bool:
        """Whether the event could make a pod schedulable that this plugin refused."""
        ...


@dataclass(slots=True)
class Diagnosis:
    """Why no node was found: a status per node, or one for all; and which plugins refused."""

    total_nodes: int
    statuses: dict[str, Status] = field(default_factory=dict)
    pre_filter_message: str = ""
    post_filter_message: str = ""
    plugins: set[str] = field(default_factory=set)
