"""One consumer's end of a watch. The cache appends to it without waiting; the consumer takes everything that has come together.

Predicates are asked when an event is published, so that a watcher is only woken for what concerns it, and events are shared: a thousand
watchers hold a thousand references. A watcher that lets too much pile up is ended: its consumer lists again, as upstream's do.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence

from proa.storage.entry import at_revision
from proa.storage.interface import Compacted, Entry, Predicate, StoreEvent, WatchClosed

LIMIT = 8192
"""Events that may wait for a consumer."""
PIECE = 1024
"""ADDED events of what is there already that are handed out at once."""

Backfill = Callable[[], Awaitable[Sequence[StoreEvent]]]


class CacheWatcher:
    """The `Watcher` of the interface. `newest` tells the revision up to which the cache has published."""

    __slots__ = (
        "_backfill", "_closed", "_group", "_limit", "_newest", "_on_close", "_pending", "_predicate", "_snapshot", "_start", "_waiter",
    )  # fmt: skip

    def __init__(
        self, predicate: Predicate | None, start: int, newest: Callable[[], int], on_close: Callable[["CacheWatcher"], None]
    ) -> None:
        self._predicate = predicate
        self._start = start
        self._newest = newest
        self._on_close = on_close
        self._pending: list[StoreEvent] = []
        self._snapshot: Sequence[Entry] = ()
        self._backfill: Backfill | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._closed = False
        self._limit = LIMIT

    def begin_with(self, entries: Sequence[Entry]) -> None:
        """Hand these out first, as ADDED."""
        self._snapshot = entries

    def begin_after(self, backfill: Backfill | None, events: Iterable[StoreEvent]) -> None:
        """Hand out what `backfill` will bring, then these."""
        self._backfill = backfill
        for event in events:
            self.offer(event)
        self._limit += len(self._pending)

    def offer(self, event: StoreEvent) -> bool:
        """Take an event if it concerns this watcher; False if too many wait."""
        if event.revision <= self._start:
            return True
        selected = event if self._predicate is None else select(event, self._predicate)
        if selected is None:
            return True
        self._pending.append(selected)
        if self._waiter is not None:
            self._wake()
        return len(self._pending) <= self._limit

    @property
    def revision(self) -> int:
        if self._snapshot:
            return 0
        if self._backfill is not None:
            return self._start
        return max(self._start, self._pending[0].revision - 1 if self._pending else self._newest())

    async def next_batch(self, timeout: float | None = None) -> Sequence[StoreEvent]:
        if self._closed:
            raise WatchClosed
        if self._snapshot:
            return self._take_snapshot()
        if self._backfill is not None:
            await self._fill(self._backfill)
        if not self._pending:
            await self._wait(timeout)
        batch, self._pending = self._pending, []
        self._limit = LIMIT
        return batch

    def close(self) -> None:
        """End the watch; what was not handed out is dropped, as the consumer can't know that something is missing behind it."""
        self._closed = True
        self._pending, self._snapshot, self._backfill = [], (), None
        self._on_close(self)
        self._wake()

    def _take_snapshot(self) -> Sequence[StoreEvent]:
        piece, self._snapshot = self._snapshot[:PIECE], self._snapshot[PIECE:]
        return [StoreEvent("ADDED", entry.revision, entry, None) for entry in piece]

    async def _fill(self, backfill: Backfill) -> None:
        try:
            events = await backfill()
        except Compacted as error:
            self.close()
            raise WatchClosed from error
        if self._closed:
            raise WatchClosed
        start = self._start
        selected = events if self._predicate is None else [found for event in events if (found := select(event, self._predicate))]
        self._pending = [*(event for event in selected if event.revision > start), *self._pending]
        self._backfill = None

    async def _wait(self, timeout: float | None) -> None:
        loop = asyncio.get_running_loop()
        self._waiter = loop.create_future()
        timer = None if timeout is None else loop.call_later(timeout, self._wake)
        try:
            await self._waiter
        finally:
            self._waiter = None
            if timer is not None:
                timer.cancel()
        if self._closed:
            raise WatchClosed

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


def select(event: StoreEvent, predicate: Predicate) -> StoreEvent | None:
    """The event as who sees only matching objects sees it."""
    before = event.previous is not None and predicate(event.previous)
    if event.type == "DELETED":
        return event if before else None
    after = predicate(event.entry)
    if after:
        return event if before == (event.type == "MODIFIED") else StoreEvent("ADDED", event.revision, event.entry, None)
    if before and event.previous is not None:
        return StoreEvent("DELETED", event.revision, at_revision(event.previous, event.revision), event.previous)
    return None
