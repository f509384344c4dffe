"""The agent over a fake API and a fake kernel: when it loads, when it changes, and how it recovers."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from proa.api import kinds
from proa.api.meta import Object
from proa.client.fake import FakeClient
from proa.lib.clock import VirtualClock
from proa.lib.netlink.conntrack import UdpFlow
from proa.proxy.agent import Proxy
from proa.proxy.config import ProxyConfig
from tests.unit.proxy.fake_kernel import FakeKernel
from tests.unit.proxy.plan import endpoint, endpoint_slice, service

CONFIG = ProxyConfig("node-1", ("192.168.1.1",), ("10.96.0.0/16",), ("10.244.0.0/16",))
UDP = ({"port": 53, "protocol": "UDP"},)


def run(scenario: Callable[["Setting"], Awaitable[None]], *objects: Object, kernel: FakeKernel | None = None) -> None:
    async def main() -> None:
        setting = Setting(kernel or FakeKernel(), *objects)
        task = asyncio.create_task(setting.proxy.run())
        try:
            await scenario(setting)
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    asyncio.run(main())


class Setting:
    def __init__(self, kernel: FakeKernel, *objects: Object) -> None:
        self.clock = VirtualClock()
        self.client = FakeClient(*objects, clock=self.clock)
        self.kernel = kernel
        self.proxy = Proxy(self.client, CONFIG, kernel=kernel, clock=self.clock)

    async def until(self, condition: Callable[[], bool], step: float = 0.01) -> None:
        async with asyncio.timeout(10):
            while not condition():
                await self.clock.advance(step)
                await asyncio.sleep(0.001)


def test_first_sync_is_one_whole_load_and_changes_are_deltas() -> None:
    async def scenario(it: Setting) -> None:
        await it.until(it.proxy.synced.is_set)
        assert it.kernel.prepared
        assert len(it.kernel.loads) == 1
        assert "10.96.0.1 . tcp . 80 : goto pick-1" in it.kernel.loads[0]
        it.client.modify(endpoint_slice("10.244.2.6", "10.244.2.7"))
        await it.until(lambda: len(it.kernel.changes) == 1)
        assert "10.96.0.1 . tcp . 80 : goto pick-2" in it.kernel.changes[0]
        await it.client.delete(kinds.SERVICES, "web", "default")
        await it.until(lambda: len(it.kernel.changes) == 2)
        assert "delete element ip proa_proxy services {\n10.96.0.1 . tcp . 80\n}" in it.kernel.changes[1]
        assert len(it.kernel.loads) == 1

    run(scenario, service(), endpoint_slice("10.244.2.6"))


def test_services_and_slices_of_other_proxies_and_headless_ones_are_not_watched() -> None:
    foreign = service("other", "10.96.0.9")
    foreign["metadata"]["labels"] = {"service.kubernetes.io/service-proxy-name": "other"}
    headless = service("headless", "None")
    headless["metadata"]["labels"] = {"service.kubernetes.io/headless": ""}

    async def scenario(it: Setting) -> None:
        await it.until(it.proxy.synced.is_set)
        assert set(it.proxy._services.lister.keys()) == {"default/web"}

    run(scenario, service(), foreign, headless, endpoint_slice("10.244.2.6"))


def test_failed_delta_is_followed_by_a_whole_load() -> None:
    async def scenario(it: Setting) -> None:
        await it.until(it.proxy.synced.is_set)
        it.kernel.broken = 1
        it.client.modify(endpoint_slice("10.244.2.7"))
        await it.until(lambda: len(it.kernel.loads) == 2)
        assert it.kernel.changes == []
        assert "10.96.0.1 . tcp . 80 . 0x00000000 : 10.244.2.7 . 8080" in it.kernel.loads[1]

    run(scenario, service(), endpoint_slice("10.244.2.6"))


def test_table_that_cannot_be_taken_over_is_made_afresh() -> None:
    kernel = FakeKernel()
    kernel.broken = 1

    async def scenario(it: Setting) -> None:
        await it.until(it.proxy.synced.is_set)
        assert [load.startswith("add table ip proa_proxy\ndelete table ip proa_proxy\n") for load in kernel.loads] == [True]

    run(scenario, service(), kernel=kernel)


def test_check_loads_again_what_is_missing_in_the_kernel() -> None:
    async def scenario(it: Setting) -> None:
        await it.until(it.proxy.synced.is_set)
        assert len(it.kernel.loads) == 1
        await it.until(lambda: len(it.kernel.loads) == 2, step=10)
        assert it.kernel.loads[1] == it.kernel.loads[0]
        assert it.clock.monotonic() >= CONFIG.check_period_seconds

    run(scenario, service(), endpoint_slice("10.244.2.6"))


def test_flows_to_an_endpoint_that_went_are_forgotten() -> None:
    dead = UdpFlow(("10.244.1.9", 4000), ("10.96.0.1", 53), ("10.244.2.6", 53))
    alive = UdpFlow(("10.244.1.9", 4001), ("10.96.0.1", 53), ("10.244.2.7", 53))

    async def scenario(it: Setting) -> None:
        await it.until(it.proxy.synced.is_set)
        assert it.kernel.flows == [dead, alive]
        it.client.modify(endpoint_slice("10.244.2.7", ports=UDP))
        await it.until(lambda: it.kernel.flows == [alive])

    run(scenario, service(ports=UDP), endpoint_slice("10.244.2.6", "10.244.2.7", ports=UDP), kernel=FakeKernel([dead, alive]))


def test_flows_that_could_not_be_forgotten_at_first_are_forgotten_in_the_next_turn() -> None:
    dead = UdpFlow(("10.244.1.9", 4000), ("10.96.0.1", 53), ("10.244.2.6", 53))
    kernel = FakeKernel([dead])

    async def scenario(it: Setting) -> None:
        await it.until(it.proxy.synced.is_set)
        kernel.broken_flows = 1
        it.client.modify(endpoint_slice("10.244.2.7", ports=UDP))
        await it.until(lambda: kernel.flows == [])
        assert kernel.broken_flows == 0
        assert len(kernel.changes) == 1

    run(scenario, service(ports=UDP), endpoint_slice("10.244.2.6", ports=UDP), kernel=kernel)


def test_zone_of_the_node_decides_over_hints() -> None:
    node: Object = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-1", "labels": {"topology.kubernetes.io/zone": "zone-b"}}}
    hinted = [endpoint(f"10.244.2.{i}", hints={"forZones": [{"name": f"zone-{zone}"}]}) for i, zone in ((6, "a"), (7, "b"))]

    async def scenario(it: Setting) -> None:
        await it.until(it.proxy.synced.is_set)
        assert "0x00000000 : 10.244.2.7 . 8080" in it.kernel.loads[0]
        moved = node | {"metadata": {"name": "node-1", "labels": {"topology.kubernetes.io/zone": "zone-a"}}}
        it.client.modify(moved)
        await it.until(lambda: len(it.kernel.changes) == 1)
        assert "0x00000000 : 10.244.2.6 . 8080" in it.kernel.changes[0]

    run(scenario, service(), endpoint_slice(*hinted), node)


def test_stop_leaves_the_table_and_clean_up_removes_it() -> None:
    async def scenario(it: Setting) -> None:
        await it.until(it.proxy.synced.is_set)
        assert it.kernel.changes == []
        await it.proxy.clean_up()
        assert it.kernel.changes == ["add table ip proa_proxy\ndelete table ip proa_proxy\n"]

    run(scenario, service())
