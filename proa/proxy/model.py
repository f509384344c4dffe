"""Services and EndpointSlices in, rules out: the pure decision of the proxy, for one node and one address family.

Source: Service API reference (traffic policies, session affinity, load-balancer fields) and KEP-1669 for endpoints that terminate.
Where policy Local meets a client inside the cluster, upstream short-circuits to all endpoints: external addresses work from pods and from
the node itself wherever the endpoints are.
"""

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from proa.api import meta
from proa.api.meta import Object
from proa.proxy.endpoints import Chosen, Node, candidates, choose
from proa.proxy.rules import Frontend, Rule, Ruleset, ServiceKey, ServiceRules

AddressType = Literal["IPv4", "IPv6"]
PROXY_NAME_LABEL = "service.kubernetes.io/service-proxy-name"
SERVICE_NAME_LABEL = "kubernetes.io/service-name"
DEFAULT_AFFINITY_SECONDS = 10800


def build_rules(
    services: Iterable[Object], endpoint_slices: Iterable[Object], node: Node, address_type: AddressType = "IPv4"
) -> Ruleset:  # fmt: skip
    """The rules of all Services at once."""
    by_service: dict[ServiceKey, list[Object]] = {}
    for endpoint_slice in endpoint_slices:
        by_service.setdefault(service_of(endpoint_slice), []).append(endpoint_slice)
    changes = {meta.key(each): build_service(each, by_service.get(meta.key(each), ()), node, address_type) for each in services}
    return Ruleset().with_changes(changes)


def service_of(endpoint_slice: Object) -> ServiceKey:
    return f"{meta.namespace(endpoint_slice)}/{meta.labels(endpoint_slice).get(SERVICE_NAME_LABEL, '')}"


def build_service(
    service: Object, slices: Sequence[Object], node: Node, address_type: AddressType = "IPv4"
) -> ServiceRules:  # fmt: skip
    """The rules of one Service; empty for those that no proxy serves (headless, ExternalName, another proxy's)."""
    spec = service.get("spec") or {}
    if not is_proxied(service):
        return ServiceRules()
    frontends: dict[Frontend, Rule] = {}
    local_ips: set[str] = set()
    ready_here: set[str] = set()
    for port in spec.get("ports") or ():
        protocol = port.get("protocol") or "TCP"
        found = candidates(slices, port.get("name") or "", protocol, address_type)
        chosen = choose(found, node)
        frontends |= _port_rules(service, port, protocol.lower(), chosen, address_type)
        reachable = {*chosen.cluster, *chosen.local}
        here = [each for each in found if each.node_name == node.name]
        local_ips |= {each.endpoint.ip for each in here if each.endpoint in reachable}
        ready_here |= {each.endpoint.ip for each in here if each.ready}
    created = service["metadata"].get("creationTimestamp") or ""
    return ServiceRules(frontends, frozenset(local_ips), created, _health_check_port(service), len(ready_here))


def is_proxied(service: Object) -> bool:
    spec = service.get("spec") or {}
    has_address = spec.get("clusterIP") not in (None, "", "None")
    return spec.get("type") != "ExternalName" and has_address and PROXY_NAME_LABEL not in meta.labels(service)


def _port_rules(
    service: Object, port: Object, protocol: str, chosen: Chosen, address_type: AddressType
) -> Mapping[Frontend, Rule]:  # fmt: skip
    number, node_port = port["port"], port.get("nodePort")
    internal, external = _internal_rule(service, chosen), _external_rule(service, chosen)
    rules = {Frontend(address, protocol, number): internal for address in _of_family(_cluster_ips(service), address_type)}
    for address in _of_family(service["spec"].get("externalIPs") or (), address_type):
        rules.setdefault(Frontend(address, protocol, number), external)
    for address in _of_family(_load_balancer_ips(service), address_type):
        rules.setdefault(Frontend(address, protocol, number), _with_sources(external, service, address, address_type))
    if node_port and rules:
        rules[Frontend("", protocol, node_port)] = external
    return rules


def _internal_rule(service: Object, chosen: Chosen) -> Rule:
    is_local = service["spec"].get("internalTrafficPolicy") == "Local"
    endpoints = chosen.local if is_local else chosen.cluster
    return Rule(endpoints, otherwise="drop" if chosen.exist_anywhere else "reject", affinity_seconds=_affinity_seconds(service))


def _external_rule(service: Object, chosen: Chosen) -> Rule:
    is_local = service["spec"].get("externalTrafficPolicy") == "Local"
    return Rule(
        chosen.cluster,
        outside=chosen.local if is_local else None,
        otherwise="drop" if chosen.exist_anywhere else "reject",
        external=True,
        affinity_seconds=_affinity_seconds(service),
    )


def _with_sources(rule: Rule, service: Object, address: str, address_type: AddressType) -> Rule:
    ranges = [each.strip() for each in service["spec"].get("loadBalancerSourceRanges") or ()]
    if not ranges:
        return rule
    networks = [ipaddress.ip_network(each, strict=False) for each in _of_family(ranges, address_type)]
    # Some balancers put their address on the node itself: a node's packet to it then has it as its source, too.
    networks.append(ipaddress.ip_network(address))
    merged = ipaddress.collapse_addresses(networks)  # type: ignore[type-var]
    return Rule(rule.endpoints, rule.outside, rule.otherwise, rule.external, rule.affinity_seconds, tuple(_cidr(each) for each in merged))


def _cidr(network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> str:
    """As nft prints it: a single address without its prefix."""
    return str(network.network_address) if network.num_addresses == 1 else str(network)


def _affinity_seconds(service: Object) -> int:
    if service["spec"].get("sessionAffinity") != "ClientIP":
        return 0
    config = (service["spec"].get("sessionAffinityConfig") or {}).get("clientIP") or {}
    return int(config.get("timeoutSeconds") or DEFAULT_AFFINITY_SECONDS)


def _health_check_port(service: Object) -> int:
    spec = service["spec"]
    is_asked = spec.get("type") == "LoadBalancer" and spec.get("externalTrafficPolicy") == "Local"
    return int(spec.get("healthCheckNodePort") or 0) if is_asked else 0


def _cluster_ips(service: Object) -> Sequence[str]:
    return service["spec"].get("clusterIPs") or [service["spec"]["clusterIP"]]


def _load_balancer_ips(service: Object) -> list[str]:
    """Those that packets arrive with; ipMode Proxy means a balancer that sends to node ports under its own address."""
    if service["spec"].get("type") != "LoadBalancer":
        return []
    ingress = ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()
    return [each["ip"] for each in ingress if each.get("ip") and (each.get("ipMode") or "VIP") == "VIP"]


def _of_family(addresses: Iterable[str], address_type: AddressType) -> list[str]:
    return [address for address in addresses if (":" in address) == (address_type == "IPv6")]
