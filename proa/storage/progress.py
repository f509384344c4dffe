"""How far the cache has followed the log, and who waits for it to go further."""

import asyncio
import heapq
import itertools

from proa.lib.clock import Clock
from proa.storage.interface import FutureRevision, Unavailable

PATIENCE = 3.0
"""Seconds to wait for a revision that has not happened, as upstream does."""


class Progress:
    """`revision` is the newest that all caches have; `compacted` the oldest that can be read."""

    def __init__(self, clock: Clock) -> None:
        self.revision = 0
        self.compacted = 0
        self._clock = clock
        self._order = itertools.count()
        self._waiters: list[tuple[int, int, asyncio.Future[None]]] = []
        self._failure: Exception | None = None

    def advance(self, revision: int) -> None:
        self.revision = revision
        while self._waiters and self._waiters[0][0] <= revision:
            _wake(heapq.heappop(self._waiters)[2])

    def fail(self, failure: Exception) -> None:
        """Nothing more will come."""
        self._failure = failure
        for _, _, waiter in self._waiters:
            if not waiter.done():
                waiter.set_exception(failure)
        self._waiters.clear()

    async def reach(self, revision: int) -> None:
        """Raises FutureRevision if it isn't reached in time."""
        if revision <= self.revision:
            return
        await asyncio.sleep(0)  # the feeder has been woken before whoever waits here, and needs one turn
        if revision <= self.revision:
            return
        if self._failure is not None:
            raise Unavailable(str(self._failure)) from self._failure
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiters, (revision, next(self._order), waiter))
        timer = asyncio.ensure_future(self._clock.sleep(PATIENCE))
        timer.add_done_callback(lambda _: _wake(waiter))
        try:
            await waiter
        finally:
            timer.cancel()
        if revision > self.revision:
            raise FutureRevision(self.revision)


def _wake(waiter: "asyncio.Future[None]") -> None:
    if not waiter.done():
        waiter.set_result(None)
