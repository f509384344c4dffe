"""The de-duplicating work queue: a key is queued once, is never at work twice at a time, and runs again if it was added meanwhile.

Delays (add_after) and per-key exponential back-off (add_rate_limited, 5 ms to 1000 s) run on the given clock with a single timer, so an
idle queue costs nothing.
"""

import asyncio
import heapq
import itertools
from collections import deque
from collections.abc import Hashable
from typing import Generic, TypeVar

from proa.lib.clock import Clock, SystemClock

Key = TypeVar("Key", bound=Hashable)


class WorkQueue(Generic[Key]):
    """One consumer's `get` is answered per added key; it must call `done` for each."""

    def __init__(self, clock: Clock | None = None, *, base_delay: float = 0.005, max_delay: float = 1000.0) -> None:
        self._clock: Clock = clock or SystemClock()
        self._base_delay, self._max_delay = base_delay, max_delay
        self._queue: deque[Key] = deque()
        self._dirty: set[Key] = set()
        self._processing: set[Key] = set()
        self._failures: dict[Key, int] = {}
        self._waiters: deque[asyncio.Future[None]] = deque()
        self._order = itertools.count()
        self._delayed: list[tuple[float, int, Key]] = []
        self._deadlines: dict[Key, float] = {}
        self._timer: asyncio.Task[None] | None = None
        self._timer_deadline = 0.0
        self._shut_down = False

    def __len__(self) -> int:
        return len(self._queue)

    @property
    def idle(self) -> bool:
        """Nothing is queued or at work (delayed keys do not count)."""
        return not self._queue and not self._processing

    def add(self, key: Key) -> None:
        if self._shut_down or key in self._dirty:
            return
        self._dirty.add(key)
        if key not in self._processing:
            self._enqueue(key)

    async def get(self) -> Key | None:
        """The next key, None once the queue is shut down and empty."""
        while not self._queue:
            if self._shut_down:
                return None
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiters.append(waiter)
            try:
                await waiter
            except asyncio.CancelledError:
                if waiter.done() and not waiter.cancelled():
                    self._wake_one()
                raise
        key = self._queue.popleft()
        self._processing.add(key)
        self._dirty.discard(key)
        return key

    def done(self, key: Key) -> None:
        self._processing.discard(key)
        if key in self._dirty:
            self._enqueue(key)

    def add_after(self, key: Key, seconds: float) -> None:
        """Add once that time has passed; an earlier deadline of the same key wins."""
        if self._shut_down:
            return
        if seconds <= 0:
            self.add(key)
            return
        deadline = self._clock.monotonic() + seconds
        if self._deadlines.get(key, deadline + 1) <= deadline:
            return
        self._deadlines[key] = deadline
        heapq.heappush(self._delayed, (deadline, next(self._order), key))
        if self._timer is None or deadline < self._timer_deadline:
            self._start_timer()

    def add_rate_limited(self, key: Key) -> None:
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        self.add_after(key, min(self._base_delay * 2 ** min(failures, 40), self._max_delay))

    def retries(self, key: Key) -> int:
        return self._failures.get(key, 0)

    def forget(self, key: Key) -> None:
        """The key succeeded: its next failure starts from the base delay."""
        self._failures.pop(key, None)

    def shut_down(self) -> None:
        self._shut_down = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._waiters:
            self._wake_one()

    def _enqueue(self, key: Key) -> None:
        self._queue.append(key)
        self._wake_one()

    def _wake_one(self) -> None:
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return

    def _start_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer_deadline = self._delayed[0][0]
        self._timer = asyncio.get_running_loop().create_task(self._run_timer(), name="work queue timer")

    async def _run_timer(self) -> None:
        while self._delayed:
            self._timer_deadline = self._delayed[0][0]
            remaining = self._timer_deadline - self._clock.monotonic()
            if remaining > 0:
                await self._clock.sleep(remaining)
            self._release_due()
        self._timer = None

    def _release_due(self) -> None:
        now = self._clock.monotonic()
        while self._delayed and self._delayed[0][0] <= now:
            deadline, _, key = heapq.heappop(self._delayed)
            if self._deadlines.get(key) == deadline:
                del self._deadlines[key]
                self.add(key)
