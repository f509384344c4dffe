"""The backend that forgets everything with its process: the same semantics as the durable ones, for tests and clusters of a moment.

The newest records are a dict; the log is a list of changes, each with what it replaced, so that the state at an older revision is the
newest state with the later changes taken back.
"""

from bisect import bisect_right
from collections.abc import AsyncGenerator, Sequence
from operator import attrgetter

from proa.storage.backends.stream import Stream, Streams
from proa.storage.interface import (
    Change,
    Compacted,
    FutureRevision,
    KeyExists,
    Page,
    Record,
    RevisionConflict,
    Unavailable,
)
from proa.storage.sorted_keys import SortedKeys

FIRST_REVISION = 1
"""Of an empty store: 0 has a meaning of its own in the API."""


class MemoryBackend:
    """`Backend` without durability."""

    def __init__(self) -> None:
        self._records: dict[str, Record] = {}
        self._keys = SortedKeys()
        self._log: list[Change] = []
        self._revision = FIRST_REVISION
        self._compacted = 0
        self._streams = Streams()
        self._running = False

    async def start(self) -> None:
        self._running = True

    async def stop(self) -> None:
        self._running = False
        self._streams.end_all()

    async def current_revision(self) -> int:
        return self._revision

    async def compacted_revision(self) -> int:
        return self._compacted

    async def get(self, key: str, *, revision: int = 0) -> Record | None:
        overlay = self._overlay(revision)
        return overlay[key] if key in overlay else self._records.get(key)

    async def list(self, prefix: str, *, revision: int = 0, after: str = "", limit: int = 0) -> Page:
        overlay = {key: record for key, record in self._overlay(revision).items() if key.startswith(prefix) and key > after}
        keys = sorted({*self._keys.between(prefix, after), *overlay}) if overlay else self._keys.between(prefix, after)
        found = (overlay[key] if key in overlay else self._records[key] for key in keys)
        records = [record for record in found if record is not None]
        more = bool(limit) and len(records) > limit
        return Page(records[:limit] if limit else records, revision or self._revision, more)

    async def create(self, key: str, value: bytes) -> int:
        self._check_running()
        if key in self._records:
            raise KeyExists(key)
        revision = self._revision + 1
        self._keys.add(key)
        return self._put(Record(key, value, revision, revision), None)

    async def update(self, key: str, value: bytes, *, expected_revision: int) -> int:
        previous = self._expect(key, expected_revision)
        return self._put(Record(key, value, self._revision + 1, previous.create_revision), previous)

    async def delete(self, key: str, *, expected_revision: int) -> int:
        previous = self._expect(key, expected_revision)
        del self._records[key]
        self._keys.remove(key)
        return self._append(Change("delete", self._revision + 1, previous, previous))

    def watch(self, prefix: str, *, after_revision: int, with_previous: bool = True) -> Stream:
        history = self.history(prefix, after_revision=after_revision, until_revision=self._revision)
        return self._streams.open(prefix, max(after_revision, self._revision), with_previous, history)

    def history(self, prefix: str, *, after_revision: int, until_revision: int) -> AsyncGenerator[Change, None]:
        if after_revision < self._compacted:
            raise Compacted(self._compacted)
        return _each([change for change in self._after(after_revision) if change.revision <= until_revision], prefix)

    async def compact(self, revision: int) -> None:
        if revision > self._revision:
            raise FutureRevision(self._revision)
        if revision > self._compacted:
            self._log = [*self._after(revision)]
            self._compacted = revision

    def _expect(self, key: str, revision: int) -> Record:
        self._check_running()
        record = self._records.get(key)
        if record is None or record.revision != revision:
            raise RevisionConflict(record)
        return record

    def _put(self, record: Record, previous: Record | None) -> int:
        self._records[record.key] = record
        return self._append(Change("put", record.revision, record, previous))

    def _append(self, change: Change) -> int:
        self._revision = change.revision
        self._log.append(change)
        self._streams.publish(change, lambda: change)
        return change.revision

    def _after(self, revision: int) -> Sequence[Change]:
        return self._log[bisect_right(self._log, revision, key=attrgetter("revision")) :]

    def _overlay(self, revision: int) -> dict[str, Record | None]:
        """What differed from now at that revision."""
        if revision > self._revision:
            raise FutureRevision(self._revision)
        if revision and revision < self._compacted:
            raise Compacted(self._compacted)
        return {change.record.key: change.previous for change in reversed(self._after(revision))} if revision else {}

    def _check_running(self) -> None:
        if not self._running:
            raise Unavailable("the store has been stopped")


async def _each(changes: Sequence[Change], prefix: str) -> AsyncGenerator[Change, None]:
    for change in changes:
        if change.record.key.startswith(prefix):
            yield change
