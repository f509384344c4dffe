"""Rules for what clients outside the cluster use, whole: node ports, load-balancer addresses, external IPs."""

from typing import Any

import pytest

from proa.api.meta import Object
from tests.unit.proxy.plan import draining, elements, endpoint_slice, load_balancer, service

NODE_PORT = ({"port": 80, "nodePort": 30080},)
HERE = {("hairpin", "10.244.1.5 . 10.244.1.5"): ""}
CLUSTER_IP = {
    ("services", "10.96.0.1 . tcp . 80"): "goto pick-2",
    ("endpoints", "10.96.0.1 . tcp . 80 . 0x00000000"): "10.244.1.5 . 8080",
    ("endpoints", "10.96.0.1 . tcp . 80 . 0x00000001"): "10.244.2.6 . 8080",
}
BOTH = [endpoint_slice("10.244.1.5", "10.244.2.6")]


def test_node_port_has_maps_of_its_own_and_is_masqueraded() -> None:
    assert elements([service(type="NodePort", ports=NODE_PORT)], BOTH) == HERE | CLUSTER_IP | {
        ("node_ports", "tcp . 30080"): "goto node-port-pick-2",
        ("node_port_endpoints", "tcp . 30080 . 0x00000000"): "10.244.1.5 . 8080",
        ("node_port_endpoints", "tcp . 30080 . 0x00000001"): "10.244.2.6 . 8080",
        ("external_node_ports", "tcp . 30080"): "jump masquerade-all",
    }


def test_node_port_with_policy_local_sends_outsiders_to_this_node_only() -> None:
    local = service(type="NodePort", ports=NODE_PORT, externalTrafficPolicy="Local")
    assert elements([local], BOTH) == HERE | CLUSTER_IP | {
        ("node_ports", "tcp . 30080"): "goto node-port-pick-2",
        ("node_port_endpoints", "tcp . 30080 . 0x00000000"): "10.244.1.5 . 8080",
        ("node_port_endpoints", "tcp . 30080 . 0x00000001"): "10.244.2.6 . 8080",
        ("node_ports_from_outside", "tcp . 30080"): "goto node-port-pick-1-outside",
        ("node_port_endpoints", "tcp . 30080 . 0x00010000"): "10.244.1.5 . 8080",
        ("external_node_ports", "tcp . 30080"): "jump masquerade-own",
    }


def test_policy_local_without_an_endpoint_here_drops_outsiders_and_serves_insiders() -> None:
    found = elements([load_balancer(externalTrafficPolicy="Local")], [endpoint_slice("10.244.2.6")])
    assert found == {
        ("services", "10.96.0.1 . tcp . 80"): "goto pick-1",
        ("endpoints", "10.96.0.1 . tcp . 80 . 0x00000000"): "10.244.2.6 . 8080",
        ("services", "172.16.0.1 . tcp . 80"): "goto pick-1",
        ("endpoints", "172.16.0.1 . tcp . 80 . 0x00000000"): "10.244.2.6 . 8080",
        ("services_from_outside", "172.16.0.1 . tcp . 80"): "accept",
        ("services_otherwise", "172.16.0.1 . tcp . 80"): "drop",
        ("external_services", "172.16.0.1 . tcp . 80"): "jump masquerade-own",
    }


def test_policy_local_falls_back_to_a_terminating_endpoint_here_though_others_are_ready_elsewhere() -> None:
    found = elements([load_balancer(externalTrafficPolicy="Local")], [endpoint_slice(draining("10.244.1.5"), "10.244.2.6")])
    assert found["endpoints", "172.16.0.1 . tcp . 80 . 0x00000000"] == "10.244.2.6 . 8080"
    assert found["endpoints", "172.16.0.1 . tcp . 80 . 0x00010000"] == "10.244.1.5 . 8080"


@pytest.mark.parametrize("policy", [{}, {"externalTrafficPolicy": "Local"}])
def test_without_any_endpoint_everyone_is_refused(policy: dict[str, Any]) -> None:
    found = elements([load_balancer(ports=NODE_PORT, externalIPs=["203.0.113.9"], **policy)], [])
    accepts = {("services_from_outside", "172.16.0.1 . tcp . 80"): "accept"} if policy else {}
    accepts |= {("services_from_outside", "203.0.113.9 . tcp . 80"): "accept"} if policy else {}
    accepts |= {("node_ports_from_outside", "tcp . 30080"): "accept"} if policy else {}
    assert found == accepts | {
        ("services_otherwise", "172.16.0.1 . tcp . 80"): "goto refuse",
        ("services_otherwise", "203.0.113.9 . tcp . 80"): "goto refuse",
        ("node_ports_otherwise", "tcp . 30080"): "goto refuse",
    }


def test_load_balancer_address_and_external_ip_are_served_like_the_cluster_ip_but_masqueraded() -> None:
    found = elements([load_balancer(externalIPs=["203.0.113.9"])], BOTH)
    expected = HERE | CLUSTER_IP
    for address in ("172.16.0.1", "203.0.113.9"):
        expected |= {
            ("services", f"{address} . tcp . 80"): "goto pick-2",
            ("endpoints", f"{address} . tcp . 80 . 0x00000000"): "10.244.1.5 . 8080",
            ("endpoints", f"{address} . tcp . 80 . 0x00000001"): "10.244.2.6 . 8080",
            ("external_services", f"{address} . tcp . 80"): "jump masquerade-all",
        }
    assert found == expected


@pytest.mark.parametrize(
    ("ingress", "served"),
    [
        ({"ip": "172.16.0.1", "ipMode": "VIP"}, True),
        ({"ip": "172.16.0.1"}, True),
        ({"ip": "172.16.0.1", "ipMode": "Proxy"}, False),
        ({"hostname": "lb.example"}, False),
    ],
)
def test_only_addresses_that_packets_arrive_with_are_served(ingress: Object, served: bool) -> None:
    found = elements([load_balancer("web", "10.96.0.1", ingress)], BOTH)
    assert (("services", "172.16.0.1 . tcp . 80") in found) is served


def test_source_ranges_are_merged_and_the_balancers_own_address_is_let_in() -> None:
    limited = load_balancer(loadBalancerSourceRanges=["10.0.0.0/8", " 10.1.0.0/16", "2001:db8::/32", "198.51.100.7/32"])
    found = elements([limited], BOTH)
    assert [element for element in found if element[0] in ("source_limited", "allowed_sources")] == [
        ("source_limited", "172.16.0.1 . tcp . 80"),
        ("allowed_sources", "172.16.0.1 . tcp . 80 . 10.0.0.0/8"),
        ("allowed_sources", "172.16.0.1 . tcp . 80 . 172.16.0.1"),
        ("allowed_sources", "172.16.0.1 . tcp . 80 . 198.51.100.7"),
    ]


def test_an_address_that_two_services_claim_goes_to_the_older_one() -> None:
    older = service("z", "10.96.0.2", externalIPs=["203.0.113.9"])
    older["metadata"]["creationTimestamp"] = "2030-01-01T00:00:00Z"
    younger = service("a", "10.96.0.1", externalIPs=["203.0.113.9"])
    younger["metadata"]["creationTimestamp"] = "2030-01-02T00:00:00Z"
    slices = [endpoint_slice("10.244.2.6", name="a"), endpoint_slice("10.244.2.7", name="z")]
    assert elements([younger, older], slices)["endpoints", "203.0.113.9 . tcp . 80 . 0x00000000"] == "10.244.2.7 . 8080"
