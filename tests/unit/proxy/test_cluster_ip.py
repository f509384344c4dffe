"""Rules for cluster IPs, whole."""

import pytest

from proa.api.meta import Object
from tests.unit.proxy.plan import draining, elements, endpoint, endpoint_slice, service

NAMED = ({"name": "http", "port": 80}, {"name": "dns", "port": 53, "protocol": "UDP"})
NAMED_TARGETS = ({"name": "http", "port": 8080}, {"name": "dns", "port": 5353, "protocol": "UDP"})
HERE = {("hairpin", "10.244.1.5 . 10.244.1.5"): ""}


def test_each_port_leads_to_its_own_endpoints() -> None:
    assert elements([service(ports=NAMED)], [endpoint_slice("10.244.2.6", "10.244.1.5", ports=NAMED_TARGETS)]) == HERE | {
        ("services", "10.96.0.1 . tcp . 80"): "goto pick-2",
        ("endpoints", "10.96.0.1 . tcp . 80 . 0x00000000"): "10.244.1.5 . 8080",
        ("endpoints", "10.96.0.1 . tcp . 80 . 0x00000001"): "10.244.2.6 . 8080",
        ("services", "10.96.0.1 . udp . 53"): "goto pick-2",
        ("endpoints", "10.96.0.1 . udp . 53 . 0x00000000"): "10.244.1.5 . 5353",
        ("endpoints", "10.96.0.1 . udp . 53 . 0x00000001"): "10.244.2.6 . 5353",
    }


def test_slices_add_up_and_an_endpoint_in_two_counts_once() -> None:
    slices = [
        endpoint_slice("10.244.2.6", endpoint("10.244.2.7", ready=False)),
        endpoint_slice("10.244.2.7", "10.244.2.6", number=2),
    ]
    assert elements([service()], slices) == {
        ("services", "10.96.0.1 . tcp . 80"): "goto pick-2",
        ("endpoints", "10.96.0.1 . tcp . 80 . 0x00000000"): "10.244.2.6 . 8080",
        ("endpoints", "10.96.0.1 . tcp . 80 . 0x00000001"): "10.244.2.7 . 8080",
    }


def test_without_endpoints_nothing_is_needed_as_the_service_network_refuses_by_default() -> None:
    assert elements([service()], []) == {}
    assert elements([service()], [endpoint_slice(endpoint("10.244.1.5", ready=False))]) == {}


def test_a_cluster_ip_outside_the_service_network_is_refused_explicitly() -> None:
    assert elements([service(ip="10.97.0.1")], []) == {("services_otherwise", "10.97.0.1 . tcp . 80"): "goto refuse"}


@pytest.mark.parametrize(
    ("endpoints", "expected"),
    [
        (["10.244.1.5", draining("10.244.2.6")], "10.244.1.5 . 8080"),
        ([draining("10.244.1.5"), endpoint("10.244.2.6", ready=False, terminating=True)], "10.244.1.5 . 8080"),
    ],
    ids=["ready wins over terminating", "no ready: what still serves"],
)
def test_terminating_endpoints_serve_only_while_nothing_is_ready(endpoints: list[Object | str], expected: str) -> None:
    assert elements([service()], [endpoint_slice(*endpoints)]) == HERE | {
        ("services", "10.96.0.1 . tcp . 80"): "goto pick-1",
        ("endpoints", "10.96.0.1 . tcp . 80 . 0x00000000"): expected,
    }


def test_internal_policy_local_uses_this_nodes_endpoints() -> None:
    assert elements([service(internalTrafficPolicy="Local")], [endpoint_slice("10.244.1.5", "10.244.2.6")]) == HERE | {
        ("services", "10.96.0.1 . tcp . 80"): "goto pick-1",
        ("endpoints", "10.96.0.1 . tcp . 80 . 0x00000000"): "10.244.1.5 . 8080",
    }


def test_internal_policy_local_drops_if_endpoints_are_elsewhere_and_refuses_if_there_are_none() -> None:
    local = service(internalTrafficPolicy="Local")
    assert elements([local], [endpoint_slice("10.244.2.6")]) == {("services_otherwise", "10.96.0.1 . tcp . 80"): "drop"}
    assert elements([local], []) == {}


@pytest.mark.parametrize(
    ("hints", "expected"),
    [
        ([{"forZones": [{"name": "zone-a"}]}, {"forZones": [{"name": "zone-b"}]}], ["10.244.2.6"]),
        ([{"forZones": [{"name": "zone-a"}]}, {}], ["10.244.2.6", "10.244.2.7"]),
        ([{"forZones": [{"name": "zone-b"}]}, {"forZones": [{"name": "zone-b"}]}], ["10.244.2.6", "10.244.2.7"]),
        ([{"forZones": [{"name": "zone-a"}], "forNodes": [{"name": "node-9"}]}] * 2, ["10.244.2.6", "10.244.2.7"]),
        ([{"forNodes": [{"name": "node-1"}]}, {"forNodes": [{"name": "node-2"}]}], ["10.244.2.6"]),
    ],
    ids=["zone", "one without hint", "none for this zone", "node hints for others, zone hints for all", "node"],
)
def test_hints_count_if_all_have_them_and_one_is_for_here(hints: list[Object], expected: list[str]) -> None:
    endpoints = [endpoint(f"10.244.2.{number}", hints=hint) for number, hint in enumerate(hints, 6)]
    found = elements([service()], [endpoint_slice(*endpoints)])
    assert [value.split()[0] for (name, _), value in found.items() if name == "endpoints"] == expected


@pytest.mark.parametrize(
    "unserved",
    [
        service(ip="None"),
        service(ip=""),
        service(type="ExternalName"),
        service() | {"metadata": {"name": "web", "namespace": "default", "labels": {"service.kubernetes.io/service-proxy-name": "mine"}}},
    ],
    ids=["headless", "no address yet", "external name", "another proxy's"],
)
def test_services_that_are_not_ours_have_no_rules(unserved: Object) -> None:
    assert elements([unserved], [endpoint_slice("10.244.1.5")]) == {}


def test_endpoints_of_the_other_address_type_or_without_a_port_are_left_out() -> None:
    other = endpoint_slice("10.244.1.5") | {"addressType": "IPv6"}
    assert elements([service()], [other, endpoint_slice("10.244.1.5", ports=({"port": None},), number=2)]) == {}
