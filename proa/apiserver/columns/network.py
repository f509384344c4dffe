"""Rows of Services, their endpoints, and of networking.k8s.io."""

from collections.abc import Sequence
from typing import Any

from proa.api.meta import Object
from proa.api.resource import Column
from proa.apiserver.columns.cells import (
    AGE,
    NAME,
    NONE,
    abbreviated,
    at,
    column,
    field,
    format_labels,
    format_selector,
    joined,
)  # fmt: skip


def _load_balancer(obj: Object, now: float) -> str:
    ingress = at(obj, "status", "loadBalancer", "ingress") or ()
    return joined(sorted({each.get("ip") or each.get("hostname") for each in ingress} - {None, ""}))


def _external_ip(obj: Object, now: float) -> str:
    spec = obj.get("spec") or {}
    own = list(spec.get("externalIPs") or ())
    match spec.get("type"):
        case "ClusterIP" | "NodePort":
            return joined(own) or NONE
        case "LoadBalancer":
            balanced = _load_balancer(obj, now)
            return joined([balanced, *own] if balanced else own) or "<pending>"
        case "ExternalName":
            return str(spec.get("externalName", ""))
        case _:
            return "<unknown>"


def _service_ports(obj: Object, now: float) -> str:
    ports = at(obj, "spec", "ports") or ()
    return joined(_service_port(port) for port in ports) or NONE


def _service_port(port: Object) -> str:
    node_port = f":{port['nodePort']}" if port.get("nodePort") else ""
    return f"{port.get('port', 0)}{node_port}/{port.get('protocol', '')}"


def _cluster_ip(obj: Object, now: float) -> str:
    addresses = at(obj, "spec", "clusterIPs")
    return str(addresses[0]) if addresses else NONE


SERVICES: tuple[Column, ...] = (
    NAME,
    column("Type", field("spec", "type"), "How the service is exposed."),
    column("Cluster-IP", _cluster_ip, "The service's address inside the cluster."),
    column("External-IP", _external_ip, "Addresses at which the service answers from outside."),
    column("Port(s)", _service_ports, "The ports, with their node ports."),
    AGE,
    column("Selector", lambda obj, now: format_labels(at(obj, "spec", "selector")), "The labels that select pods.", wide=True),
)


def host_port(address: str, port: Any) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def _endpoints(obj: Object, now: float) -> str:
    shown: list[str] = []
    for subset in obj.get("subsets") or ():
        addresses = [each.get("ip", "") for each in subset.get("addresses") or ()]
        ports = subset.get("ports")
        shown += [host_port(address, port.get("port")) for port in ports for address in addresses] if ports else addresses
    # Subsets without a ready address print as nothing at all, unlike no subsets.
    return abbreviated(shown, 3, empty="" if obj.get("subsets") else NONE)


ENDPOINTS: tuple[Column, ...] = (NAME, column("Endpoints", _endpoints, "The addresses that are ready."), AGE)


def _slice_ports(obj: Object, now: float) -> str:
    return abbreviated([str(each.get("port") or each.get("name") or "*") for each in obj.get("ports") or ()], 3)


def _slice_endpoints(obj: Object, now: float) -> str:
    return abbreviated([address for each in obj.get("endpoints") or () for address in each.get("addresses") or ()], 3)


ENDPOINT_SLICES: tuple[Column, ...] = (
    NAME,
    column("AddressType", field("addressType"), "IPv4, IPv6 or FQDN."),
    column("Ports", _slice_ports, "The ports of every endpoint."),
    column("Endpoints", _slice_endpoints, "The endpoints' addresses."),
    AGE,
)


def _hosts(obj: Object, now: float) -> str:
    rules: Sequence[Object] = at(obj, "spec", "rules") or ()
    hosts: list[str] = []
    more = False
    for rule in rules:
        more = more or len(hosts) == 3
        if not more and rule.get("host"):
            hosts.append(rule["host"])
    # What is counted as more are rules, not hosts.
    return abbreviated(hosts, 3, total=len(rules) if more else len(hosts), empty="*")


INGRESSES: tuple[Column, ...] = (
    NAME,
    column("Class", field("spec", "ingressClassName", default=NONE), "The IngressClass that is meant to serve it."),
    column("Hosts", _hosts, "The hosts that its rules match."),
    column("Address", _load_balancer, "Where it is served."),
    column("Ports", lambda obj, now: "80, 443" if at(obj, "spec", "tls") else "80", "The ports that it opens."),
    AGE,
)


def _class_parameters(obj: Object, now: float) -> str:
    parameters = at(obj, "spec", "parameters")
    if not parameters:
        return NONE
    group = f".{parameters['apiGroup']}" if parameters.get("apiGroup") is not None else ""
    return f"{parameters.get('kind', '')}{group}/{parameters.get('name', '')}"


INGRESS_CLASSES: tuple[Column, ...] = (
    NAME,
    column("Controller", field("spec", "controller"), "The controller that serves this class."),
    column("Parameters", _class_parameters, "An object with more settings."),
    AGE,
)

NETWORK_POLICIES: tuple[Column, ...] = (
    NAME,
    column("Pod-Selector", format_selector("spec", "podSelector"), "The pods that the policy is about."),
    AGE,
)


def _parent(obj: Object, now: float) -> str:
    parent = at(obj, "spec", "parentRef")
    if not parent:
        return NONE
    group = f".{parent['group']}" if parent.get("group") else ""
    return joined([f"{parent.get('resource', '')}{group}".lower(), *filter(None, (parent.get("namespace"), parent.get("name", "")))], "/")


IP_ADDRESSES: tuple[Column, ...] = (NAME, column("ParentRef", _parent, "The object that the address is given to."))


def _cidrs(obj: Object, now: float) -> str:
    return joined(at(obj, "spec", "cidrs") or ())


SERVICE_CIDRS: tuple[Column, ...] = (NAME, column("CIDRs", _cidrs, "The ranges that cluster IPs come from."), AGE)
