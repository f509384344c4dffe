"""What is the SQLite backend's own: its file, its lock, a full disk, and rows that compaction removes."""

import asyncio
import sqlite3
import stat
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from proa.lib.clock import VirtualClock
from proa.storage.backends.sqlite import SqliteBackend
from proa.storage.interface import Record, Unavailable


def run(path: Path, scenario: Callable[[SqliteBackend], Awaitable[object]]) -> None:
    async def main() -> None:
        backend = SqliteBackend(path, VirtualClock(datetime(2030, 1, 1, tzinfo=UTC)))
        await backend.start()
        try:
            await scenario(backend)
        finally:
            await backend.stop()

    asyncio.run(main())


def rows(path: Path, query: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(path)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


def test_only_the_owner_may_read_the_files(tmp_path: Path) -> None:
    path = tmp_path / "new" / "store.db"

    async def scenario(backend: SqliteBackend) -> None:
        await backend.create("/a", b"")
        modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir()}
        assert modes == dict.fromkeys(("store.db", "store.db-wal", "store.db-shm", "store.db.lock"), 0o600)
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700

    run(path, scenario)


def test_a_store_has_one_user_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "store.db"

    async def scenario(backend: SqliteBackend) -> None:
        with pytest.raises(Unavailable, match="another process uses this store"):
            await SqliteBackend(path).start()

    run(path, scenario)
    run(path, lambda backend: backend.current_revision())


def test_a_file_of_another_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    rows(path, "PRAGMA user_version = 9")
    with pytest.raises(ValueError, match="the store's format is 9"):
        run(path, lambda backend: backend.current_revision())


def test_a_full_disk_refuses_writes_and_loses_nothing(tmp_path: Path) -> None:
    async def scenario(backend: SqliteBackend) -> None:
        await backend.create("/a", b"before")
        (pages,) = backend._writer.execute("PRAGMA page_count").fetchone()
        backend._writer.execute(f"PRAGMA max_page_count = {pages + 1}")
        outcomes = await asyncio.gather(*(backend.create(f"/{n}", b"x" * 9000) for n in range(5)), return_exceptions=True)
        assert {type(outcome) for outcome in outcomes} == {Unavailable}
        assert "full" in str(outcomes[0])
        backend._writer.execute("PRAGMA max_page_count = 1000000")
        assert await backend.create("/1", b"after") == 3
        assert (await backend.list("/")).records == [Record("/1", b"after", 3, 3), Record("/a", b"before", 2, 2)]

    run(tmp_path / "store.db", scenario)


def test_compaction_removes_the_rows_that_nobody_can_read(tmp_path: Path) -> None:
    path = tmp_path / "store.db"

    async def scenario(backend: SqliteBackend) -> None:
        revision = await backend.create("/a", b"0")
        for number in range(600):
            revision = await backend.update("/a", b"%d" % number, expected_revision=revision)
        gone = await backend.create("/gone", b"")
        last = await backend.delete("/gone", expected_revision=gone)
        await backend.compact(last)
        await backend.create("/b", b"new")

    run(path, scenario)
    assert rows(path, "SELECT revision, key, previous, value, written_at FROM log") == [
        (602, "/a", 601, b"599", 1893456000000),
        (605, "/b", 0, b"new", 1893456000000),
    ]
    assert rows(path, "SELECT * FROM mark ORDER BY name") == [("compacted", 604), ("scrubbed", 604)]


def test_a_compaction_that_was_cut_off_is_finished_by_the_next(tmp_path: Path) -> None:
    path = tmp_path / "store.db"

    async def first(backend: SqliteBackend) -> None:
        await backend.create("/a", b"0")
        await backend.update("/a", b"1", expected_revision=2)

    async def again(backend: SqliteBackend) -> None:
        assert await backend.compacted_revision() == 3
        await backend.compact(3)

    run(path, first)
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("UPDATE mark SET revision = 3 WHERE name = 'compacted'")
    connection.close()
    run(path, again)
    assert rows(path, "SELECT revision FROM log") == [(3,)]


def test_a_file_that_is_no_database_is_refused_and_the_lock_let_go(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    path.write_bytes(b"no database" * 100)
    for _ in range(2):
        with pytest.raises(Unavailable, match="file is not a database"):
            run(path, lambda backend: backend.current_revision())


def test_a_loop_that_never_rests_does_not_starve_the_writer(tmp_path: Path) -> None:
    async def scenario(backend: SqliteBackend) -> None:
        async def spin() -> None:
            while True:
                end = time.perf_counter() + 0.00008
                while time.perf_counter() < end:
                    pass
                await asyncio.sleep(0)

        async def write(writer: int) -> None:
            for number in range(10):
                await backend.create(f"/{writer}/{number}", b"")

        spinning = asyncio.create_task(spin())
        start = time.monotonic()
        await asyncio.gather(*map(write, range(32)))
        spinning.cancel()
        assert time.monotonic() - start < 1.5

    run(tmp_path / "store.db", scenario)
