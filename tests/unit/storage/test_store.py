"""Collections: what is written, what is read back at which revision, and what is refused."""

import asyncio
from pathlib import Path

import pytest

from proa.api.meta import Object
from proa.lib.clock import VirtualClock
from proa.storage import continue_token
from proa.storage import store as store_module
from proa.storage.backends.memory import MemoryBackend
from proa.storage.backends.sqlite import SqliteBackend
from proa.storage.interface import (
    Collection,
    Compacted,
    Entry,
    FutureRevision,
    KeyExists,
    Listing,
    Page,
    StoreEvent,
    Unavailable,
    WatchClosed,
)
from proa.storage.store import Store
from tests.unit.storage.pods import PODS, accept, attributes, pod, run, to_node


def names(listing: Listing) -> list[str]:
    return [entry.key for entry in listing.entries]


def test_a_created_object_carries_its_revision_and_nothing_of_what_the_caller_claimed() -> None:
    async def scenario(store: Store, pods: Collection) -> None:
        claimed = {"metadata": {"name": "a", "resourceVersion": "77"}, "spec": {"nodeName": "n"}, "kind": "Pod", "apiVersion": "v1"}
        entry = await pods.create("default/a", claimed)
        assert entry.value == (b'{"apiVersion":"v1","kind":"Pod","metadata":{"resourceVersion":"2","name":"a"},"spec":{"nodeName":"n"}}')
        assert (entry.key, entry.revision, dict(entry.labels)) == ("default/a", 2, {})
        assert entry.fields == {"metadata.name": "a", "spec.nodeName": "n"}
        assert await pods.get("default/a") is entry
        assert pods.peek("default/a") is entry
        assert claimed["metadata"] == {"name": "a", "resourceVersion": "77"}
        with pytest.raises(KeyExists):
            await pods.create("default/a", pod("a"))

    run(scenario)


def test_an_update_is_written_if_it_says_something_new() -> None:
    async def scenario(store: Store, pods: Collection) -> None:
        created = await pods.create("default/a", pod("a"))
        updated, written = await pods.update("default/a", to_node("n1"))
        assert (written, updated.revision, updated.fields["spec.nodeName"]) == (True, 3, "n1")
        assert updated.decode()["metadata"]["resourceVersion"] == "3"
        assert created.decode()["spec"] == {"nodeName": ""}

        async def reorder(obj: Object) -> Object:
            return dict(reversed(obj.items()))

        async def leave(obj: Object) -> None:
            return None

        for nothing_new in (to_node("n1"), reorder, leave):
            assert await pods.update("default/a", nothing_new) == (updated, False)
        assert store.revision == 3

        async def refuse(obj: Object) -> Object:
            raise PermissionError

        with pytest.raises(PermissionError):
            await pods.update("default/a", refuse)
        with pytest.raises(KeyError):
            await pods.update("default/b", to_node("n1"))

    run(scenario)


def test_a_value_that_only_compares_equal_is_an_update() -> None:
    async def scenario(store: Store, pods: Collection) -> None:
        await pods.create("default/a", pod("a") | {"x": 1, "y": 1.0})

        async def swap(obj: Object) -> Object:
            return obj | {"x": 1.0, "y": 1}

        assert (await pods.update("default/a", swap))[1] is True

    run(scenario)


def test_racing_updates_are_tried_again_until_all_are_in() -> None:
    async def scenario(store: Store, pods: Collection) -> None:
        await pods.create("default/a", pod("a"))

        async def add_one(obj: Object) -> Object:
            await asyncio.sleep(0)
            obj["spec"]["count"] = obj["spec"].get("count", 0) + 1
            return obj

        await asyncio.gather(*(pods.update("default/a", add_one) for _ in range(20)))
        entry = await pods.get("default/a")
        assert entry is not None
        assert (entry.decode()["spec"]["count"], entry.revision) == (20, 22)

    run(scenario)


def test_a_delete_carries_its_own_revision_and_is_checked_against_the_newest_state() -> None:
    async def scenario(store: Store, pods: Collection) -> None:
        await pods.create("default/a", pod("a"))
        seen: list[str] = []

        async def meanwhile(obj: Object) -> None:
            seen.append(obj["spec"]["nodeName"])
            if len(seen) == 1:
                await pods.update("default/a", to_node("n1"))

        deleted = await pods.delete("default/a", meanwhile)
        assert seen == ["", "n1"]
        assert (deleted.revision, deleted.decode()["metadata"]["resourceVersion"], deleted.fields["spec.nodeName"]) == (4, "4", "n1")
        assert await pods.get("default/a") is None
        with pytest.raises(KeyError):
            await pods.delete("default/a", accept)

    run(scenario)


def test_a_delete_of_what_vanishes_meanwhile_is_a_key_error() -> None:
    async def scenario(store: Store, pods: Collection) -> None:
        await pods.create("default/a", pod("a"))

        async def vanish(obj: Object) -> None:
            await pods.delete("default/a", accept)

        with pytest.raises(KeyError):
            await pods.delete("default/a", vanish)

    run(scenario)


def test_lists_are_by_scope_and_predicate_in_key_order() -> None:
    async def scenario(store: Store, pods: Collection) -> None:
        for key in ("default/b", "kube-system/c", "default/a", "default-2/d"):
            await pods.create(key, pod(key, node="n1" if key.endswith(("a", "c")) else ""))

        def on_n1(entry: Entry) -> bool:
            return entry.fields["spec.nodeName"] == "n1"

        assert names(await pods.list()) == ["default-2/d", "default/a", "default/b", "kube-system/c"]
        assert names(await pods.list("default/")) == ["default/a", "default/b"]
        assert names(await pods.list(predicate=on_n1)) == ["default/a", "kube-system/c"]
        assert [entry.key for entry in pods.current("default")] == ["default-2/d", "default/a", "default/b"]
        listing = await pods.list("default/", limit=1)
        assert (listing.revision, listing.remaining, bool(listing.continue_token)) == (5, 1, True)
        listing = await pods.list(predicate=on_n1, limit=1)
        assert (names(listing), listing.remaining, bool(listing.continue_token)) == (["default/a"], None, True)
        listing = await pods.list(predicate=on_n1, limit=2)
        assert (names(listing), listing.continue_token) == (["default/a", "kube-system/c"], "")

    run(scenario)


@pytest.mark.parametrize("from_log", [False, True])
def test_pages_show_the_first_ones_revision_whatever_happens_between(from_log: bool) -> None:
    async def scenario(store: Store, pods: Collection) -> None:
        for name in "abcde":
            await pods.create(f"default/{name}", pod(name))
        first = await pods.list(limit=2)
        await pods.delete("default/c", accept)
        await pods.update("default/d", to_node("late"))
        await pods.create("default/bb", pod("bb"))
        if from_log:
            _forget_window(pods)
        second = await pods.list(limit=2, continue_token=first.continue_token)
        third = await pods.list(limit=2, continue_token=second.continue_token)
        assert [names(page) for page in (first, second, third)] == [
            ["default/a", "default/b"], ["default/c", "default/d"], ["default/e"],
        ]  # fmt: skip
        assert [page.revision for page in (first, second, third)] == [6, 6, 6]
        assert [page.remaining for page in (first, second, third)] == ([3, None, 0] if from_log else [3, 1, 0])
        assert (second.entries[1].fields["spec.nodeName"], second.entries[1].revision, third.continue_token) == ("", 5, "")

    run(scenario)


def _forget_window(pods: Collection) -> None:
    """As after a restart: older revisions are in the log alone."""
    from proa.storage.collection import StoredCollection

    assert isinstance(pods, StoredCollection)
    pods.cache._window.clear()
    pods.cache._window_start = 10**6


@pytest.mark.parametrize("from_log", [False, True])
def test_exact_lists_show_each_older_revision(from_log: bool) -> None:
    async def scenario(store: Store, pods: Collection) -> None:
        await pods.create("default/a", pod("a"))
        await pods.create("default/b", pod("b"))
        await pods.update("default/a", to_node("n1"))
        await pods.delete("default/b", accept)
        if from_log:
            _forget_window(pods)
        states = {}
        for revision in range(1, 6):
            listing = await pods.list(revision=revision, match="Exact")
            states[listing.revision] = [(entry.key, entry.revision, entry.fields["spec.nodeName"]) for entry in listing.entries]
        a, b, a_bound = ("default/a", 2, ""), ("default/b", 3, ""), ("default/a", 4, "n1")
        assert states == {1: [], 2: [a], 3: [a, b], 4: [a_bound, b], 5: [a_bound]}
        newest = await pods.list(revision=2)
        assert (newest.revision, names(newest)) == (5, ["default/a"])
        assert (await pods.list(revision=2, limit=5)).revision == 2
        assert (await pods.list(revision=2, limit=5, match="NotOlderThan")).revision == 5

    run(scenario)


def test_compaction_ends_older_lists_and_tokens_but_a_client_may_go_on_inconsistently() -> None:
    async def scenario(store: Store, pods: Collection) -> None:
        for name in "abc":
            await pods.create(f"default/{name}", pod(name))
        token = (await pods.list(limit=1)).continue_token
        await pods.create("default/bb", pod("bb"))
        await store.compact(store.revision)
        for refused in (pods.list(continue_token=token), pods.list(revision=4, match="Exact")):
            with pytest.raises(Compacted) as compacted:
                await refused
            assert compacted.value.oldest == 5
        listing = await pods.list(continue_token=continue_token.inconsistent(token), limit=2)
        assert (names(listing), listing.revision, listing.remaining) == (["default/b", "default/bb"], 5, 1)
        with pytest.raises(FutureRevision):
            await store.compact(6)

    run(scenario)


@pytest.mark.parametrize("token", ["x", "bm9wZQ", "e30", continue_token.ContinueToken(0, "a").encode(), "ä"])
def test_a_broken_token_is_a_value_error(token: str) -> None:
    async def scenario(store: Store, pods: Collection) -> None:
        with pytest.raises(ValueError, match="continue key is not valid"):
            await pods.list(continue_token=token)

    run(scenario)


def test_a_revision_that_has_not_happened_is_waited_for_and_then_refused() -> None:
    async def main() -> None:
        clock = VirtualClock()
        store = Store(MemoryBackend(), clock)
        pods = await store.collection(PODS, attributes)
        await store.start()
        early = asyncio.create_task(pods.get("default/a", minimum_revision=2))
        await clock.advance(2.9)
        assert not early.done()
        created = await pods.create("default/a", pod("a"))
        assert await early is created
        late = asyncio.create_task(pods.list(revision=9))
        await clock.advance(3)
        with pytest.raises(FutureRevision) as future:
            await late
        assert future.value.current == 2
        await store.stop()

    asyncio.run(main())


def test_observers_see_what_is_there_and_each_change_before_it_is_answered() -> None:
    async def scenario(store: Store, pods: Collection) -> None:
        seen: list[tuple[str, str, int]] = []
        await pods.create("default/b", pod("b"))
        await pods.create("default/a", pod("a"))

        def fail(event: StoreEvent) -> None:
            if event.revision > 3:
                raise RuntimeError

        pods.observe(fail)
        pods.observe(lambda event: seen.append((event.type, event.entry.key, event.entry.revision)))
        assert seen == [("ADDED", "default/a", 3), ("ADDED", "default/b", 2)]
        await pods.update("default/a", to_node("n1"))
        assert seen[2:] == [("MODIFIED", "default/a", 4)]
        await pods.delete("default/a", accept)
        assert seen[3:] == [("DELETED", "default/a", 5)]

    run(scenario)


def test_a_cancelled_writer_leaves_no_hole_in_the_cache(tmp_path: Path) -> None:
    async def main() -> None:
        store = Store(SqliteBackend(tmp_path / "store.db"))
        pods = await store.collection(PODS, attributes)
        await store.start()
        tasks = [asyncio.create_task(pods.create(f"default/{n}", pod(str(n)))) for n in range(10)]
        await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await pods.create("default/last", pod("last"))
        assert len(list(pods.current())) == store.revision - 1
        assert {entry.fields["metadata.name"] == entry.key.removeprefix("default/") for entry in pods.current()} == {True}
        await store.stop()

    asyncio.run(main())


def test_collections_share_a_store_and_can_come_late_and_go() -> None:
    async def main() -> None:
        backend = MemoryBackend()
        store = Store(backend)
        pods = await store.collection(PODS, attributes)
        seen: list[str] = []
        pods.observe(lambda event: seen.append(event.entry.key))
        await backend.start()
        await backend.create(f"{PODS}default/a", b'{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"},"spec":{"nodeName":""}}')
        await backend.create("/registry/example.com/foos/x", b'{"apiVersion":"v1","kind":"Foo","metadata":{},"spec":{}}')
        await store.start()
        assert seen == ["default/a"]
        assert await store.collection(PODS, attributes) is pods
        first, second = await asyncio.gather(*(store.collection("/registry/example.com/foos/", lambda obj: ({}, {})) for _ in range(2)))
        assert first is second
        (entry,) = first.current()
        assert (entry.key, entry.value) == ("x", b'{"apiVersion":"v1","kind":"Foo","metadata":{"resourceVersion":"3"},"spec":{}}')
        watcher = first.watch()
        await store.drop("/registry/example.com/foos/")
        with pytest.raises(WatchClosed):
            await watcher.next_batch()
        again = await store.collection("/registry/example.com/foos/", lambda obj: ({}, {}))
        assert again is not first
        assert [each.key for each in again.current()] == ["x"]
        await store.stop()
        with pytest.raises(Unavailable):
            await pods.create("default/b", pod("b"))

    asyncio.run(main())


def test_a_collection_that_is_loaded_under_writes_misses_none() -> None:
    async def main() -> None:
        backend = MemoryBackend()
        store = Store(backend)
        await store.start()
        stored = b'{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"},"spec":{"nodeName":""}}'
        writers = [asyncio.create_task(backend.create(f"{PODS}default/{n}", stored)) for n in range(20)]
        pods = await store.collection(PODS, attributes)
        await asyncio.gather(*writers)
        await pods.create("default/last", pod("last"))
        assert len(list(pods.current())) == 21
        await store.stop()

    asyncio.run(main())


def test_a_long_collection_is_loaded_in_pages_at_one_revision(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "PAGE", 3)
    stored = b'{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"},"spec":{"nodeName":""}}'

    class Compacting(MemoryBackend):
        """Moves on, and forgets, while the first load is between two pages."""

        async def list(self, prefix: str, *, revision: int = 0, after: str = "", limit: int = 0) -> Page:
            if revision == 11:
                await self.create(f"{PODS}default/x", stored)
                await self.compact(12)
            return await super().list(prefix, revision=revision, after=after, limit=limit)

    async def main() -> None:
        backend = Compacting()
        store = Store(backend)
        await store.start()
        for number in range(10):
            await backend.create(f"{PODS}default/{number}", stored)
        pods = await store.collection(PODS, attributes)
        assert [entry.key for entry in pods.current()] == [f"default/{number}" for number in range(10)] + ["default/x"]
        assert await pods.watch(after_revision=12).next_batch(timeout=0) == []
        await store.stop()

    asyncio.run(main())
