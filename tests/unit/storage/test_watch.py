"""Watches: what each one sees, from which revision, what wakes it, and when it ends."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from proa.storage import watch_cache, watcher
from proa.storage.backends.memory import MemoryBackend
from proa.storage.backends.sqlite import SqliteBackend
from proa.storage.interface import Collection, Compacted, Entry, StoreEvent, Unavailable, WatchClosed, Watcher
from proa.storage.store import Store
from tests.unit.storage.pods import PODS, accept, attributes, pod, run, to_node

Seen = list[tuple[str, str, int]]


def summary(events: Sequence[StoreEvent]) -> Seen:
    return [(event.type, event.entry.key, event.revision) for event in events]


async def drain(source: Watcher) -> Seen:
    """Everything that is there, without waiting for more."""
    seen: Seen = []
    while batch := await source.next_batch(timeout=0):
        seen += summary(batch)
    return seen


def on(node: str) -> Callable[[Entry], bool]:
    return lambda entry: entry.fields["spec.nodeName"] == node


async def a_life(pods: Collection) -> None:
    """a@2, b@3, a to n1 @4, b deleted @5, a to n2 @6, a deleted @7."""
    await pods.create("default/a", pod("a"))
    await pods.create("default/b", pod("b"))
    await pods.update("default/a", to_node("n1"))
    await pods.delete("default/b", accept)
    await pods.update("default/a", to_node("n2"))
    await pods.delete("default/a", accept)


LIFE: Seen = [
    ("ADDED", "default/a", 2),
    ("ADDED", "default/b", 3),
    ("MODIFIED", "default/a", 4),
    ("DELETED", "default/b", 5),
    ("MODIFIED", "default/a", 6),
    ("DELETED", "default/a", 7),
]


@pytest.mark.parametrize("after", range(1, 8))
def test_a_watch_tells_all_after_its_revision(after: int) -> None:
    async def scenario(store: Store, pods: Collection) -> None:
        early = pods.watch(after_revision=after)
        await a_life(pods)
        late = pods.watch(after_revision=after)
        expected = [event for event in LIFE if event[2] > after]
        assert await drain(early) == expected
        assert await drain(late) == expected
        assert early.revision == late.revision == 7

    run(scenario)


PREDICATE_CASES: list[tuple[str, Seen]] = [
    ("", [("ADDED", "default/a", 2), ("ADDED", "default/b", 3), ("DELETED", "default/a", 4), ("DELETED", "default/b", 5)]),
    ("n1", [("ADDED", "default/a", 4), ("DELETED", "default/a", 6)]),
    ("n2", [("ADDED", "default/a", 6), ("DELETED", "default/a", 7)]),
    ("n3", []),
]


@pytest.mark.parametrize(("node", "expected"), PREDICATE_CASES)
@pytest.mark.parametrize("hint", [False, True])
@pytest.mark.parametrize("live", [False, True])
def test_objects_that_begin_or_cease_to_match_are_added_or_deleted(node: str, expected: Seen, hint: bool, live: bool) -> None:
    async def scenario(store: Store, pods: Collection) -> None:
        def watch() -> Watcher:
            return pods.watch(after_revision=1, predicate=on(node), field=("spec.nodeName", node) if hint else None)

        if live:
            source = watch()
            await a_life(pods)
        else:
            await a_life(pods)
            source = watch()
        assert await drain(source) == expected

    run(scenario)


def test_what_ceases_to_match_is_shown_as_it_was_at_the_revision_of_the_change() -> None:
    async def scenario(store: Store, pods: Collection) -> None:
        source = pods.watch(after_revision=1, predicate=on("n1"))
        await a_life(pods)
        added, deleted = await source.next_batch()
        assert added.entry.decode() == pod("a", node="n1") | {"metadata": {"resourceVersion": "4", "name": "a", "namespace": "default"}}
        assert deleted.entry.decode() == pod("a", node="n1") | {"metadata": {"resourceVersion": "6", "name": "a", "namespace": "default"}}

    run(scenario)


@pytest.mark.parametrize(
    ("scope", "keys"),
    [
        ("", ["default/a", "default/ab", "other/a"]),
        ("default/", ["default/a", "default/ab"]),
        ("default/a", ["default/a", "default/ab"]),
        ("default/ab", ["default/ab"]),
        ("de", ["default/a", "default/ab"]),
        ("none/", []),
    ],
)
def test_a_scope_narrows_snapshot_history_and_live_events(scope: str, keys: list[str]) -> None:
    async def scenario(store: Store, pods: Collection) -> None:
        live, narrowed = pods.watch(scope, after_revision=1), pods.watch(scope, after_revision=1, predicate=lambda entry: True)
        for key in ("default/a", "default/ab", "other/a"):
            await pods.create(key, pod("x"))
        for source in (live, narrowed, pods.watch(scope, after_revision=1), pods.watch(scope)):
            assert [key for _, key, _ in await drain(source)] == keys

    run(scenario)


def test_a_watch_without_a_revision_starts_with_what_is_there() -> None:
    async def scenario(store: Store, pods: Collection) -> None:
        for name in ("b", "a", "c"):
            await pods.create(f"default/{name}", pod(name))
        source = pods.watch(predicate=lambda entry: entry.key != "default/c")
        assert source.revision == 0
        await pods.update("default/a", to_node("n1"))
        assert summary(await source.next_batch()) == [("ADDED", "default/a", 3), ("ADDED", "default/b", 2)]
        assert source.revision == 4
        assert summary(await source.next_batch()) == [("MODIFIED", "default/a", 5)]
        assert source.revision == 5

    run(scenario)


def test_the_revision_of_an_idle_watch_goes_on_with_the_store() -> None:
    async def scenario(store: Store, pods: Collection) -> None:
        others = await store.collection("/registry/others/", attributes)
        source = pods.watch(after_revision=1)
        await others.create("x", pod("x"))
        assert (source.revision, await source.next_batch(timeout=0.001)) == (2, [])
        await pods.create("default/a", pod("a"))
        await others.create("y", pod("y"))
        assert source.revision == 2
        assert summary(await source.next_batch()) == [("ADDED", "default/a", 3)]
        assert source.revision == 4

    run(scenario)


def test_a_waiting_consumer_is_woken_once_for_all_that_came_together() -> None:
    async def main(path: Path) -> None:
        store = Store(SqliteBackend(path))
        pods = await store.collection(PODS, attributes)
        await store.start()
        source = pods.watch(after_revision=1)
        waiting = asyncio.create_task(_batches(source, 30))
        await asyncio.sleep(0)
        await asyncio.gather(*(pods.create(f"default/{n:02}", pod(str(n))) for n in range(30)))
        assert len(await waiting) < 30
        await store.stop()

    import tempfile

    with tempfile.TemporaryDirectory() as directory:
        asyncio.run(main(Path(directory) / "store.db"))


async def _batches(source: Watcher, events: int) -> list[int]:
    sizes: list[int] = []
    while sum(sizes) < events:
        sizes.append(len(await source.next_batch()))
    return sizes


def test_watchers_share_events_and_entries() -> None:
    async def scenario(store: Store, pods: Collection) -> None:
        sources = [pods.watch(after_revision=1) for _ in range(3)]
        entry = await pods.create("default/a", pod("a"))
        events = [(await source.next_batch())[0] for source in sources]
        assert events[0] is events[1] is events[2]
        assert events[0].entry is entry
        assert entry.encoded("v", lambda each: b"once") is entry.encoded("v", lambda each: b"twice")

    run(scenario)


def test_a_consumer_that_falls_behind_is_ended_and_the_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watcher, "LIMIT", 3)

    async def scenario(store: Store, pods: Collection) -> None:
        slow, quick = pods.watch(after_revision=1), pods.watch(after_revision=1)
        for name in "abcd":
            await pods.create(f"default/{name}", pod(name))
            assert len(await quick.next_batch()) == 1
        with pytest.raises(WatchClosed):
            await slow.next_batch()
        assert len(await drain(pods.watch())) == 4

    run(scenario)


def test_a_resumed_watch_may_begin_with_more_than_may_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watcher, "LIMIT", 3)

    async def scenario(store: Store, pods: Collection) -> None:
        await a_life(pods)
        source = pods.watch(after_revision=1)
        await pods.create("default/z", pod("z"))
        assert await drain(source) == [*LIFE, ("ADDED", "default/z", 8)]

    run(scenario)


def test_closing_a_watch_and_stopping_the_store_end_it() -> None:
    async def main() -> None:
        store = Store(MemoryBackend())
        pods = await store.collection(PODS, attributes)
        await store.start()
        closed, stopped = pods.watch(after_revision=1), pods.watch(after_revision=1)
        waiting = [asyncio.create_task(each.next_batch()) for each in (closed, stopped)]
        await asyncio.sleep(0)
        closed.close()
        await store.stop()
        outcomes = await asyncio.gather(*waiting, return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [WatchClosed, WatchClosed]

    asyncio.run(main())


async def _started(path: Path) -> tuple[Store, Collection]:
    store = Store(SqliteBackend(path))
    pods = await store.collection(PODS, attributes)
    await store.start()
    return store, pods


@pytest.mark.parametrize("predicate", [None, on("n1")])
def test_a_watch_that_resumes_after_a_restart_goes_on_without_a_missed_event(
    tmp_path: Path, predicate: Callable[[Entry], bool] | None
) -> None:  # fmt: skip
    async def main() -> None:
        store, pods = await _started(tmp_path / "store.db")
        await a_life(pods)
        await store.stop()
        store, pods = await _started(tmp_path / "store.db")
        sources = {after: pods.watch(after_revision=after, predicate=predicate) for after in (6, 1, 3, 7, 4)}
        await pods.create("default/c", pod("c", node="n1"))
        life = LIFE if predicate is None else PREDICATE_CASES[1][1]
        for after, source in sources.items():
            assert source.revision == (after if after < 7 else 7)
            assert await drain(source) == [event for event in [*life, ("ADDED", "default/c", 8)] if event[2] > after]
        await store.stop()

    asyncio.run(main())


def test_events_from_the_log_are_those_that_were_told_live(tmp_path: Path) -> None:
    async def main() -> None:
        store, pods = await _started(tmp_path / "store.db")
        source = pods.watch(after_revision=1)
        await a_life(pods)
        live = await source.next_batch()
        await store.stop()
        store, pods = await _started(tmp_path / "store.db")
        again = await pods.watch(after_revision=1).next_batch()
        assert [_whole(event) for event in again] == [_whole(event) for event in live]
        await store.stop()

    asyncio.run(main())


def _whole(event: StoreEvent) -> tuple[object, ...]:
    previous = event.previous and (event.previous.revision, event.previous.value)
    return event.type, event.revision, event.entry.value, event.entry.fields, previous


def test_a_watch_from_before_the_compaction_is_refused_unless_the_window_has_it(tmp_path: Path) -> None:
    async def main() -> None:
        store, pods = await _started(tmp_path / "store.db")
        await a_life(pods)
        await store.compact(5)
        assert await drain(pods.watch(after_revision=1)) == LIFE
        await store.stop()
        store, pods = await _started(tmp_path / "store.db")
        with pytest.raises(Compacted) as compacted:
            pods.watch(after_revision=4)
        assert compacted.value.oldest == 5
        assert await drain(pods.watch(after_revision=5)) == LIFE[4:]
        resumed = pods.watch(after_revision=5)
        await store.stop()
        with pytest.raises(WatchClosed):
            await resumed.next_batch()

    asyncio.run(main())


def test_a_compaction_between_the_watch_and_its_first_events_ends_it(tmp_path: Path) -> None:
    async def main() -> None:
        store, pods = await _started(tmp_path / "store.db")
        await a_life(pods)
        await store.stop()
        store, pods = await _started(tmp_path / "store.db")
        source = pods.watch(after_revision=2)
        await store.compact(7)
        with pytest.raises(WatchClosed):
            await source.next_batch()
        await store.stop()

    asyncio.run(main())


def test_a_window_that_is_full_is_continued_by_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch_cache, "WINDOW_EVENTS", 2)

    async def scenario(store: Store, pods: Collection) -> None:
        await a_life(pods)
        sources = [pods.watch(after_revision=after) for after in (1, 3)]
        await pods.create("default/z", pod("z"))
        assert await drain(sources[0]) == [*LIFE, ("ADDED", "default/z", 8)]
        assert await drain(sources[1]) == [*LIFE[2:], ("ADDED", "default/z", 8)]

    run(scenario)


def test_a_window_holds_no_more_replaced_bytes_than_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch_cache, "WINDOW_BYTES", 1000)

    async def scenario(store: Store, pods: Collection) -> None:
        await pods.create("default/a", pod("a"))
        for number in range(50):
            await pods.update("default/a", to_node(f"n{number}"))
        assert len(await drain(pods.watch(after_revision=50))) == 2
        assert len(await drain(pods.watch(after_revision=1))) == 51

    run(scenario)


def test_who_missed_too_much_is_refused_for_good(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(watch_cache, "BACKFILL_EVENTS", 3)

    async def main() -> None:
        store, pods = await _started(tmp_path / "store.db")
        await a_life(pods)
        await store.stop()
        store, pods = await _started(tmp_path / "store.db")
        source = pods.watch(after_revision=1)
        with pytest.raises(WatchClosed):
            await source.next_batch()
        with pytest.raises(Compacted):
            pods.watch(after_revision=1)
        assert await drain(pods.watch(after_revision=4)) == LIFE[3:]
        await store.stop()

    asyncio.run(main())


def test_a_field_hint_spares_the_predicates_of_other_values() -> None:
    async def scenario(store: Store, pods: Collection) -> None:
        asked: list[str] = []

        def counting(node: str) -> Callable[[Entry], bool]:
            def predicate(entry: Entry) -> bool:
                asked.append(node)
                return entry.fields["spec.nodeName"] == node

            return predicate

        sources = [pods.watch(after_revision=1, predicate=counting(f"n{n}"), field=("spec.nodeName", f"n{n}")) for n in range(100)]
        await pods.create("default/a", pod("a"))
        assert asked == []
        await pods.update("default/a", to_node("n7"))
        await pods.update("default/a", to_node("n8"))
        assert set(asked) == {"n7", "n8"}
        assert [await drain(source) for source in sources[7:9]] == [
            [("ADDED", "default/a", 3), ("DELETED", "default/a", 4)],
            [("ADDED", "default/a", 4)],
        ]

    run(scenario)


def test_a_predicate_that_fails_ends_its_own_watch_alone() -> None:
    async def scenario(store: Store, pods: Collection) -> None:
        broken = pods.watch(after_revision=1, predicate=lambda entry: bool(entry.fields["missing"]))
        sound = pods.watch(after_revision=1)
        await pods.create("default/a", pod("a"))
        with pytest.raises(WatchClosed):
            await broken.next_batch()
        assert await drain(sound) == [("ADDED", "default/a", 2)]

    run(scenario)


def test_a_backend_that_fails_ends_watches_and_refuses_instead_of_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(store: Store, pods: Collection) -> None:
        source = pods.watch(after_revision=1)

        def fail(*_: object) -> None:
            raise OSError("connection lost")

        monkeypatch.setattr(store, "_apply", fail)
        with pytest.raises((OSError, Unavailable), match="connection lost"):
            await pods.create("default/a", pod("a"))
        with pytest.raises(Unavailable, match="connection lost"):
            await pods.get("default/a")
        with pytest.raises(WatchClosed):
            await source.next_batch()

    run(scenario)
