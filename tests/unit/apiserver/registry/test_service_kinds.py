"""Services, Ingresses and Nodes: warnings, and what their status may say."""

from collections.abc import Callable
from typing import Any

import pytest

from proa.api.resource import Resource
from tests.unit.apiserver.registry.rules import Object, born, changed, on_create, on_status

Find = Callable[..., Resource]
SERVICE: Object = {"metadata": {"name": "s", "namespace": "default"}, "spec": {"type": "LoadBalancer", "ports": [{"port": 80}]}}
HEADLESS: Object = changed(changed(SERVICE, "spec.type", "ClusterIP"), "spec.clusterIP", "None")
NODE: Object = {"metadata": {"name": "n"}, "spec": {}, "status": {"capacity": {"cpu": "1"}}}
IP = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
V6 = 'IPv6 address "2001:db8:0:0::2" should be in RFC 5952 canonical format ("2001:db8::2")'


@pytest.mark.parametrize(
    ("base", "path", "value", "expected"),
    [
        (SERVICE, "", None, []),
        (SERVICE, "metadata.annotations", {"service.kubernetes.io/topology-aware-hints": "auto"}, [
            "annotation service.kubernetes.io/topology-aware-hints is deprecated, please use service.kubernetes.io/topology-mode instead"]),
        (SERVICE, "spec.trafficDistribution", "PreferClose",
         ['spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"']),
        (SERVICE, "spec.externalName", "a.b", ['spec.externalName is ignored when spec.type is not "ExternalName"']),
        (SERVICE, "spec.externalIPs", ["2001:db8:0:0::2"], [
            f"spec.externalIPs[0]: {V6}", "spec.externalIPs is deprecated and may no longer be implemented in some clusters"]),
        (SERVICE, "spec.loadBalancerSourceRanges", ["10.0.0.1/8"], [
            'spec.loadBalancerSourceRanges[0]: CIDR value "10.0.0.1/8" is ambiguous in this context (should be "10.0.0.0/8" or '
            '"10.0.0.1/32"?)']),
        (HEADLESS, "spec.sessionAffinity", "ClientIP", ["spec.SessionAffinity is ignored for headless services"]),
        (HEADLESS, "spec.externalIPs", ["1.2.3.4"], ["spec.externalIPs is ignored for headless services"]),
    ],
)  # fmt: skip
def test_warnings(find: Find, base: Object, path: str, value: Any, expected: list[str]) -> None:
    services = find("services")
    assert list(services.strategy.warnings(born(services, changed(base, path, value)), None)) == expected


@pytest.mark.parametrize(
    ("base", "point", "expected"),
    [
        (SERVICE, {"ip": "1.2.3.4", "ipMode": "VIP"}, []),
        (SERVICE, {"ip": "1.2.3", "ipMode": "VIP"}, [f'status.loadBalancer.ingress[0].ip: Invalid value: "1.2.3": {IP}']),
        (SERVICE, {"ip": "1.2.3.4", "ipMode": "Odd"},
         ['status.loadBalancer.ingress[0].ipMode: Unsupported value: "Odd": supported values: "Proxy", "VIP"']),
        (SERVICE, {"hostname": "1.2.3.4"},
         ['status.loadBalancer.ingress[0].hostname: Invalid value: "1.2.3.4": must be a DNS name, not an IP address']),
        (HEADLESS, {"hostname": "a.b"},
         ['status.loadBalancer.ingress: Forbidden: may only be used when `spec.type` is \'LoadBalancer\'']),
    ],
)  # fmt: skip
def test_status_of_a_service(find: Find, base: Object, point: Object, expected: list[str]) -> None:
    assert on_status(find("services"), base, {"loadBalancer": {"ingress": [point]}}) == expected


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("", None, []),
        ("spec.taints", [{"key": "a", "value": "b c", "effect": "NoSchedule"}], ["metadata.taints[0].value"]),
        ("spec.taints", [{"key": "a", "effect": "Odd"}], ["metadata.taints[0].effect"]),
        ("spec.podCIDRs", ["10.0.0.0/24", "10.0.1.0/24"], ["spec.podCIDRs"]),
        ("status.capacity.cpu", "-1", ["status.capacity.cpu", "status.allocatable.cpu"]),
    ],
)
def test_new_nodes(find: Find, path: str, value: Any, expected: list[str]) -> None:
    assert [line.split(": ")[0] for line in on_create(find("nodes"), changed(NODE, path, value))] == expected


def test_a_node_has_each_address_once(find: Find) -> None:
    address = {"type": "InternalIP", "address": "10.0.0.1"}
    found = on_status(find("nodes"), NODE, {"addresses": [address, address]})
    assert [line.split(": ")[:2] for line in found] == [["status.addresses[1]", "Duplicate value"]]
