"""The queues of a priority level, while somebody waits: who waits where, who is next, and the virtual time that makes it fair.

Nothing of it moves while nobody waits, so that a request that finds a seat pays nothing for the queues: when the first one has to wait,
what runs at that moment is charged to its queues. `current_r` is in seat-seconds and advances at the rate at which each queue that has
something to do is served. Source: KEP-1040, "Fair Queuing for Server Requests".
"""

from collections.abc import Iterable

from proa.apiserver.fairness.flow import Flow, Queue, Turn, Waiter
from proa.apiserver.fairness.queue_choice import next_queue, shortest
from proa.apiserver.fairness.work import SERVICE_SECONDS


class FairQueues:
    def __init__(self) -> None:
        self.queues: list[Queue] = []
        self.waiting = 0
        self.seats_waiting = 0
        self.current_r = 0.0
        self.busy: dict[Queue, None] = {}
        """Those with waiting requests."""
        self._active = 0
        self._enqueued = 0
        self._last_served = 0

    def resize(self, count: int) -> None:
        """Queues that are too many are dealt to nobody any more; what waits in them is served."""
        self.queues = self.queues[:count]
        self.queues += [Queue(index) for index in range(len(self.queues), count)]

    def choose(self, flow: Flow, running: Iterable[Turn]) -> Queue:
        """Where a request of the flow waits. `running` is charged if it is the first."""
        if not self.waiting:
            self._begin(running)
        self._enqueued += 1
        return shortest(self.queues, flow.hand, self._enqueued)

    def _begin(self, running: Iterable[Turn]) -> None:
        for queue in self.queues:
            queue.executing = queue.seats = 0
            queue.next_dispatch_r = self.current_r
        self._active = 0
        for turn in running:
            hand = turn.flow.hand
            turn.queue = None
            if hand and max(hand) < len(self.queues):
                self._enqueued += 1
                self.started(turn, self.queues[hand[self._enqueued % len(hand)]])

    def advance(self, elapsed: float, seats_in_use: int, limit: int) -> None:
        """Let time pass, before anything changes."""
        if self._active:
            self.current_r += min(seats_in_use + self.seats_waiting, limit) / self._active * elapsed

    def enqueue(self, waiter: Waiter) -> None:
        queue = waiter.queue
        if not queue.waiting and not queue.executing:
            self._active += 1
            queue.next_dispatch_r = self.current_r
        queue.waiting.append(waiter)
        self.busy[queue] = None
        self.waiting += 1
        self.seats_waiting += waiter.work.seats
        queue.bound()

    def leave(self, waiter: Waiter) -> None:
        queue = waiter.queue
        queue.waiting.remove(waiter)
        if not queue.waiting:
            del self.busy[queue]
            if not queue.executing:
                self._active -= 1
        self.waiting -= 1
        self.seats_waiting -= waiter.work.seats

    def next(self) -> Waiter:
        """Who is next. There must be somebody."""
        return next_queue(self.busy, self._last_served, max(len(self.queues), 1)).waiting[0]

    def started(self, turn: Turn, queue: Queue) -> None:
        turn.queue = queue
        if not queue.waiting and not queue.executing:
            self._active += 1
        self._last_served = queue.index
        queue.executing += 1
        queue.seats += turn.work.seats
        queue.next_dispatch_r += turn.work.total
        queue.bound()

    def finished(self, turn: Turn, seconds: float) -> None:
        """It ran for so long. What had been guessed is put right."""
        queue = turn.queue
        if queue is None:
            return
        queue.executing -= 1
        if not queue.executing and not queue.waiting:
            self._active -= 1
        queue.next_dispatch_r -= turn.work.initial * (SERVICE_SECONDS - seconds)
        queue.bound()

    def released(self, turn: Turn) -> None:
        """Its seats are free."""
        if turn.queue is not None:
            turn.queue.seats -= turn.work.seats
