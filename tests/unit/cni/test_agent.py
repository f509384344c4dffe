"""The pod network's agent over a fake API and a fake host."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from proa.api.meta import Object
from proa.client.fake import FakeClient
from proa.cni.agent import PodNetwork
from proa.cni.host import Uplink
from proa.cni.routes import PROTOCOL, RoutePlan
from proa.lib.clock import VirtualClock
from proa.lib.netlink.network import Route

OWN = Route("10.244.1.0/24", protocol=PROTOCOL, unreachable=True)
OTHER = Route("10.244.2.0/24", "192.168.1.2", protocol=PROTOCOL)


class FakeHost:
    """A host whose routes are a list. `fail_next` makes one write of routes fail."""

    def __init__(self) -> None:
        self.table: list[Route] = []
        self.loads: list[str] = []
        self.configuration: dict[str, Any] | None = None
        self.foreign = ""
        self.prepared = self.fail_next = False
        self.turns = 0

    def prepare(self) -> None:
        self.prepared = True

    def uplink(self) -> Uplink:
        return Uplink("eth0", 1400, ("192.168.1.0/24",))

    def routes(self) -> list[Route]:
        return list(self.table)

    def apply_routes(self, plan: RoutePlan) -> None:
        self.turns += 1
        if self.fail_next:
            self.fail_next = False
            raise OSError("network is down")
        gone = {*plan.delete, *(route.destination for route in plan.replace)}
        self.table = [route for route in self.table if route.destination not in gone] + list(plan.replace)

    def load(self, commands: str) -> None:
        self.loads.append(commands)

    def has_table(self, family: str, table: str) -> bool:
        return bool(self.loads)

    def foreign_configuration(self) -> str:
        return self.foreign

    def write_configuration(self, configuration: dict[str, Any]) -> bool:
        self.configuration = configuration
        return True

    def remove_configuration(self) -> None:
        self.configuration = None


class Setting:
    def __init__(self, *nodes: Object) -> None:
        self.clock = VirtualClock()
        self.client = FakeClient(*nodes, clock=self.clock)
        self.host = FakeHost()
        self.network = PodNetwork(
            self.client, "node-1", ["10.244.0.0/16"], ["10.96.0.0/16"], Path("/unused"), host=self.host, clock=self.clock
        )

    async def until(self, condition: Callable[[], bool], step: float = 0.01) -> None:
        async with asyncio.timeout(10):
            while not condition():
                await self.clock.advance(step)
                await asyncio.sleep(0.001)


def run(scenario: Callable[[Setting], Awaitable[None]], *nodes: Object, host: Callable[[FakeHost], None] = lambda host: None) -> None:
    async def main() -> None:
        setting = Setting(*nodes)
        host(setting.host)
        task = asyncio.create_task(setting.network.run())
        try:
            await scenario(setting)
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    asyncio.run(main())


def node(number: int, *, cidr: bool = True, labels: dict[str, str] | None = None) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": f"node-{number}", "labels": labels or {}},
        "spec": {"podCIDRs": [f"10.244.{number}.0/24"]} if cidr else {},
        "status": {"addresses": [{"type": "InternalIP", "address": f"192.168.1.{number}"}]},
    }


def test_node_with_a_cidr_gets_everything() -> None:
    async def scenario(it: Setting) -> None:
        await it.until(it.network.ready.is_set)
        assert it.host.prepared
        assert it.host.table == [OWN, OTHER]
        assert it.host.configuration is not None
        assert it.host.configuration["plugins"][0]["mtu"] == 1400
        assert len(it.host.loads) == 1
        assert 'ip saddr 10.244.1.0/24 oifname "eth0"' in it.host.loads[0]

    run(scenario, node(1), node(2))


def test_without_a_cidr_pods_wait_but_routes_to_others_are_there() -> None:
    async def scenario(it: Setting) -> None:
        await it.until(lambda: it.host.table == [OTHER])
        assert it.host.configuration is None
        assert not it.network.ready.is_set()
        it.client.modify(node(1))
        await it.until(it.network.ready.is_set)
        assert it.host.table == [OTHER, OWN]

    run(scenario, node(1, cidr=False), node(2))


def test_heartbeats_cause_no_work() -> None:
    async def scenario(it: Setting) -> None:
        await it.until(it.network.ready.is_set)
        turns = it.host.turns
        it.client.modify(node(2, labels={"beat": "1"}))
        for _ in range(20):
            await it.clock.advance(0.01)
            await asyncio.sleep(0.001)
        assert it.host.turns == turns

    run(scenario, node(1), node(2))


def test_what_others_remove_is_mended_at_the_next_check() -> None:
    async def scenario(it: Setting) -> None:
        await it.until(it.network.ready.is_set)
        it.host.table.clear()
        it.host.loads.clear()
        await it.until(lambda: it.host.table == [OWN, OTHER] and len(it.host.loads) == 1, step=5)

    run(scenario, node(1), node(2))


def test_failure_is_tried_again() -> None:
    def fail(host: FakeHost) -> None:
        host.fail_next = True

    async def scenario(it: Setting) -> None:
        await it.until(it.network.ready.is_set, step=0.5)
        assert it.host.table == [OWN, OTHER]

    run(scenario, node(1), node(2), host=fail)


def test_a_users_own_configuration_takes_over() -> None:
    async def scenario(it: Setting) -> None:
        await it.until(it.network.ready.is_set)
        it.host.foreign = "10-calico.conflist"
        await it.until(lambda: it.host.configuration is None and it.host.table == [], step=5)
        assert "postrouting" not in it.host.loads[-1]

    run(scenario, node(1), node(2))
