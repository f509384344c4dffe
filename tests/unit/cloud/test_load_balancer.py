"""Load-balancer addresses of Services."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from proa.api import meta
from proa.api.kinds import SERVICES
from proa.api.meta import Object
from proa.client.fake import FakeClient
from proa.client.informer import InformerFactory
from proa.cloud.load_balancer.controller import FINALIZER, build
from proa.cloud.load_balancer.pool import AddressPool, PoolExhausted
from proa.lib.clock import VirtualClock
from proa.lib.tasks import cancel_and_wait
from proa.runtime.manager import Manager


@dataclass
class Options:
    load_balancer_pool: tuple[str, ...]


@dataclass
class Stage:
    client: FakeClient
    informers: InformerFactory
    clock: VirtualClock
    options: Options
    name: str = "service-controller"
    events: list[str] = field(default_factory=list)

    @property
    def recorder(self) -> "Stage":
        return self

    def event(self, obj: Object, type_: str, reason: str, message: str, *, field_path: str = "") -> None:
        self.events.append(f"{meta.name(obj)} {type_} {reason}: {message}")

    async def settle(self) -> None:
        for _ in range(30):
            await self.clock.advance(0.001)

    def given(self) -> dict[str, Any]:
        ingress = {meta.name(each): each.get("status", {}).get("loadBalancer", {}).get("ingress") for each in self.client.objects(SERVICES)}
        return {name: [each["ip"] for each in found] if found else None for name, found in ingress.items()}


@asynccontextmanager
async def stage(*services: Object, pool: tuple[str, ...] = ("172.30.0.0/30",)) -> AsyncIterator[Stage]:
    clock = VirtualClock()
    client = FakeClient(*services, clock=clock)
    made = Stage(client, InformerFactory(client, clock=clock), clock, Options(pool))
    running = asyncio.ensure_future(Manager(made.informers, [build(made)]).run())
    await made.settle()
    yield made
    await cancel_and_wait(running)


def service(name: str, **spec: Any) -> Object:
    wanted = {"type": "LoadBalancer", "clusterIP": "10.96.0.9", "ports": [{"port": 80, "nodePort": 30080}], **spec}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": "n"}, "spec": wanted}


def test_an_address_comes_with_finalizer_mode_and_events() -> None:
    async def main() -> None:
        async with stage(service("a")) as played:
            (found,) = played.client.objects(SERVICES)
            assert found["status"] == {"loadBalancer": {"ingress": [{"ip": "172.30.0.1", "ipMode": "VIP"}]}}
            assert meta.finalizers(found) == [FINALIZER]
            assert played.events == [
                "a Normal EnsuringLoadBalancer: Ensuring load balancer",
                "a Normal EnsuredLoadBalancer: Ensured load balancer",
            ]

    asyncio.run(main())


def test_it_waits_for_cluster_ip_and_node_ports() -> None:
    async def main() -> None:
        async with stage(
            service("a", ports=[{"port": 80}]), service("b", ports=[{"port": 80}], allocateLoadBalancerNodePorts=False)
        ) as played:
            assert played.given() == {"a": None, "b": ["172.30.0.1"]}

    asyncio.run(main())


def test_an_exhausted_pool_leaves_services_pending_until_one_goes() -> None:
    async def main() -> None:
        async with stage(service("a"), service("b"), service("c")) as played:
            assert played.given() == {"a": ["172.30.0.1"], "b": ["172.30.0.2"], "c": None}
            assert played.events[-1] == (
                "c Warning SyncLoadBalancerFailed: Error syncing load balancer: failed to ensure load balancer: "
                "no IPv4 address is free in the pool 172.30.0.0/30"
            )
            await played.client.delete(SERVICES, "a", "n")
            await played.settle()
            assert played.given() == {"b": ["172.30.0.2"], "c": ["172.30.0.1"]}

    asyncio.run(main())


def test_a_change_of_type_releases_the_address() -> None:
    async def main() -> None:
        async with stage(service("a")) as played:
            await played.client.patch(SERVICES, "a", {"spec": {"type": "ClusterIP"}}, "n")
            await played.settle()
            (found,) = played.client.objects(SERVICES)
            assert (played.given(), meta.finalizers(found)) == ({"a": None}, [])
            assert played.events[-2:] == [
                "a Normal DeletingLoadBalancer: Deleting load balancer",
                "a Normal DeletedLoadBalancer: Deleted load balancer",
            ]

    asyncio.run(main())


def test_known_addresses_are_kept_wishes_honoured_and_classes_left_alone() -> None:
    async def main() -> None:
        known = {**service("known"), "status": {"loadBalancer": {"ingress": [{"ip": "172.30.0.1"}]}}}
        others = service("classy", loadBalancerClass="example.com/lb"), service("wish", loadBalancerIP="172.30.0.2")
        async with stage(*others, known, service("plain", type="NodePort")) as played:
            assert played.given() == {"known": ["172.30.0.1"], "wish": ["172.30.0.2"], "classy": None, "plain": None}

    asyncio.run(main())


@pytest.mark.parametrize(
    ("blocks", "wanted", "message"),
    [
        ((), "", "no IPv4 address is free as no address pool is configured"),
        (("10.0.0.0/30",), "10.9.9.9", "spec.loadBalancerIP 10.9.9.9 is not in the pool 10.0.0.0/30"),
        (("10.0.0.1-10.0.0.2",), "10.0.0.1", "spec.loadBalancerIP 10.0.0.1 is in use by n/other"),
    ],
)
def test_refusals(blocks: tuple[str, ...], wanted: str, message: str) -> None:
    pool = AddressPool(blocks)
    pool.occupy("10.0.0.1", "n/other")
    with pytest.raises(PoolExhausted) as raised:
        pool.allocate("n/a", wanted)
    assert str(raised.value) == message
