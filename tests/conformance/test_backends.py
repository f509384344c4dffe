"""What every backend promises, as one suite that takes the backend as its parameter."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import pytest

from proa.storage.backends.memory import MemoryBackend
from proa.storage.backends.sqlite import SqliteBackend
from proa.storage.interface import (
    Backend,
    Change,
    ChangeStream,
    Compacted,
    FutureRevision,
    KeyExists,
    Page,
    Record,
    RevisionConflict,
    Unavailable,
)

Make = Callable[[], Backend]
BACKENDS = ("sqlite", "memory")
POD = "/registry/pods/default/a"


@pytest.fixture(params=BACKENDS)
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    makes: dict[str, Make] = {"sqlite": lambda: SqliteBackend(tmp_path / "store.db"), "memory": MemoryBackend}
    return makes[request.param]


@asynccontextmanager
async def running(backend: Backend) -> AsyncIterator[Backend]:
    await backend.start()
    try:
        yield backend
    finally:
        await backend.stop()


def run(make: Make, scenario: Callable[[Backend], Awaitable[None]]) -> None:
    async def main() -> None:
        async with running(make()) as backend:
            await scenario(backend)

    asyncio.run(main())


async def take(stream: ChangeStream, count: int) -> list[Change]:
    changes: list[Change] = []
    async for change in stream:
        changes.append(change)
        if len(changes) == count:
            break
    return changes


async def all_changes(backend: Backend, prefix: str = "", after: int = 0) -> list[Change]:
    newest = await backend.current_revision()
    return [change async for change in backend.history(prefix, after_revision=after, until_revision=newest)]


def test_an_empty_store_is_at_revision_1_and_the_first_write_makes_2(make: Make) -> None:
    async def scenario(backend: Backend) -> None:
        assert (await backend.current_revision(), await backend.compacted_revision()) == (1, 0)
        assert await backend.list("") == Page([], 1, False)
        assert await backend.get(POD) is None
        assert await backend.create(POD, b"one") == 2
        assert await backend.get(POD) == Record(POD, b"one", 2, 2)

    run(make, scenario)


def test_each_write_takes_the_next_revision_of_the_whole_store(make: Make) -> None:
    async def scenario(backend: Backend) -> None:
        assert await backend.create("/a", b"1") == 2
        assert await backend.create("/b", b"1") == 3
        assert await backend.update("/a", b"2", expected_revision=2) == 4
        assert await backend.delete("/b", expected_revision=3) == 5
        assert await backend.create("/b", b"3") == 6
        assert await backend.current_revision() == 6
        assert await backend.list("/") == Page([Record("/a", b"2", 4, 2), Record("/b", b"3", 6, 6)], 6, False)

    run(make, scenario)


def test_a_key_that_is_there_is_not_created_again(make: Make) -> None:
    async def scenario(backend: Backend) -> None:
        await backend.create(POD, b"one")
        with pytest.raises(KeyExists):
            await backend.create(POD, b"two")
        assert await backend.get(POD) == Record(POD, b"one", 2, 2)
        assert await backend.current_revision() == 2

    run(make, scenario)


@pytest.mark.parametrize("expected", [0, 1, 2, 99])
def test_a_write_at_another_revision_is_refused_with_what_is_there(make: Make, expected: int) -> None:
    async def scenario(backend: Backend) -> None:
        await backend.create(POD, b"one")
        await backend.update(POD, b"two", expected_revision=2)
        for write in (backend.update(POD, b"x", expected_revision=expected), backend.delete(POD, expected_revision=expected)):
            with pytest.raises(RevisionConflict) as conflict:
                await write
            assert conflict.value.current == Record(POD, b"two", 3, 2)
        assert await backend.current_revision() == 3

    run(make, scenario)


@pytest.mark.parametrize("expected", [0, 1, 2])
def test_a_write_to_a_key_that_is_gone_is_refused_with_nothing(make: Make, expected: int) -> None:
    async def scenario(backend: Backend) -> None:
        await backend.create(POD, b"one")
        await backend.delete(POD, expected_revision=2)
        for write in (backend.update(POD, b"x", expected_revision=expected), backend.delete(POD, expected_revision=expected)):
            with pytest.raises(RevisionConflict) as conflict:
                await write
            assert conflict.value.current is None

    run(make, scenario)


def test_lists_have_the_prefix_alone_in_key_order_in_pages(make: Make) -> None:
    async def scenario(backend: Backend) -> None:
        names = ["b", "a/1", "a", "c", "a-1", "ä", "a.1"]
        for name in names:
            await backend.create(f"/pods/{name}", b"")
        await backend.create("/podsx", b"")
        await backend.create("/pod", b"")
        expected = [f"/pods/{name}" for name in sorted(names)]
        page = await backend.list("/pods/")
        assert ([record.key for record in page.records], page.revision, page.more) == (expected, 10, False)
        paged: list[str] = []
        more = True
        while more:
            page = await backend.list("/pods/", after=paged[-1] if paged else "", limit=3)
            assert len(page.records) <= 3
            paged += [record.key for record in page.records]
            more = page.more
        assert paged == expected
        assert (await backend.list("/pods/", limit=7)).more is False
        assert (await backend.list("/nothing/", limit=1)).records == []

    run(make, scenario)


def test_long_lists_are_whole_at_every_limit(make: Make) -> None:
    async def scenario(backend: Backend) -> None:
        await asyncio.gather(*(backend.create(f"/many/{number:04}", b"%d" % number) for number in range(600)))
        keys = [f"/many/{number:04}" for number in range(600)]
        for limit, count, more in (
            (0, 600, False),
            (256, 256, True),
            (255, 255, True),
            (512, 512, True),
            (600, 600, False),
            (599, 599, True),
        ):
            page = await backend.list("/many/", limit=limit)
            assert ([record.key for record in page.records], page.more) == (keys[:count], more), limit

    run(make, scenario)


async def _history_of_five(backend: Backend) -> None:
    """a@2, b@3, a changed @4, b deleted @5, c@6."""
    await backend.create("/a", b"a2")
    await backend.create("/b", b"b3")
    await backend.update("/a", b"a4", expected_revision=2)
    await backend.delete("/b", expected_revision=3)
    await backend.create("/c", b"c6")


A2, B3, A4, C6 = Record("/a", b"a2", 2, 2), Record("/b", b"b3", 3, 3), Record("/a", b"a4", 4, 2), Record("/c", b"c6", 6, 6)
STATES = {1: [], 2: [A2], 3: [A2, B3], 4: [A4, B3], 5: [A4], 6: [A4, C6]}
CHANGES = [
    Change("put", 2, A2, None),
    Change("put", 3, B3, None),
    Change("put", 4, A4, A2),
    Change("delete", 5, B3, B3),
    Change("put", 6, C6, None),
]


@pytest.mark.parametrize("revision", STATES)
def test_reads_at_a_revision_show_what_was_there(make: Make, revision: int) -> None:
    async def scenario(backend: Backend) -> None:
        await _history_of_five(backend)
        assert await backend.list("/", revision=revision) == Page(STATES[revision], revision, False)
        for key in ("/a", "/b", "/c"):
            expected = next((record for record in STATES[revision] if record.key == key), None)
            assert await backend.get(key, revision=revision) == expected

    run(make, scenario)


def test_the_future_cannot_be_read(make: Make) -> None:
    async def scenario(backend: Backend) -> None:
        await backend.create(POD, b"one")
        for read in (backend.get(POD, revision=3), backend.list("", revision=3), backend.compact(3)):
            with pytest.raises(FutureRevision) as future:
                await read
            assert future.value.current == 2

    run(make, scenario)


@pytest.mark.parametrize("compaction", [2, 3, 4, 5, 6])
def test_compaction_refuses_what_is_older_and_keeps_the_rest(make: Make, compaction: int) -> None:
    async def scenario(backend: Backend) -> None:
        await _history_of_five(backend)
        await backend.compact(compaction)
        await backend.compact(1)
        assert await backend.compacted_revision() == compaction
        for revision, records in STATES.items():
            if revision >= compaction:
                assert await backend.list("/", revision=revision) == Page(records, revision, False)
                assert await all_changes(backend, after=revision) == [each for each in CHANGES if each.revision > revision]
                continue
            for read in (backend.get("/a", revision=revision), backend.list("/", revision=revision), all_changes(backend, after=revision)):
                with pytest.raises(Compacted) as compacted:
                    await read
                assert compacted.value.oldest == compaction
            with pytest.raises(Compacted):
                await take(backend.watch("/", after_revision=revision), 1)
        assert await backend.list("/") == Page([A4, C6], 6, False)
        assert await backend.update("/a", b"a7", expected_revision=4) == 7
        assert await backend.create("/b", b"b8") == 8

    run(make, scenario)


def test_a_watch_tells_history_and_then_what_happens(make: Make) -> None:
    async def scenario(backend: Backend) -> None:
        await _history_of_five(backend)
        for after in (0, 1, 3, 5):
            async with aclosing(backend.watch("/", after_revision=after)) as stream:
                expected = [change for change in CHANGES if change.revision > after]
                assert await take(stream, len(expected)) == expected
        async with aclosing(backend.watch("/a", after_revision=3)) as stream:
            assert await take(stream, 1) == [CHANGES[2]]
            await backend.create("/b", b"other")
            await backend.update("/a", b"a8", expected_revision=4)
            await backend.delete("/a", expected_revision=8)
            a8 = Record("/a", b"a8", 8, 2)
            assert await take(stream, 2) == [Change("put", 8, a8, A4), Change("delete", 9, a8, a8)]

    run(make, scenario)


def test_a_watch_from_the_future_starts_there(make: Make) -> None:
    async def scenario(backend: Backend) -> None:
        async with aclosing(backend.watch("/", after_revision=3)) as stream:
            await _history_of_five(backend)
            assert await take(stream, 3) == CHANGES[2:]

    run(make, scenario)


def test_history_ends_at_the_revision_asked_for(make: Make) -> None:
    async def scenario(backend: Backend) -> None:
        await _history_of_five(backend)
        assert [change async for change in backend.history("/", after_revision=2, until_revision=5)] == CHANGES[1:4]
        assert [change async for change in backend.history("/b", after_revision=0, until_revision=99)] == [CHANGES[1], CHANGES[3]]
        assert [change async for change in backend.history("/", after_revision=6, until_revision=6)] == []

    run(make, scenario)


def test_of_parallel_creates_of_one_key_exactly_one_wins(make: Make) -> None:
    async def scenario(backend: Backend) -> None:
        for round_ in range(5):
            key = f"/race/{round_}"
            outcomes = await asyncio.gather(*(backend.create(key, b"%d" % n) for n in range(50)), return_exceptions=True)
            won = [n for n, outcome in enumerate(outcomes) if isinstance(outcome, int)]
            assert len(won) == 1
            assert sum(isinstance(outcome, KeyExists) for outcome in outcomes) == 49
            assert await backend.get(key) == Record(key, b"%d" % won[0], 2 + round_, 2 + round_)

    run(make, scenario)


def test_racing_updates_lose_no_increment(make: Make) -> None:
    async def scenario(backend: Backend) -> None:
        await backend.create("/counter", b"0")

        async def increment() -> None:
            record = await backend.get("/counter")
            while record is not None:
                try:
                    await backend.update("/counter", b"%d" % (int(record.value) + 1), expected_revision=record.revision)
                    return
                except RevisionConflict as conflict:
                    record = conflict.current

        await asyncio.gather(*(increment() for _ in range(40)))
        assert await backend.get("/counter") == Record("/counter", b"40", 42, 2)

    run(make, scenario)


def test_writes_that_depend_on_each_other_share_a_batch_in_order(make: Make) -> None:
    async def scenario(backend: Backend) -> None:
        outcomes = await asyncio.gather(
            backend.create("/k", b"1"),
            backend.update("/k", b"2", expected_revision=2),
            backend.update("/k", b"lost", expected_revision=2),
            backend.delete("/k", expected_revision=3),
            backend.create("/k", b"3"),
            return_exceptions=True,
        )
        assert [outcome for outcome in outcomes if isinstance(outcome, int)] == [2, 3, 4, 5]
        assert isinstance(outcomes[2], RevisionConflict)
        assert await all_changes(backend) == [
            Change("put", 2, Record("/k", b"1", 2, 2), None),
            Change("put", 3, Record("/k", b"2", 3, 2), Record("/k", b"1", 2, 2)),
            Change("delete", 4, Record("/k", b"2", 3, 2), Record("/k", b"2", 3, 2)),
            Change("put", 5, Record("/k", b"3", 5, 5), None),
        ]

    run(make, scenario)


def test_watches_opened_under_writes_see_each_revision_once_and_in_order(make: Make) -> None:
    count = 600

    async def scenario(backend: Backend) -> None:
        streams: list[tuple[int, ChangeStream]] = []

        async def write(writer: int) -> None:
            for number in range(count // 10):
                await backend.create(f"/w/{writer}/{number}", b"")
                await asyncio.sleep(0)

        async def watch() -> None:
            for after in range(0, 300, 20):
                streams.append((after, backend.watch("/w/", after_revision=after)))
                await asyncio.sleep(0.001)

        await asyncio.gather(watch(), *(write(writer) for writer in range(10)))
        for after, stream in streams:
            async with aclosing(stream):
                first = max(after, 1) + 1
                changes = await take(stream, count + 2 - first)
                assert [change.revision for change in changes] == list(range(first, count + 2))

    run(make, scenario)


def test_a_cancelled_writer_leaves_the_log_whole(make: Make) -> None:
    async def scenario(backend: Backend) -> None:
        async with aclosing(backend.watch("/", after_revision=1)) as stream:
            tasks = [asyncio.create_task(backend.create(f"/c/{n}", b"")) for n in range(20)]
            await asyncio.sleep(0)
            for task in tasks[::2]:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            last = await backend.create("/last", b"")
            assert [change.revision for change in await take(stream, last - 1)] == list(range(2, last + 1))

    run(make, scenario)


def test_stopping_ends_watches_and_refuses_writes(make: Make) -> None:
    async def main() -> None:
        backend = make()
        async with running(backend):
            stream = backend.watch("/", after_revision=1)
            reader = asyncio.create_task(take(stream, 10))
            await backend.create("/a", b"")
        assert [change.revision for change in await reader] == [2]
        for write in (backend.create("/b", b""), backend.update("/a", b"", expected_revision=2), backend.delete("/a", expected_revision=2)):
            with pytest.raises(Unavailable):
                await write
        await backend.stop()

    asyncio.run(main())


def test_values_of_any_bytes_and_size_come_back(make: Make) -> None:
    values = [b"", b"\x00\xff" * 10, b"x" * (3 << 20), "ü".encode()]

    async def scenario(backend: Backend) -> None:
        for number, value in enumerate(values):
            await backend.create(f"/v/{number}", value)
        assert [record.value for record in (await backend.list("/v/")).records] == values

    run(make, scenario)


DURABLE = ("sqlite",)


@pytest.fixture(params=DURABLE)
def make_durable(request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    makes: dict[str, Make] = {"sqlite": lambda: SqliteBackend(tmp_path / "store.db")}
    return makes[request.param]


def test_everything_outlives_a_restart(make_durable: Make) -> None:
    run(make_durable, _history_of_five)

    async def again(backend: Backend) -> None:
        assert (await backend.current_revision(), await backend.compacted_revision()) == (6, 0)
        assert {revision: list((await backend.list("/", revision=revision)).records) for revision in STATES} == STATES
        async with aclosing(backend.watch("/", after_revision=0)) as stream:
            assert await take(stream, 5) == CHANGES
        with pytest.raises(KeyExists):
            await backend.create("/a", b"")
        assert await backend.create("/b", b"") == 7

    run(make_durable, again)


def test_compaction_outlives_a_restart_and_no_revision_is_given_twice(make_durable: Make) -> None:
    async def first(backend: Backend) -> None:
        await backend.create("/a", b"")
        await backend.create("/b", b"")
        await backend.delete("/b", expected_revision=3)
        await backend.compact(4)

    async def again(backend: Backend) -> None:
        assert (await backend.current_revision(), await backend.compacted_revision()) == (4, 4)
        with pytest.raises(Compacted):
            await backend.list("/", revision=3)
        assert await backend.create("/b", b"") == 5

    run(make_durable, first)
    run(make_durable, again)


def test_writes_that_wait_at_a_stop_are_made(make_durable: Make) -> None:
    async def first(backend: Backend) -> None:
        tasks = [asyncio.create_task(backend.create(f"/{n}", b"")) for n in range(100)]
        await asyncio.sleep(0)
        await backend.stop()
        assert sorted(await asyncio.gather(*tasks)) == list(range(2, 102))

    async def again(backend: Backend) -> None:
        assert len((await backend.list("/")).records) == 100

    run(make_durable, first)
    run(make_durable, again)
