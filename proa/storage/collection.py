"""All objects of one resource: writes go to the backend, reads come from the watch cache, older revisions from its window or from the
log.

A write is answered when the cache has reached its revision, so whoever got the answer reads it back, and observers have seen it. A read
first waits for the backend's newest revision: with one server that is what the cache holds anyway, with several it makes reads
linearizable.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from typing import Literal

from proa.api.meta import Object
from proa.storage import continue_token as tokens
from proa.storage.entry import CachedEntry, at_revision, encode, finish, same_object
from proa.storage.interface import Backend, Compacted, Entry, Listing, Predicate, Record, RevisionConflict, StoreEvent, Update
from proa.storage.progress import Progress
from proa.storage.watch_cache import WatchCache
from proa.storage.watcher import CacheWatcher

PIECE = 500
Found = tuple[list[Entry], bool, int]
"""Entries, whether more follow, and how many keys were not looked at."""


class StoredCollection:
    """The `Collection` of the interface. `drafts` is where the store finds what a write has prepared, by the identity of its bytes."""

    def __init__(self, cache: WatchCache, backend: Backend, progress: Progress, drafts: dict[int, CachedEntry]) -> None:
        self.cache = cache
        self._backend = backend
        self._progress = progress
        self._drafts = drafts

    async def create(self, key: str, obj: Object) -> Entry:
        stored = encode(obj)
        return await self._put(key, obj, stored, lambda path: self._backend.create(path, stored))

    async def get(self, key: str, *, minimum_revision: int = 0) -> Entry | None:
        await self._progress.reach(minimum_revision or await self._backend.current_revision())
        return self.cache.entries.get(key)

    async def update(self, key: str, change: Update) -> tuple[Entry, bool]:
        entry = await self._existing(key)
        while True:
            obj = await change(entry.decode())
            if obj is None:
                return entry, False
            stored = encode(obj)
            if same_object(stored, entry):
                return entry, False
            expected = entry.revision
            try:
                write = lambda path: self._backend.update(path, stored, expected_revision=expected)  # noqa: B023, E731
                return await self._put(key, obj, stored, write), True
            except RevisionConflict as conflict:
                entry = self._newer(key, conflict.current)

    async def delete(self, key: str, check: Callable[[Object], Awaitable[None]]) -> Entry:
        entry = await self._existing(key)
        while True:
            await check(entry.decode())
            try:
                revision = await self._backend.delete(self.cache.prefix + key, expected_revision=entry.revision)
            except RevisionConflict as conflict:
                entry = self._newer(key, conflict.current)
                continue
            await self._progress.reach(revision)
            return at_revision(entry, revision)

    async def list(
        self, scope: str = "", *, predicate: Predicate | None = None, limit: int = 0, continue_token: str = "", revision: int = 0,
        match: Literal["", "NotOlderThan", "Exact"] = "",
    ) -> Listing:  # fmt: skip
        after, exact = "", match == "Exact" or (not match and bool(limit) and revision > 0)
        if continue_token:
            token = tokens.decode(continue_token)
            after, revision, exact = token.after, max(token.revision, 0), token.revision != tokens.NEWEST
        await self._progress.reach(revision or await self._backend.current_revision())
        at = revision if exact else self._progress.revision
        entries, more, left = await self._page(scope, after, at, predicate, limit)
        next_token = tokens.ContinueToken(at, entries[-1].key).encode() if more else ""
        remaining = None if predicate is not None or left < 0 else left
        return Listing(entries, at, next_token, remaining)

    def watch(
        self, scope: str = "", *, after_revision: int | None = None, predicate: Predicate | None = None,
        field: tuple[str, str] | None = None,
    ) -> CacheWatcher:  # fmt: skip
        return self.cache.watch(scope, after_revision, predicate, field, self._progress.compacted)

    def observe(self, handler: Callable[[StoreEvent], None]) -> None:
        self.cache.observe(handler)

    def current(self, scope: str = "") -> Iterable[Entry]:
        return [self.cache.entries[key] for key in self.cache.keys.between(scope)]

    def peek(self, key: str) -> Entry | None:
        return self.cache.entries.get(key)

    def count(self) -> int:
        return len(self.cache.entries)

    def watchers_of(self, scope: str) -> int:
        return self.cache.watchers_of(scope)

    async def _put(self, key: str, obj: Object, stored: bytes, write: Callable[[str], Awaitable[int]]) -> Entry:
        draft = self.cache.draft(key, obj, stored)
        self._drafts[id(stored)] = draft
        try:
            revision = await write(self.cache.prefix + key)
            await self._progress.reach(revision)
        finally:
            self._drafts.pop(id(stored), None)
        return draft if draft.revision else finish(draft, revision)

    async def _existing(self, key: str) -> Entry:
        entry = await self.get(key)
        if entry is None:
            raise KeyError(key)
        return entry

    def _newer(self, key: str, current: Record | None) -> Entry:
        if current is None:
            raise KeyError(key)
        return self.cache.entry_of(current)

    async def _page(self, scope: str, after: str, at: int, predicate: Predicate | None, limit: int) -> Found:
        if at < self._progress.compacted:
            raise Compacted(self._progress.compacted)
        overlay = {} if at == self._progress.revision else self.cache.overlay(at)
        if overlay is None:
            return await self._logged_page(scope, after, at, predicate, limit)
        keys: Sequence[str] = self.cache.keys.between(scope, after)
        if overlay:
            changed = {key for key in overlay if key.startswith(scope) and key > after}
            keys = sorted(key for key in changed.union(keys) if overlay.get(key, True) is not None)
        entries = self.cache.entries
        found = ((overlay[key] if key in overlay else entries[key]) for key in keys) if overlay else map(entries.__getitem__, keys)
        return _select(found, len(keys), predicate, limit)

    async def _logged_page(self, scope: str, after: str, at: int, predicate: Predicate | None, limit: int) -> Found:
        found: list[Entry] = []
        async for entry in self._logged(scope, after, at):
            if predicate is None or predicate(entry):
                if limit and len(found) == limit:
                    return found, True, -1
                found.append(entry)
        return found, False, 0

    async def _logged(self, scope: str, after: str, at: int) -> AsyncIterator[Entry]:
        more, prefix = True, self.cache.prefix
        start = prefix + after if after else ""
        while more:
            page = await self._backend.list(prefix + scope, revision=at, after=start, limit=PIECE)
            for record in page.records:
                yield self.cache.entry_of(record)
            more = page.more
            start = page.records[-1].key if page.records else start


def _select(found: Iterable[Entry | None], count: int, predicate: Predicate | None, limit: int) -> Found:
    """`count` entries at most are in `found`; None is an object that was not there."""
    selected: list[Entry] = []
    for entry in found:
        if entry is None:
            count -= 1
        elif predicate is None or predicate(entry):
            if limit and len(selected) == limit:
                return selected, True, count - limit
            selected.append(entry)
    return selected, False, 0
