"""What the requests of one flow share, and a request on its way through a priority level.

A `Flow` is what classification comes to: it is made once per (user, verb, resource, namespace) and kept until a schema changes.
"""

import asyncio
from dataclasses import field
from typing import TYPE_CHECKING

from proa.apiserver.fairness.work import Work
from proa.apiserver.interface import RequestInfo, User
from proa.lib.dataclass import dataclass

if TYPE_CHECKING:
    from proa.apiserver.fairness.priority_level import PriorityLevel
    from proa.lib.metrics import Series


class Rejected(Exception):
    """The request is not served: queue-full, concurrency-limit or time-out."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class FlowCounts:
    """The series of one schema in one level. What runs and waits now is counted when it is asked for."""

    schema: str
    level: str
    dispatched: list[float]
    seats_estimated: "Series"
    waited: "Series"
    turned_away: "Series"
    executed: "Series"
    watched: "Series"
    queue_lengths: "Series"
    one_seat_seconds: list[float]
    """How long requests of one seat took, not in the series yet: most requests are such, and an append is all they have to pay."""

    def fold(self) -> None:
        for seconds in self.one_seat_seconds:
            self.executed.observe(seconds)
            self.seats_estimated.observe(1)
        self.one_seat_seconds.clear()


@dataclass(frozen=True, slots=True)
class Flow:
    """`hand` are the queues that it may use; empty in a level without queues."""

    schema: str
    schema_uid: str
    level: "PriorityLevel"
    level_uid: str
    distinguisher: str
    hand: tuple[int, ...]
    counts: FlowCounts


class Turn:
    """A request that runs. What most turns never have stands in the class."""

    queue: "Queue | None" = None
    """The one that it counts for while others wait."""
    waited = 0.0
    """Seconds before it started."""

    def __init__(self, flow: Flow, work: Work, started: float, user: User, info: RequestInfo) -> None:
        self.flow, self.work, self.started, self.user, self.info = flow, work, started, user, info


@dataclass(slots=True, eq=False)
class Waiter:
    """A request that waits. `arrival_r` is the virtual time of its arrival."""

    flow: Flow
    work: Work
    queue: "Queue"
    arrived: float
    arrival_r: float
    deadline: float
    user: User
    info: RequestInfo
    turn: "asyncio.Future[Turn]"


@dataclass(slots=True, eq=False)
class Queue:
    """`next_dispatch_r` is the virtual time at which its oldest request would start if the queue were alone in its share."""

    index: int
    waiting: list[Waiter] = field(default_factory=list)
    next_dispatch_r: float = 0.0
    executing: int = 0
    seats: int = 0

    @property
    def work(self) -> float:
        return sum([waiter.work.total for waiter in self.waiting])

    def bound(self) -> None:
        """Nobody starts in the virtual world before having arrived: a queue that could not use its share does not save it up."""
        if self.waiting:
            self.next_dispatch_r = max(self.next_dispatch_r, self.waiting[0].arrival_r)
