"""One priority level at work: it hands out its seats, lets requests wait in fair queues when there are none, and measures its demand.

While there are seats and nobody waits, a request costs a few additions. Times are seconds of the server's monotonic clock.
"""

import asyncio
import heapq
import itertools
import math
from collections.abc import Callable

from proa.apiserver.fairness.allocation import Limits, SeatDemand
from proa.apiserver.fairness.fair_queues import FairQueues
from proa.apiserver.fairness.flow import Flow, Rejected, Turn, Waiter
from proa.apiserver.fairness.work import Work, narrowed
from proa.apiserver.interface import RequestInfo, User
from proa.lib.clock import Clock
from proa.lib.dataclass import dataclass
from proa.lib.metrics import Series
from proa.lib.tasks import TaskSet

UTILIZATIONS = (0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1)
"""Both 0.99 and 1, so that a quantile tells saturation from what is close to it."""


@dataclass(frozen=True, slots=True)
class Queuing:
    """`queues` 0: requests for which there is no seat are rejected."""

    queues: int = 0
    hand_size: int = 0
    length_limit: int = 0


@dataclass(slots=True)
class Tally:
    """What has become of the level's requests so far."""

    rejected: int = 0
    timed_out: int = 0
    cancelled: int = 0


class PriorityLevel:
    """`uid` is that of the PriorityLevelConfiguration; `quiescing` says that there is none any more, and the last requests leave."""

    def __init__(self, name: str, clock: Clock, reject: Callable[[Flow, str], None], *, exempt: bool = False) -> None:
        self.name, self.exempt = name, exempt
        self.uid = ""
        self.queuing = Queuing()
        self.limits = Limits(0, 0, 0)
        self.limit = 0
        self.quiescing = False
        self.fair = FairQueues()
        self.turns: set[Turn] = set()
        self.lingering: list[tuple[float, int, Turn]] = []
        """(until when, order, turn): answered, but its event is still on its way to watchers."""
        self.seats_in_use = 0
        self.tally = Tally()
        self.demand = SeatDemand()
        self._clock, self._time, self._reject = clock, clock.monotonic, reject
        self._synced = self._since = clock.monotonic()
        self._area = self._squares = 0.0
        self._seat_seconds: dict[int, float] = {}
        """For how long so many seats were taken under the present limit, not in `utilization` yet."""
        self._utilized = self._since
        self.utilization = Series(UTILIZATIONS)
        self._peak = 0
        self._order = itertools.count()
        self._tasks = TaskSet()
        self._minded = math.inf

    # -- configuration

    def configure(self, uid: str, queuing: Queuing) -> None:
        self.uid = uid
        self.queuing = queuing
        self.fair.resize(queuing.queues)

    def set_limit(self, limit: int) -> None:
        self.fold_utilization()
        self.limit = limit
        self._dispatch()

    def fold_utilization(self) -> None:
        """What was measured goes into the histogram. What no seat was taken in is the rest of the time."""
        now = self._advance()
        idle = now - self._utilized - sum(self._seat_seconds.values())
        for seats, seconds in ((0, idle), *self._seat_seconds.items()):
            self.utilization.observe_for(seats / max(self.limit, 1), round(seconds * 1e9))
        self._utilized = now
        self._seat_seconds.clear()

    @property
    def is_idle(self) -> bool:
        return not self.turns and not self.fair.waiting and not self.lingering

    def measured(self) -> SeatDemand:
        """Closes a period of measurement."""
        now = self._advance()
        elapsed = now - self._since
        if elapsed > 0:
            average = self._area / elapsed
            self.demand.update(average, math.sqrt(max(0.0, self._squares / elapsed - average * average)), self._peak)
        else:
            self.demand.peak = self._peak
        self._since, self._area, self._squares = now, 0.0, 0.0
        self._peak = self.seats_in_use + self.fair.seats_waiting
        return self.demand

    # -- requests

    @property
    def has_room(self) -> bool:
        """Whether a request of one seat would start at once."""
        return not self.fair.waiting and (self.exempt or self.seats_in_use < self.limit)

    def start(self, flow: Flow, work: Work, user: User, info: RequestInfo) -> Turn | None:
        """A turn if there is one to be had at once; then `finish` must follow."""
        if self.seats_in_use or self.fair.waiting:
            now = self._advance()
            if self.fair.waiting or not self._fits(work.seats):
                return None
        else:
            now = self._synced = self._time()
            if work.seats > self.limit and not self._fits(work.seats):
                return None
        if not self.exempt:
            flow.counts.waited.counts[0] += 1
        return self._run(Turn(flow, narrowed(work, self.limit) if work.final else work, now, user, info))

    async def wait(self, flow: Flow, work: Work, user: User, info: RequestInfo, patience: float) -> Turn:
        """A turn after at most `patience` seconds. Raises Rejected."""
        now = self._advance()
        if not flow.hand:
            raise self._rejected(flow, "concurrency-limit")
        queue = self.fair.choose(flow, self.turns)
        if self.seats_in_use >= self.limit and len(queue.waiting) >= self.queuing.length_limit:
            raise self._rejected(flow, "queue-full")
        turn: asyncio.Future[Turn] = asyncio.get_running_loop().create_future()
        waiter = Waiter(flow, work, queue, now, self.fair.current_r, now + patience, user, info, turn)
        self.fair.enqueue(waiter)
        flow.counts.queue_lengths.observe(len(queue.waiting))
        self._peak = max(self._peak, self.seats_in_use + self.fair.seats_waiting)
        self._dispatch()
        try:
            return await turn
        except asyncio.CancelledError:
            self._give_up(waiter)
            raise

    def finish(self, turn: Turn) -> float:
        """The request has been answered, after the seconds that are returned. Its seats may stay taken for the watchers of a write."""
        now = self._advance()
        seconds = now - turn.started
        self.turns.discard(turn)
        if turn.work.latency:
            heapq.heappush(self.lingering, (now + turn.work.latency, next(self._order), turn))
        else:
            self.seats_in_use -= turn.work.seats
        if self.fair.waiting:
            self.fair.finished(turn, seconds)
            if not turn.work.latency:
                self.fair.released(turn)
            self._dispatch()
        return seconds

    async def close(self) -> None:
        await self._tasks.cancel()

    # -- the inside

    def _advance(self) -> float:
        """Let time pass for the measurement and for the queues. Comes before every change."""
        now = self._time()
        demand = self.seats_in_use
        if demand or self.fair.waiting:
            elapsed = now - self._synced
            self._seat_seconds[demand] = self._seat_seconds.get(demand, 0.0) + elapsed
            if self.fair.waiting:
                self.fair.advance(elapsed, demand, self.limit)
                demand += self.fair.seats_waiting
            self._area += demand * elapsed
            self._squares += demand * demand * elapsed
            if self.lingering:
                self._settle(now)
        self._synced = now
        return now

    def _fits(self, seats: int) -> bool:
        """A request that is wider than the level runs alone, but in no level that has nothing at all and can let it wait."""
        if self.exempt or self.seats_in_use + seats <= self.limit:
            return True
        return seats > self.limit and not self.turns and (self.limit > 0 or not self.queuing.queues)

    def _run(self, turn: Turn) -> Turn:
        self.turns.add(turn)
        turn.flow.counts.dispatched[0] += 1
        self.seats_in_use += turn.work.seats
        if self.seats_in_use > self._peak:
            self._peak = self.seats_in_use
        return turn

    def _settle(self, now: float) -> None:
        while self.lingering and self.lingering[0][0] <= now:
            turn = heapq.heappop(self.lingering)[2]
            self.seats_in_use -= turn.work.seats
            self.fair.released(turn)

    def _dispatch(self) -> None:
        """Start whom there are seats for. If the next in order doesn't fit, nobody overtakes it."""
        fair = self.fair
        while fair.waiting and self.seats_in_use < self.limit:
            waiter = fair.next()
            if waiter.turn.done():
                fair.leave(waiter)
                continue
            if not self._fits(waiter.work.seats):
                break
            fair.leave(waiter)
            turn = Turn(waiter.flow, narrowed(waiter.work, self.limit), self._synced, waiter.user, waiter.info)
            turn.waited = turn.started - waiter.arrived
            waiter.flow.counts.waited.observe(turn.waited)
            fair.started(turn, waiter.queue)
            waiter.turn.set_result(self._run(turn))
        if fair.waiting:
            self._mind()

    def _give_up(self, waiter: Waiter) -> None:
        """Nobody waits for the answer any more."""
        self._advance()
        self.tally.cancelled += 1
        self._reject(waiter.flow, "cancelled")
        if waiter in waiter.queue.waiting:
            self.fair.leave(waiter)
        elif not waiter.turn.cancelled() and waiter.turn.exception() is None:
            self.finish(waiter.turn.result())
        self._dispatch()

    def _rejected(self, flow: Flow, reason: str) -> Rejected:
        self.tally.rejected += 1
        self._reject(flow, reason)
        return Rejected(reason)

    # -- what time alone brings about, while somebody waits

    def _mind(self) -> None:
        moment = min(queue.waiting[0].deadline for queue in self.fair.busy)
        if self.lingering:
            moment = min(moment, self.lingering[0][0])
        if moment < self._minded:
            self._minded = moment
            self._tasks.spawn(self._wake_at(moment), f"fairness-{self.name}")

    async def _wake_at(self, moment: float) -> None:
        await self._clock.sleep(moment - self._time())
        if self._minded == moment:
            self._minded = math.inf
        now = self._advance()
        for queue in list(self.fair.busy):
            for waiter in [each for each in queue.waiting if each.deadline <= now]:
                self._expire(waiter, now)
        self._dispatch()

    def _expire(self, waiter: Waiter, now: float) -> None:
        self.fair.leave(waiter)
        waiter.flow.counts.turned_away.observe(now - waiter.arrived)
        if not waiter.turn.done():
            self.tally.timed_out += 1
            waiter.turn.set_exception(self._rejected(waiter.flow, "time-out"))
