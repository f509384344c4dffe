"""Services get addresses and ports, keep them through updates, and give them back only when that is stored."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from proa.api.errors import ApiError
from proa.api.meta import Object
from proa.apiserver.allocators.address_range import family_of
from proa.apiserver.allocators.band import draw, static_band
from proa.apiserver.allocators.service import ServiceAllocator
from proa.apiserver.config import ApiServerConfig
from proa.apiserver.fake import FakeReader
from proa.apiserver.registry.kinds.service_allocation import drop_what_the_type_has_not, keep_allocated

PORTS = [{"port": 80, "protocol": "TCP"}]
SINGLE = {"ipFamilies": ["IPv4"], "ipFamilyPolicy": "SingleStack"}


class World:
    """A cluster with 14 addresses and 4 node ports; `store` does what the API server does around a write."""

    def __init__(self, cidr: str = "10.0.0.0/28") -> None:
        nowhere = Path("/nonexistent")
        self.reader = FakeReader()
        config = ApiServerConfig(nowhere, (), None, nowhere, nowhere, nowhere, nowhere, service_cidr=cidr, node_port_range=(30000, 30003))
        self.allocator = ServiceAllocator(config, self.reader, lambda: "2030-01-01T00:00:00Z")

    def create(self, name: str, **spec: Any) -> Object:
        service = make(name, **spec)
        self.allocator.begin_create(service)
        return self.reader.put("", "services", service)

    def update(self, old: Object, **spec: Any) -> Object:
        service = make(old["metadata"]["name"], **spec)
        keep_allocated(service["spec"], old["spec"])
        drop_what_the_type_has_not(service["spec"], old["spec"])
        self.allocator.begin_update(service, old)
        return self.reader.put("", "services", service)

    def delete(self, service: Object) -> None:
        self.reader.remove("", "services", service["metadata"]["name"], "shop")


def make(name: str, **spec: Any) -> Object:
    copied = {key: [dict(each) for each in value] if key == "ports" else value for key, value in {"ports": PORTS, **spec}.items()}
    return {"metadata": {"name": name, "namespace": "shop"}, "spec": copied}


def message(call: Callable[[], object]) -> tuple[int, str]:
    with pytest.raises(ApiError) as caught:
        call()
    return caught.value.status_code, caught.value.message


@pytest.fixture
def world() -> World:
    return World()


def test_a_service_gets_an_address_of_the_range_and_its_families(world: World) -> None:
    spec = world.create("a")["spec"]
    address = spec["clusterIP"]
    assert address in {f"10.0.0.{last}" for last in range(1, 15)}
    assert spec == {"ports": PORTS, "clusterIP": address, "clusterIPs": [address], "ipFamilies": ["IPv4"], "ipFamilyPolicy": "SingleStack"}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"clusterIP": "10.0.0.5"}, SINGLE | {"clusterIP": "10.0.0.5", "clusterIPs": ["10.0.0.5"]}),
        ({"clusterIPs": ["10.0.0.5"]}, SINGLE | {"clusterIP": "10.0.0.5", "clusterIPs": ["10.0.0.5"]}),
        (
            {"clusterIP": "None", "selector": {"a": "b"}},
            {"clusterIP": "None", "clusterIPs": ["None"], "selector": {"a": "b"}, "ipFamilies": ["IPv4"], "ipFamilyPolicy": "SingleStack"},
        ),
        (
            {"clusterIP": "None"},
            {"clusterIP": "None", "clusterIPs": ["None"], "ipFamilies": ["IPv4", "IPv6"], "ipFamilyPolicy": "RequireDualStack"},
        ),
        ({"type": "ExternalName", "externalName": "x.y"}, {"type": "ExternalName", "externalName": "x.y"}),
        (
            {"clusterIP": "10.0.0.5", "ipFamilyPolicy": "PreferDualStack"},
            {"clusterIP": "10.0.0.5", "clusterIPs": ["10.0.0.5"], "ipFamilies": ["IPv4"], "ipFamilyPolicy": "PreferDualStack"},
        ),
    ],
)  # fmt: skip
def test_what_a_service_asks_for(world: World, spec: Object, expected: Object) -> None:
    assert world.create("a", **spec)["spec"] == {"ports": PORTS} | expected


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        (
            {"clusterIP": "10.0.0.1"},
            'spec.clusterIPs: Invalid value: ["10.0.0.1"]: failed to allocate IP 10.0.0.1: provided IP is already allocated',
        ),
        (
            {"clusterIP": "10.1.0.1"},
            'spec.clusterIPs: Invalid value: ["10.1.0.1"]: failed to allocate IP 10.1.0.1: '
            "the provided network does not match the current range",
        ),
        (
            {"clusterIP": "10.0.0.15"},
            'spec.clusterIPs: Invalid value: ["10.0.0.15"]: failed to allocate IP 10.0.0.15: '
            "the provided IP (10.0.0.15) is not in the valid range. The range of valid IPs is 10.0.0.0/28",
        ),
        (
            {"type": "NodePort", "ports": [{"port": 80, "nodePort": 30001}]},
            "spec.ports[0].nodePort: Invalid value: 30001: provided port is already allocated",
        ),
        (
            {"type": "NodePort", "ports": [{"port": 80, "nodePort": 80}]},
            "spec.ports[0].nodePort: Invalid value: 80: provided port is not in the valid range. The range of valid ports is 30000-30003",
        ),
        (
            {"ipFamilyPolicy": "RequireDualStack"},
            'spec.ipFamilyPolicy: Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services',
        ),
        ({"ipFamilies": ["IPv6"]}, 'spec.ipFamilies[0]: Invalid value: "IPv6": not configured on this cluster'),
    ],
)  # fmt: skip
def test_refusals_name_field_and_reason_and_keep_nothing(world: World, spec: Object, expected: str) -> None:
    world.create("a", type="NodePort", clusterIP="10.0.0.1", ports=[{"port": 80, "nodePort": 30001}])
    before = len(world.allocator.addresses.reservations), len(world.allocator.ports.reservations)
    assert message(lambda: world.create("b", **spec)) == (422, f'Service "b" is invalid: {expected}')
    assert (len(world.allocator.addresses.reservations), len(world.allocator.ports.reservations)) == before


def test_every_address_and_port_is_given_once_until_none_is_left(world: World) -> None:
    services = [world.create(f"s{number}") for number in range(14)]
    assert {service["spec"]["clusterIP"] for service in services} == {f"10.0.0.{last}" for last in range(1, 15)}
    assert message(lambda: world.create("more")) == (500, "Internal error occurred: failed to allocate a serviceIP: range is full")
    world.delete(services[3])
    assert world.create("again")["spec"]["clusterIP"] == services[3]["spec"]["clusterIP"]
    assert message(lambda: world.create("x", type="NodePort", clusterIP="None", ports=[{"port": port} for port in range(1, 6)])) == (
        500,
        "Internal error occurred: failed to allocate a nodePort: range is full",
    )
    assert len(world.allocator.ports.reservations) == 0


def test_tcp_and_udp_of_one_port_share_a_node_port(world: World) -> None:
    ports = [{"port": 53, "protocol": "TCP"}, {"port": 53, "protocol": "UDP"}, {"port": 9153, "protocol": "TCP"}]
    numbers = [port["nodePort"] for port in world.create("dns", type="NodePort", ports=ports)["spec"]["ports"]]
    assert numbers[0] == numbers[1] != numbers[2]


def test_a_dry_run_or_failed_write_takes_everything_back(world: World) -> None:
    service = make("a", type="LoadBalancer", externalTrafficPolicy="Local")
    undo = world.allocator.begin_create(service)
    held = len(world.allocator.addresses.reservations), len(world.allocator.ports.reservations)
    undo()
    assert held == (1, 2)
    assert (len(world.allocator.addresses.reservations), len(world.allocator.ports.reservations)) == (0, 0)


def test_two_writes_under_way_never_get_one_value(world: World) -> None:
    first = world.allocator.begin_create(make("a", type="NodePort", clusterIP="10.0.0.9", ports=[{"port": 80, "nodePort": 30001}]))
    assert message(lambda: world.create("b", clusterIP="10.0.0.9"))[0] == 422
    assert message(lambda: world.create("b", type="NodePort", ports=[{"port": 80, "nodePort": 30001}]))[0] == 422
    first()
    spec = world.create("b", type="NodePort", clusterIP="10.0.0.9", ports=[{"port": 80, "nodePort": 30001}])["spec"]
    assert (spec["clusterIP"], spec["ports"][0]["nodePort"]) == ("10.0.0.9", 30001)


def test_an_undo_that_comes_after_the_store_takes_nothing_back(world: World) -> None:
    service = make("a", clusterIP="10.0.0.9")
    undo = world.allocator.begin_create(service)
    world.reader.put("", "services", service)
    undo()
    assert not world.allocator.addresses.reservations.is_free("10.0.0.9")


def test_an_update_that_leaves_allocated_fields_out_keeps_them(world: World) -> None:
    old = world.create("a", type="NodePort")
    assert world.update(old, type="NodePort")["spec"] == old["spec"]
    assert world.update(old, type="LoadBalancer")["spec"] == old["spec"] | {"type": "LoadBalancer"}


def test_a_change_of_type_gives_back_what_it_no_longer_needs(world: World) -> None:
    ports = [{"port": 80, "protocol": "TCP", "nodePort": 30002}]
    old = world.create("a", type="LoadBalancer", clusterIP="10.0.0.7", ports=ports, externalTrafficPolicy="Local")
    assert len(world.allocator.ports.reservations) == 2
    plain = world.update(old, **{**old["spec"], "type": "ClusterIP"})
    assert ("healthCheckNodePort" in plain["spec"], plain["spec"]["ports"]) == (False, PORTS)
    assert len(world.allocator.ports.reservations) == 0
    external = world.update(plain, **{**plain["spec"], "type": "ExternalName", "externalName": "x.y"})
    assert external["spec"] == {"ports": PORTS, "type": "ExternalName", "externalName": "x.y"}
    assert world.allocator.addresses.reservations.is_free("10.0.0.7")
    assert world.update(external, type="ClusterIP")["spec"]["clusterIP"].startswith("10.0.0.")


def test_an_update_that_fails_gives_nothing_up(world: World) -> None:
    old = world.create("a", type="NodePort", ports=[{"port": 80, "nodePort": 30001}])
    undo = world.allocator.begin_update(make("a", type="ClusterIP", **{"clusterIP": old["spec"]["clusterIP"]}), old)
    undo()
    assert not world.allocator.ports.reservations.is_free(30001)


def test_a_load_balancer_may_do_without_node_ports(world: World) -> None:
    assert world.create("a", type="LoadBalancer", allocateLoadBalancerNodePorts=False)["spec"]["ports"] == PORTS


def test_the_index_is_rebuilt_from_what_is_stored(world: World) -> None:
    service = world.create("a", type="NodePort", clusterIP="10.0.0.3", ports=[{"port": 80, "nodePort": 30003}])
    fresh = World()
    fresh.reader.put("", "services", service)
    assert message(lambda: fresh.create("b", clusterIP="10.0.0.3"))[0] == 422
    assert message(lambda: fresh.create("b", type="NodePort", ports=[{"port": 1, "nodePort": 30003}]))[0] == 422


@pytest.mark.parametrize(
    ("size", "minimum", "step", "maximum", "expected"),
    [(14, 16, 16, 256, 0), (254, 16, 16, 256, 16), (1022, 16, 16, 256, 63), (65534, 16, 16, 256, 256), (2768, 16, 32, 128, 86)],
)
def test_static_bands(size: int, minimum: int, step: int, maximum: int, expected: int) -> None:
    assert static_band(size, minimum, step, maximum) == expected


def test_the_lower_band_is_drawn_from_last() -> None:
    taken: list[int] = []
    for _ in range(10):
        found = draw(10, 4, lambda offset: offset not in taken)
        assert found is not None
        taken.append(found)
    assert (sorted(taken[:6]), sorted(taken[6:])) == ([4, 5, 6, 7, 8, 9], [0, 1, 2, 3])
    assert draw(10, 4, lambda offset: False) is None


@pytest.mark.parametrize(
    ("spec", "policy", "families", "addresses"),
    [
        ({}, "SingleStack", ["IPv4"], 1),
        ({"ipFamilyPolicy": "PreferDualStack"}, "PreferDualStack", ["IPv4", "IPv6"], 2),
        ({"ipFamilyPolicy": "RequireDualStack", "ipFamilies": ["IPv6"]}, "RequireDualStack", ["IPv6", "IPv4"], 2),
        ({"ipFamilies": ["IPv6"]}, "SingleStack", ["IPv6"], 1),
        ({"clusterIP": "fd00::5"}, "SingleStack", ["IPv6"], 1),
        ({"clusterIPs": ["10.0.0.5", "fd00::5"], "ipFamilyPolicy": "RequireDualStack"}, "RequireDualStack", ["IPv4", "IPv6"], 2),
    ],
)
def test_two_families(spec: Object, policy: str, families: list[str], addresses: int) -> None:
    made = World("10.0.0.0/28,fd00::/112").create("a", **spec)["spec"]
    assert (made["ipFamilyPolicy"], made["ipFamilies"]) == (policy, families)
    assert [family_of(each) for each in made["clusterIPs"]] == families[:addresses]
    assert made["clusterIP"] == made["clusterIPs"][0]


def test_a_single_family_is_asked_for_and_the_second_address_goes() -> None:
    world = World("10.0.0.0/28,fd00::/112")
    old = world.create("a", ipFamilyPolicy="PreferDualStack")
    both = old["spec"]["clusterIPs"]
    single = world.update(old, **{**old["spec"], "ipFamilyPolicy": "SingleStack"})
    assert (single["spec"]["clusterIPs"], single["spec"]["ipFamilies"]) == (both[:1], ["IPv4"])
    assert world.allocator.addresses.is_free(both[1])
    again = world.update(single, **{**single["spec"], "ipFamilyPolicy": "PreferDualStack"})
    assert [family_of(each) for each in again["spec"]["clusterIPs"]] == ["IPv4", "IPv6"]
