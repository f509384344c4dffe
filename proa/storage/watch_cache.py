"""The newest state of one resource in memory, with a window of its latest events: what GET, LIST and WATCH are served from.

Only changes from the backend's log change it, in the log's order, whoever made them: this server or, over a shared backend, another one.
The window is a cache of the log and no more: a watch that resumes from before it reads the log, so the window may be small, may start
empty after a restart, and a watch is refused only for what is compacted.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Sequence

from proa.api.meta import Object
from proa.storage.entry import Attributes, CachedEntry, LabelPool, at_revision, decode, finish
from proa.storage.fan_out import FanOut, demand, group_of, within
from proa.storage.interface import Change, Compacted, Entry, Predicate, Record, StoreEvent
from proa.storage.sorted_keys import SortedKeys
from proa.storage.watcher import CacheWatcher

WINDOW_EVENTS = 20_000
WINDOW_BYTES = 16 << 20
"""Of replaced values that only the window still holds."""
BACKFILL_EVENTS = 100_000
"""More than these missed events, and listing again is cheaper."""

logger = logging.getLogger(__name__)

ReadLog = Callable[[int, int], AsyncIterator[Change]]
"""The log's changes of this resource with after < revision <= until."""


class WatchCache:
    """`prefix` is the collection's; entries and events have keys relative to it."""

    def __init__(self, prefix: str, attributes: Attributes, newest: Callable[[], int], read_log: ReadLog) -> None:
        self.prefix = prefix
        self.entries: dict[str, CachedEntry] = {}
        self.keys = SortedKeys()
        self._attributes = attributes
        self._newest = newest
        self._read_log = read_log
        self._labels = LabelPool()
        self._window: deque[StoreEvent] = deque()
        self._window_start = 0
        self._window_bytes = 0
        self._refused = -1
        self._backfilling = asyncio.Lock()
        self._fan_out = FanOut()
        self._observers: list[Callable[[StoreEvent], None]] = []

    def load(self, entries: Iterable[CachedEntry], revision: int) -> None:
        """Start from what the backend held at a revision."""
        self.entries = {entry.key: entry for entry in entries}
        self.keys = SortedKeys(self.entries)
        self._window.clear()
        self._window_start, self._window_bytes = revision, 0
        for observer in self._observers:
            self._show(observer)

    def draft(self, key: str, obj: Object, stored: bytes) -> CachedEntry:
        """What a write will be, but for its revision: made by the writer, who has the object at hand, so that nothing is decoded again."""
        labels, fields = self._attributes(obj)
        return CachedEntry(key, 0, stored, self._labels.shared(labels), fields)

    def entry_of(self, record: Record) -> CachedEntry:
        """An entry from what the log holds; the one in the cache if it is the same."""
        key = record.key[len(self.prefix) :]
        current = self.entries.get(key)
        if current is not None and current.revision == record.revision:
            return current
        entry = self.draft(key, decode(record.value), record.value)
        return finish(entry, record.revision)

    def apply(self, change: Change, draft: CachedEntry | None) -> None:
        """One revision of the log. The draft is finished and becomes the entry."""
        key = change.record.key[len(self.prefix) :]
        previous = self.entries.get(key)
        if change.type == "put":
            entry = self.entry_of(change.record) if draft is None else finish(draft, change.revision)
            if previous is None:
                self.keys.add(key)
            self.entries[key] = entry
            self._publish(StoreEvent("ADDED" if previous is None else "MODIFIED", change.revision, entry, previous))
        elif previous is not None:
            del self.entries[key]
            self.keys.remove(key)
            self._publish(StoreEvent("DELETED", change.revision, at_revision(previous, change.revision), previous))

    def observe(self, handler: Callable[[StoreEvent], None]) -> None:
        self._show(handler)
        self._observers.append(handler)

    def watch(
        self, scope: str, after: int | None, predicate: Predicate | None, field: tuple[str, str] | None, compacted: int
    ) -> CacheWatcher:  # fmt: skip
        if after is not None and after < self._window_start and (after < compacted or after <= self._refused):
            raise Compacted(compacted)
        group, predicate = group_of(scope, field), within(scope, predicate or demand(field))
        start = self._newest() if after is None else after
        watcher = CacheWatcher(predicate, start, self._newest, lambda closed: self._fan_out.remove(group, closed))
        if after is None:
            found = [self.entries[key] for key in self.keys.between(scope)]
            watcher.begin_with(found if predicate is None else [entry for entry in found if predicate(entry)])
        else:
            until = self._window_start
            backfill = None if after >= until else lambda: self._missed(scope, after, until)
            watcher.begin_after(backfill, _under(scope, self._since(after)))
        self._fan_out.add(group, watcher)
        return watcher

    def watchers_of(self, scope: str) -> int:
        return self._fan_out.watching(scope)

    def overlay(self, revision: int) -> dict[str, Entry | None] | None:
        """What was different at an older revision, by key; None if the window does not reach back so far."""
        if revision < self._window_start:
            return None
        return {event.entry.key: event.previous for event in reversed(self._since(revision))}

    def close(self) -> None:
        self._fan_out.close_all()

    def _show(self, handler: Callable[[StoreEvent], None]) -> None:
        for key in self.keys.between():
            entry = self.entries[key]
            handler(StoreEvent("ADDED", entry.revision, entry, None))

    def _publish(self, event: StoreEvent) -> None:
        for observer in self._observers:
            try:
                observer(event)
            except Exception:
                logger.exception("an observer of %s failed", self.prefix)
        self._remember(event)
        self._fan_out.publish(event)

    def _remember(self, event: StoreEvent) -> None:
        self._window.append(event)
        if event.previous is not None:
            self._window_bytes += len(event.previous.value)
        while len(self._window) > WINDOW_EVENTS or self._window_bytes > WINDOW_BYTES:
            oldest = self._window.popleft()
            self._window_start = oldest.revision
            if oldest.previous is not None:
                self._window_bytes -= len(oldest.previous.value)

    def _since(self, revision: int) -> list[StoreEvent]:
        """The window's events after a revision. Most ask for the last few, and a deque is slow in its middle, so walk from the end."""
        events = []
        for event in reversed(self._window):
            if event.revision <= revision:
                break
            events.append(event)
        events.reverse()
        return events

    async def _missed(self, scope: str, after: int, until: int) -> Sequence[StoreEvent]:
        """The events in that range, from the log where the window does not reach."""
        async with self._backfilling:
            while after < self._window_start:
                await self._extend(after)
            return list(_under(scope, (event for event in self._since(after) if event.revision <= until)))

    async def _extend(self, after: int) -> None:
        """Let the window begin at an older revision: after a restart many watches resume from about the same one, and share the work."""
        until = self._window_start
        events: list[StoreEvent] = []
        known: dict[str, CachedEntry] = {}
        async for change in self._read_log(after, until):
            events.append(self._event(change, known))
            if len(events) > BACKFILL_EVENTS:
                self._refused = after
                raise Compacted(after + 1)
        if self._window_start == until:
            self._window.extendleft(reversed(events))
            self._window_start = after
            self._window_bytes += sum(len(event.previous.value) for event in events if event.previous is not None)

    def _event(self, change: Change, known: dict[str, CachedEntry]) -> StoreEvent:
        previous = None
        if change.previous is not None:
            latest = known.get(change.record.key)
            previous = latest if latest is not None and latest.revision == change.previous.revision else self.entry_of(change.previous)
        if change.type == "put":
            entry = known[change.record.key] = self.entry_of(change.record)
            return StoreEvent("ADDED" if previous is None else "MODIFIED", change.revision, entry, previous)
        last = previous or self.entry_of(change.record)
        return StoreEvent("DELETED", change.revision, at_revision(last, change.revision), last)


def _under(scope: str, events: Iterable[StoreEvent]) -> Iterable[StoreEvent]:
    return (event for event in events if event.entry.key.startswith(scope)) if scope else events
