"""The store: one collection for each resource over one backend.

The caches are fed by one watch of the whole backend and by nothing else, not by the results of the server's own writes. So every cache
sees every revision in order whoever wrote it, a writer that is cancelled while its write is under way leaves no hole, an idle collection
still knows that it is current (bookmarks), and several API servers over one etcd need no other way. What makes this cheap: a writer
leaves the entry that it has prepared where the feeder finds it, and the embedded backends publish a change before they answer its write.
"""

import asyncio
import logging
from collections.abc import AsyncIterator

from proa.lib.clock import Clock, SystemClock
from proa.storage.collection import StoredCollection
from proa.storage.entry import Attributes, CachedEntry
from proa.storage.interface import Backend, Change, ChangeStream, Collection, Compacted, FutureRevision, Unavailable
from proa.storage.progress import Progress
from proa.storage.watch_cache import WatchCache

SYSTEM_CLOCK = SystemClock()
PAGE = 500

logger = logging.getLogger(__name__)


class Store:
    """Every object of the cluster."""

    def __init__(self, backend: Backend, clock: Clock = SYSTEM_CLOCK) -> None:
        self._backend = backend
        self._progress = Progress(clock)
        self._collections: dict[str, StoredCollection] = {}
        self._loading: dict[str, list[Change]] = {}
        self._drafts: dict[int, CachedEntry] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self._stream: ChangeStream | None = None
        self._feeder: asyncio.Task[None] | None = None

    @property
    def revision(self) -> int:
        """Up to which all collections are known."""
        return self._progress.revision

    async def start(self) -> None:
        await self._backend.start()
        self._progress.compacted = await self._backend.compacted_revision()
        revision = await self._backend.current_revision()
        self._progress.advance(revision)
        self._stream = self._backend.watch("", after_revision=revision, with_previous=False)
        self._feeder = asyncio.create_task(self._feed(self._stream), name="store-feeder")
        for prefix, collection in list(self._collections.items()):
            await self._load(prefix, collection)

    async def stop(self) -> None:
        """Watchers are closed; writes that wait are still made."""
        await self._backend.stop()
        if self._feeder is not None:
            await self._feeder

    async def collection(self, prefix: str, attributes: Attributes) -> Collection:
        """The one collection of a prefix, for example "/registry/pods/"; before `start` it is empty, afterwards it is loaded."""
        async with self._locks.setdefault(prefix, asyncio.Lock()):
            if prefix not in self._collections:
                collection = StoredCollection(self._cache(prefix, attributes), self._backend, self._progress, self._drafts)
                if self._feeder is not None:
                    await self._load(prefix, collection)
                self._collections[prefix] = collection
        return self._collections[prefix]

    async def compact(self, revision: int) -> None:
        """Forget what was older; raises FutureRevision."""
        if revision > self.revision:
            raise FutureRevision(self.revision)
        await self._backend.compact(revision)
        self._progress.compacted = max(self._progress.compacted, revision)

    async def drop(self, prefix: str) -> None:
        """Forget a collection and end its watches. What is stored stays, so its objects are to be deleted first."""
        collection = self._collections.pop(prefix, None)
        if collection is not None:
            collection.cache.close()

    def _cache(self, prefix: str, attributes: Attributes) -> WatchCache:
        def read_log(after: int, until: int) -> AsyncIterator[Change]:
            return self._backend.history(prefix, after_revision=after, until_revision=until)

        return WatchCache(prefix, attributes, lambda: self._progress.revision, read_log)

    async def _load(self, prefix: str, collection: StoredCollection) -> None:
        """Changes that come while the list is read are kept back, and applied if they are newer than the list."""
        backlog = self._loading[prefix] = []
        try:
            entries, revision = await self._read_all(collection.cache)
            await self._progress.reach(revision)
            collection.cache.load(entries, revision)
            for change in backlog:
                if change.revision > revision:
                    collection.cache.apply(change, None)
        finally:
            del self._loading[prefix]

    async def _read_all(self, cache: WatchCache) -> tuple[list[CachedEntry], int]:
        """In pages, so that what the log holds and what the cache makes of it are not both in memory as a whole."""
        entries: list[CachedEntry] = []
        page = await self._backend.list(cache.prefix, limit=PAGE)
        revision = page.revision
        while True:
            entries += [cache.entry_of(record) for record in page.records]
            if not page.more:
                return entries, revision
            try:
                page = await self._backend.list(cache.prefix, revision=revision, after=page.records[-1].key, limit=PAGE)
            except Compacted:
                return await self._read_all(cache)

    async def _feed(self, stream: ChangeStream) -> None:
        try:
            async for change in stream:
                self._apply(change)
            self._progress.fail(Unavailable("the store has been stopped"))
        except Exception as error:
            logger.exception("the store can't follow its backend any more")
            self._progress.fail(error)
        self._close_watches()

    def _close_watches(self) -> None:
        for collection in self._collections.values():
            collection.cache.close()

    def _apply(self, change: Change) -> None:
        prefix = self._prefix_of(change.record.key)
        if prefix in self._loading:
            self._loading[prefix].append(change)
        elif prefix:
            self._collections[prefix].cache.apply(change, self._drafts.get(id(change.record.value)))
        self._progress.advance(change.revision)

    def _prefix_of(self, key: str) -> str:
        """The longest known prefix of a key, "" if nobody keeps it."""
        end = key.rfind("/")
        while end > 0:
            prefix = key[: end + 1]
            if prefix in self._collections or prefix in self._loading:
                return prefix
            end = key.rfind("/", 0, end)
        return ""
