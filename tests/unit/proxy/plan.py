"""The address plan of all proxy tests, and objects on it.

this node       node-1 192.168.1.1        Services   10.96.0.0/16      load balancers 172.16.0.x
other node      node-2 192.168.1.2        pods       10.244.0.0/16     external IPs   203.0.113.x
pods on node-1  10.244.1.x                pods on node-2  10.244.2.x
"""

from collections.abc import Sequence
from typing import Any

from proa.api.meta import Object
from proa.proxy.endpoints import Node
from proa.proxy.model import build_rules
from proa.proxy.nftables.compile import whole_elements
from proa.proxy.nftables.elements import Elements
from proa.proxy.nftables.family import IPV4
from proa.proxy.nftables.skeleton import Surroundings

NODE = Node("node-1", "zone-a")
AROUND = Surroundings(("192.168.1.1",), ("10.96.0.0/16",), ("10.244.0.0/16",))
ALWAYS: Elements = {("node_addresses", "192.168.1.1"): "", ("node_addresses", "127.0.0.1"): ""}


def service(name: str = "web", ip: str = "10.96.0.1", *, ports: Sequence[Object] = ({"port": 80},), **spec: Any) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"clusterIP": ip, "ports": list(ports), **spec},
    }


def load_balancer(name: str = "web", ip: str = "10.96.0.1", *ingress: Object, **spec: Any) -> Object:
    balanced = service(name, ip, type="LoadBalancer", **spec)
    balanced["status"] = {"loadBalancer": {"ingress": list(ingress) or [{"ip": "172.16.0.1"}]}}
    return balanced


def endpoint_slice(*endpoints: Object | str, name: str = "web", ports: Sequence[Object] = ({"port": 8080},), number: int = 1) -> Object:
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": f"{name}-{number}", "namespace": "default", "labels": {"kubernetes.io/service-name": name}},
        "addressType": "IPv4",
        "ports": list(ports),
        "endpoints": [endpoint(each) if isinstance(each, str) else each for each in endpoints],
    }


def endpoint(ip: str, *, ready: bool = True, terminating: bool = False, serving: bool | None = None, **more: Any) -> Object:
    """On the node that the address plan gives it."""
    conditions = {"ready": ready, "serving": ready if serving is None else serving, "terminating": terminating}
    return {"addresses": [ip], "nodeName": f"node-{ip.split('.')[2]}", "conditions": conditions, **more}


def draining(ip: str) -> Object:
    return endpoint(ip, ready=False, serving=True, terminating=True)


def elements(services: Sequence[Object], slices: Sequence[Object]) -> Elements:
    """Everything that a whole load would put in, but what is always there."""
    whole = whole_elements(build_rules(services, slices, NODE), IPV4, AROUND)
    return {element: value for element, value in whole.items() if element not in ALWAYS}
