"""A collection of custom resources as one served version sees it: objects go in and come out in that version.

Everything above (verbs, encodings, watches) deals with objects of its own version only, so a conversion may take its time: a webhook is
asked once for all objects of a page, and what it said is kept beside the entry. An entry that was written since the definition last
changed, in the very version that is asked for, needs nothing and is handed out as it is.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from typing import Literal, Protocol
from weakref import WeakSet

import orjson

from proa.api.errors import ApiError
from proa.api.meta import Object
from proa.storage.entry import CachedEntry
from proa.storage.interface import Collection, Entry, Listing, Predicate, StoreEvent, Update, WatchClosed, Watcher


class Versioner(Protocol):
    """How objects change between their stored form and one version."""

    async def from_storage(self, objects: Sequence[Object]) -> Sequence[Object]:
        """Raises ApiError."""
        ...

    async def to_storage(self, obj: Object) -> Object: ...

    def is_current(self, entry: Entry) -> bool:
        """Whether the entry's bytes are what `from_storage` would make of it."""
        ...

    @property
    def variant(self) -> tuple[object, ...]:
        """Names this version at this state of the definition."""
        ...


class VersionedCollection:
    """The `Collection` of one served version over the one that is stored."""

    def __init__(self, stored: Collection, versioner: Versioner) -> None:
        self._stored = stored
        self._versioner = versioner
        self._watchers: WeakSet[VersionedWatcher] = WeakSet()

    async def create(self, key: str, obj: Object) -> Entry:
        entry = await self._stored.create(key, await self._versioner.to_storage(obj))
        return (await self.shown([entry]))[0]

    async def get(self, key: str, *, minimum_revision: int = 0) -> Entry | None:
        entry = await self._stored.get(key, minimum_revision=minimum_revision)
        return None if entry is None else (await self.shown([entry]))[0]

    async def update(self, key: str, change: Update) -> tuple[Entry, bool]:
        async def changed(stored: Object) -> Object | None:
            live = (await self._versioner.from_storage([stored]))[0]
            new = await change(live)
            return None if new is None else await self._versioner.to_storage(new)

        entry, written = await self._stored.update(key, changed)
        return (await self.shown([entry]))[0], written

    async def delete(self, key: str, check: Callable[[Object], Awaitable[None]]) -> Entry:
        entry = await self._stored.delete(key, check)
        return (await self.shown([entry]))[0]

    async def list(
        self, scope: str = "", *, predicate: Predicate | None = None, limit: int = 0, continue_token: str = "", revision: int = 0,
        match: Literal["", "NotOlderThan", "Exact"] = "",
    ) -> Listing:  # fmt: skip
        listing = await self._stored.list(
            scope, predicate=predicate, limit=limit, continue_token=continue_token, revision=revision, match=match
        )
        return replace(listing, entries=await self.shown(listing.entries))

    def watch(
        self, scope: str = "", *, after_revision: int | None = None, predicate: Predicate | None = None,
        field: tuple[str, str] | None = None,
    ) -> Watcher:  # fmt: skip
        watcher = VersionedWatcher(self._stored.watch(scope, after_revision=after_revision, predicate=predicate, field=field), self.shown)
        self._watchers.add(watcher)
        return watcher

    def observe(self, handler: Callable[[StoreEvent], None]) -> None:
        self._stored.observe(handler)

    def current(self, scope: str = "") -> Iterable[Entry]:
        return self._stored.current(scope)

    def peek(self, key: str) -> Entry | None:
        """As it is stored: whoever only wants to know whether it is there."""
        return self._stored.peek(key)

    def count(self) -> int:
        return self._stored.count()

    def watchers_of(self, scope: str) -> int:
        return self._stored.watchers_of(scope)

    def close_watches(self) -> None:
        """Clients list or watch again, and get what the definition says now."""
        for watcher in list(self._watchers):
            watcher.close()

    async def shown(self, entries: Sequence[Entry]) -> Sequence[Entry]:
        """The entries in this version, in the same order."""
        versioner = self._versioner
        if all(map(versioner.is_current, entries)):
            return entries
        variant = versioner.variant
        known: dict[int, bytes] = {}
        missing: list[tuple[int, Entry]] = []
        for index, entry in enumerate(entries):
            if not versioner.is_current(entry):
                found = _remembered(entry, variant)
                if found is None:
                    missing.append((index, entry))
                else:
                    known[index] = found
        if missing:
            converted = await versioner.from_storage([entry.decode() for _, entry in missing])
            for (index, entry), obj in zip(missing, converted, strict=True):
                value = _bytes(obj, entry)
                known[index] = entry.encoded(variant, lambda _, value=value: value)  # type: ignore[misc]
        return [_as(entry, known[index]) if index in known else entry for index, entry in enumerate(entries)]


def _bytes(obj: Object, entry: Entry) -> bytes:
    value = orjson.dumps(obj)
    return entry.value if value == entry.value else value


def _unknown(entry: Entry) -> bytes:
    raise KeyError(entry.key)


def _remembered(entry: Entry, variant: tuple[object, ...]) -> bytes | None:
    try:
        return entry.encoded(variant, _unknown)
    except KeyError:
        return None


def _as(entry: Entry, value: bytes) -> Entry:
    return entry if value is entry.value else CachedEntry(entry.key, entry.revision, value, entry.labels, entry.fields)


class VersionedWatcher:
    """The `Watcher` of a versioned collection."""

    def __init__(self, inner: Watcher, shown: Callable[[Sequence[Entry]], Awaitable[Sequence[Entry]]]) -> None:
        self._inner = inner
        self._shown = shown

    async def next_batch(self, timeout: float | None = None) -> Sequence[StoreEvent]:
        events = await self._inner.next_batch(timeout)
        entries = [event.entry for event in events]
        try:
            shown = await self._shown(entries)
        except ApiError as error:
            raise WatchClosed(error.message) from None
        if shown is entries:
            return events
        return [event if entry is event.entry else replace(event, entry=entry) for event, entry in zip(events, shown, strict=True)]

    @property
    def revision(self) -> int:
        return self._inner.revision

    def close(self) -> None:
        self._inner.close()
