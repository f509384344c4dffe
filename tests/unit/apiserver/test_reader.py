"""Reading from the caches: decoded once, observers told in order, created objects handed on as they are."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from proa.apiserver.reader import CacheReader
from proa.storage.backends.memory import MemoryBackend
from proa.storage.interface import Collection
from proa.storage.store import Store


def run(scenario: Callable[[CacheReader, Collection], Awaitable[None]]) -> None:
    async def main() -> None:
        store = Store(MemoryBackend())
        await store.start()
        reader = CacheReader()
        collection = await store.collection("/registry/pods/", lambda obj: ({}, {}))
        await scenario(reader, collection)
        await store.stop()

    asyncio.run(main())


def pod(name: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "uid": f"uid-{name}"}}


def test_an_object_is_decoded_once_per_version() -> None:
    async def scenario(reader: CacheReader, pods: Collection) -> None:
        reader.add("", "pods", pods)
        await pods.create("a/p", pod("p"))
        first = reader.get("", "pods", "p", "a")
        assert first is reader.get("", "pods", "p", "a")
        assert [each["metadata"]["name"] for each in reader.list("", "pods", "a")] == ["p"]
        assert (reader.get("", "pods", "q", "a"), reader.list("", "pods", "b"), reader.list("", "none")) == (None, [], [])

    run(scenario)


def test_observers_may_come_before_the_collection() -> None:
    async def scenario(reader: CacheReader, pods: Collection) -> None:
        early: list[tuple[str, str]] = []
        late: list[tuple[str, str]] = []
        reader.observe("", "pods", lambda event, obj: early.append((event, obj["metadata"]["name"])))
        await pods.create("a/p", pod("p"))
        reader.add("", "pods", pods)
        reader.observe("", "pods", lambda event, obj: late.append((event, obj["metadata"]["name"])))
        await pods.create("a/q", pod("q"))
        assert early == late == [("ADDED", "p"), ("ADDED", "q")]

    run(scenario)


def test_an_offered_object_is_taken_only_for_its_own_creation() -> None:
    async def scenario(reader: CacheReader, pods: Collection) -> None:
        seen: list[dict[str, Any]] = []
        reader.add("", "pods", pods)
        reader.observe("", "pods", lambda event, obj: seen.append(obj))
        mine = pod("p")
        reader.offer("", "pods", "a/p", mine)
        entry = await pods.create("a/p", mine)
        assert seen[0] is mine
        assert mine["metadata"]["resourceVersion"] == str(entry.revision)
        stranger = pod("other")
        reader.offer("", "pods", "a/q", stranger)
        await pods.create("a/q", pod("q"))
        assert seen[1]["metadata"]["uid"] == "uid-q"

    run(scenario)
