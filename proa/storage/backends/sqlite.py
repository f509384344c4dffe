"""The embedded backend: an append-only revision log in one SQLite file, for a control plane of one API server.

An answer to a write means that its transaction is on disk: WAL with synchronous=FULL, so the log is flushed at each commit. One thread
writes (`group_commit`), with the newest revision of every key in memory, so that a batch needs no reads. Reads run in the event loop, in
pieces: the pages are mostly in memory, and a thread that fetches row by row would have to win the interpreter lock back for each one. A
lock file keeps a second process out, as it would not see this one's keys.
"""

import asyncio
import fcntl
import os
import sqlite3
from collections.abc import AsyncGenerator, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from proa.lib.clock import Clock, SystemClock
from proa.storage.backends import sqlite_log
from proa.storage.backends.group_commit import GroupCommit
from proa.storage.backends.stream import Stream, Streams
from proa.storage.backends.write_batch import CREATE, Head, Plan, Row, Write, plan_batch
from proa.storage.interface import Change, Compacted, FutureRevision, Page, Record, RevisionConflict, Unavailable

FIRST_REVISION = 1
"""Of an empty store: 0 has a meaning of its own in the API."""
PIECE = 256
"""How many rows, or revisions, are read before others may run."""
SYSTEM_CLOCK = SystemClock()
T = TypeVar("T")


class SqliteBackend:
    """`Backend` in one file. `clock` stamps each row with the time of its commit."""

    def __init__(self, path: Path, clock: Clock = SYSTEM_CLOCK) -> None:
        self._path = path
        self._clock = clock
        self._heads: dict[str, Head] = {}
        self._written = self._revision = FIRST_REVISION
        self._compacted = self._scrubbed = 0
        self._streams = Streams()
        self._running = False

    async def start(self) -> None:
        """Open the file, or make it; raises Unavailable if another process has it open, ValueError if it has another format."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = _lock(self._path.with_name(self._path.name + ".lock"))
        try:
            self._read(self._open)
        except Exception:
            os.close(self._lock)
            raise
        self._commits = GroupCommit(asyncio.get_running_loop(), self._commit)
        self._commits.start()
        self._running = True

    def _open(self) -> None:
        self._writer = sqlite_log.connect(self._path)
        sqlite_log.prepare(self._writer)
        self._reader = sqlite_log.connect(self._path)
        newest, self._compacted, self._scrubbed = sqlite_log.read_marks(self._writer)
        self._written = self._revision = max(newest, FIRST_REVISION)
        self._heads = sqlite_log.read_heads(self._writer)

    async def stop(self) -> None:
        """Writes that wait are still made."""
        if not self._running:
            return
        self._running = False
        await self._commits.stop()
        self._streams.end_all()
        self._reader.close()
        self._writer.close()
        os.close(self._lock)

    async def current_revision(self) -> int:
        return self._revision

    async def compacted_revision(self) -> int:
        return self._compacted

    async def get(self, key: str, *, revision: int = 0) -> Record | None:
        at = self._readable(revision)
        return self._read(partial(sqlite_log.read_one, self._reader, key, at))

    async def list(self, prefix: str, *, revision: int = 0, after: str = "", limit: int = 0) -> Page:
        at = self._readable(revision)
        records: list[Record] = []
        while not limit or len(records) <= limit:
            size = min(PIECE, limit + 1 - len(records)) if limit else PIECE
            piece = self._read(partial(sqlite_log.read_page, self._reader, prefix, at, after, size))
            records += piece
            if len(piece) < size:
                break
            after = piece[-1].key
            await asyncio.sleep(0)
            self._readable(at)
        more = bool(limit) and len(records) > limit
        return Page(records[:limit] if limit else records, at, more)

    async def create(self, key: str, value: bytes) -> int:
        return await self._write(key, value, CREATE)

    async def update(self, key: str, value: bytes, *, expected_revision: int) -> int:
        return await self._write(key, value, expected_revision or -1)

    async def delete(self, key: str, *, expected_revision: int) -> int:
        return await self._write(key, None, expected_revision or -1)

    def watch(self, prefix: str, *, after_revision: int, with_previous: bool = True) -> Stream:
        history = self.history(prefix, after_revision=after_revision, until_revision=self._revision)
        return self._streams.open(prefix, max(after_revision, self._revision), with_previous, history)

    def history(self, prefix: str, *, after_revision: int, until_revision: int) -> AsyncGenerator[Change, None]:
        if after_revision < self._compacted:
            raise Compacted(self._compacted)
        return self._history(prefix, after_revision, min(until_revision, self._revision))

    async def compact(self, revision: int) -> None:
        """From the first moment on older history is refused; its rows are removed in pieces, with writes in between."""
        if revision > self._revision:
            raise FutureRevision(self._revision)
        if revision > self._compacted:
            await self._commits.run(lambda: sqlite_log.set_mark(self._writer, "compacted", revision))
            self._compacted = max(self._compacted, revision)
        while self._scrubbed < self._compacted:
            after, until = self._scrubbed, min(self._scrubbed + PIECE, self._compacted)
            await self._commits.run(partial(self._scrub, after, until))
            self._scrubbed = max(self._scrubbed, until)

    def _scrub(self, after: int, until: int) -> None:
        sqlite_log.scrub(self._writer, after, until)
        sqlite_log.set_mark(self._writer, "scrubbed", until)

    def _readable(self, revision: int) -> int:
        if revision > self._revision:
            raise FutureRevision(self._revision)
        if revision and revision < self._compacted:
            raise Compacted(self._compacted)
        return revision or self._revision

    def _read(self, query: Callable[[], T]) -> T:
        try:
            return query()
        except sqlite3.Error as error:
            raise Unavailable(f"reading {self._path}: {error}") from error

    async def _history(self, prefix: str, after: int, until: int) -> AsyncGenerator[Change, None]:
        while after < until:
            if after < self._compacted:
                raise Compacted(self._compacted)
            end = min(after + PIECE, until)
            for change in self._read(partial(sqlite_log.read_changes, self._reader, prefix, after, end)):
                yield change
            after = end
            await asyncio.sleep(0)

    async def _write(self, key: str, value: bytes | None, expected_revision: int) -> int:
        if not self._running:
            raise Unavailable("the store has been stopped")
        answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._commits.put(Write(key, value, expected_revision, answer))
        return await answer

    def _commit(self, writes: Sequence[Write]) -> Callable[[], None]:
        """In the writer's thread: make the batch durable; what to do then in the event loop."""
        plan = plan_batch(writes, self._heads, self._written)
        try:
            if plan.rows:
                sqlite_log.append(self._writer, plan.rows, int(self._clock.now().timestamp() * 1000))
        except sqlite3.Error as error:
            return partial(_refuse, writes, f"writing {self._path}: {error}")
        self._written += len(plan.rows)
        for key, head in plan.heads.items():
            if head is None:
                self._heads.pop(key, None)
            else:
                self._heads[key] = head
        return partial(self._publish, writes, plan)

    def _publish(self, writes: Sequence[Write], plan: Plan) -> None:
        """In the event loop: watchers first, so that who keeps a state from them has it before the writer goes on."""
        for row in plan.rows:
            self._revision = row.revision
            if self._streams:
                self._streams.publish(_bare(row), partial(self._complete, row))
        for write, outcome in zip(writes, plan.outcomes, strict=True):
            if write.answer.done():
                continue
            if isinstance(outcome, int):
                write.answer.set_result(outcome)
            elif isinstance(outcome, RevisionConflict):
                write.answer.set_exception(self._conflict(write.key))
            else:
                write.answer.set_exception(outcome)

    def _conflict(self, key: str) -> RevisionConflict | Unavailable:
        try:
            return RevisionConflict(self._read(partial(sqlite_log.read_one, self._reader, key, self._revision)))
        except Unavailable as error:
            return error

    def _complete(self, row: Row) -> Change:
        (change,) = sqlite_log.read_changes(self._reader, row.key, row.revision - 1, row.revision)
        return change


def _bare(row: Row) -> Change:
    record = Record(row.key, row.value or b"", row.revision, row.create_revision)
    return Change("put" if row.value is not None else "delete", row.revision, record, None)


def _refuse(writes: Sequence[Write], why: str) -> None:
    for write in writes:
        if not write.answer.done():
            write.answer.set_exception(Unavailable(why))


def _lock(path: Path) -> int:
    """SQLite's own locks belong to the process and vanish when any descriptor of its file is closed, so the lock is a file of its own."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise Unavailable(f"{path} is locked: another process uses this store") from None
    return descriptor
