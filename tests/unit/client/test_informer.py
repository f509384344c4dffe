"""Informers against the fake: order of handlers, resume, relist, indexes, sharing."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from proa.api import meta
from proa.api.errors import ApiError
from proa.api.kinds import PODS
from proa.api.meta import Object
from proa.client.fake import Action, FakeClient
from proa.client.informer import Informer, InformerFactory
from proa.client.interface import Handlers
from proa.lib.clock import VirtualClock
from proa.lib.tasks import cancel_and_wait


def pod(name: str, node: str = "", namespace: str = "default") -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": namespace}, "spec": {"nodeName": node}}


def by_node(obj: Object) -> list[str]:
    return [obj["spec"]["nodeName"]]


Scenario = Callable[[FakeClient, Informer, VirtualClock, list[tuple[str, str]]], Awaitable[None]]


def play(scenario: Scenario, *objects: Object) -> list[tuple[str, str]]:
    """Run a scenario with a running informer; what handlers saw."""
    seen: list[tuple[str, str]] = []
    handlers = Handlers(
        add=lambda obj: seen.append(("add", meta.name(obj))),
        update=lambda old, new: seen.append(("update", meta.name(new))),
        delete=lambda obj: seen.append(("delete", meta.name(obj))),
    )

    async def main() -> None:
        clock = VirtualClock()
        client = FakeClient(*objects, clock=clock)
        informer = Informer(client, PODS, indexers={"node": by_node}, clock=clock)
        informer.add_handlers(handlers)
        running = asyncio.ensure_future(informer.run())
        await informer.wait_synced()
        await clock.advance(0)
        await scenario(client, informer, clock, seen)
        running.cancel()

    asyncio.run(main())
    return seen


def test_changes_reach_the_cache_and_the_index() -> None:
    async def scenario(client: FakeClient, informer: Informer, clock: VirtualClock, seen: list[tuple[str, str]]) -> None:
        await client.create(PODS, pod("b"))
        await client.patch(PODS, "a", {"spec": {"nodeName": "n2"}}, "default")
        await client.delete(PODS, "b", "default")
        await clock.advance(0)
        assert [meta.name(each) for each in informer.lister.by_index("node", "n2")] == ["a"]
        assert informer.lister.by_index("node", "n1") == []
        assert [meta.key(each) for each in informer.lister.list("default")] == ["default/a"]

    assert play(scenario, pod("a", "n1")) == [("add", "a"), ("add", "b"), ("update", "a"), ("delete", "b")]


def test_a_broken_watch_resumes_without_a_new_list() -> None:
    async def scenario(client: FakeClient, informer: Informer, clock: VirtualClock, seen: list[tuple[str, str]]) -> None:
        def refuse(action: object) -> None:
            raise AssertionError("listed again")

        client.react("list", "pods", refuse)
        client.disconnect()
        client.add(pod("b"))
        await clock.advance(1)
        assert informer.lister.get("default/b") is not None

    assert play(scenario, pod("a")) == [("add", "a"), ("add", "b")]


def test_expired_lists_again_and_reports_the_difference() -> None:
    async def scenario(client: FakeClient, informer: Informer, clock: VirtualClock, seen: list[tuple[str, str]]) -> None:
        client.disconnect()
        client.remove(pod("a"))
        client.add(pod("c"))
        client.compact()
        await clock.advance(1)

    assert play(scenario, pod("a"), pod("b")) == [("add", "a"), ("add", "b"), ("delete", "a"), ("add", "c")]


def test_an_unreachable_server_is_tried_again() -> None:
    async def scenario(client: FakeClient, informer: Informer, clock: VirtualClock, seen: list[tuple[str, str]]) -> None:
        failures = [ConnectionRefusedError("down")] * 3

        def refuse(action: object) -> None:
            if failures:
                raise failures.pop()

        client.react("watch", "pods", refuse)
        client.disconnect()
        client.add(pod("b"))
        await clock.advance(10)

    assert play(scenario, pod("a")) == [("add", "a"), ("add", "b")]


def test_after_a_long_time_without_a_server_it_is_noticed_soon() -> None:
    async def scenario(client: FakeClient, informer: Informer, clock: VirtualClock, seen: list[tuple[str, str]]) -> None:
        started = asyncio.Event()

        def refuse(action: object) -> None:
            if not started.is_set():
                raise ConnectionRefusedError("down")

        client.react("watch", "pods", refuse)
        client.disconnect()
        await clock.advance(600)
        started.set()
        client.add(pod("b"))
        await clock.advance(2)
        assert seen == [("add", "a"), ("add", "b")]

    play(scenario, pod("a"))


def test_an_object_recreated_between_two_lists_is_deleted_and_added() -> None:
    async def scenario(client: FakeClient, informer: Informer, clock: VirtualClock, seen: list[tuple[str, str]]) -> None:
        client.disconnect()
        client.remove(pod("a"))
        client.add(pod("a"))
        client.compact()
        await clock.advance(1)

    assert play(scenario, pod("a")) == [("add", "a"), ("delete", "a"), ("add", "a")]


def test_the_factory_shares_informers_and_serves_late_handlers() -> None:
    async def main() -> None:
        client = FakeClient(pod("a", "n1"))
        factory = InformerFactory(client)
        informer = factory.informer(PODS)
        await factory.start()
        await factory.wait_synced()
        late: list[str] = []
        assert factory.informer(PODS, indexers={"node": by_node}) is informer
        informer.add_handlers(Handlers(add=lambda obj: late.append(meta.name(obj))))
        assert (late, [meta.name(each) for each in informer.lister.by_index("node", "n1")]) == (["a"], ["a"])
        await factory.stop()

    asyncio.run(main())


def test_a_kind_that_is_not_served_has_no_objects() -> None:
    async def main() -> None:
        clock = VirtualClock()
        client = FakeClient(clock=clock)
        served = False

        def refuse(action: Action) -> None:
            if not served:
                raise ApiError("404 page not found", code=404, reason="")

        client.react("list", "pods", refuse)
        informer = Informer(client, PODS, clock=clock)
        running = asyncio.ensure_future(informer.run())
        await clock.advance(0)
        await asyncio.wait_for(informer.wait_synced(), 1)
        client.add(pod("late"))
        served = True
        await clock.advance(60)
        await clock.advance(0)
        assert [meta.name(each) for each in informer.lister.list()] == ["late"]
        await cancel_and_wait(running)

    asyncio.run(main())
