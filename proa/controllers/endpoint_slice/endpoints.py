"""What one pod contributes to a Service's slices: its endpoint and, as slices are per set of ports, its ports. Pure."""

from collections.abc import Callable
from typing import Any

from proa.api import meta
from proa.api.meta import Object
from proa.controllers import pods
from proa.controllers.service_pods import families, hostname, of_family, pod_reference, target_port

PortKey = tuple[tuple[str, str, int, str], ...]
"""(name, protocol, port, appProtocol), in the Service's order."""
ZONE_LABEL = "topology.kubernetes.io/zone"


def desired_endpoints(service: Object, selected: list[Object], zone_of: Callable[[str], str]) -> dict[str, dict[PortKey, list[Object]]]:
    """By address type and ports."""
    desired: dict[str, dict[PortKey, list[Object]]] = {}
    for family in families(service):
        by_ports = desired.setdefault(family, {})
        for pod in selected:
            own = of_family(pod, family)
            if own and not pods.is_finished(pod):
                by_ports.setdefault(port_key(service, pod), []).append(endpoint(service, pod, own, zone_of))
    return desired


def endpoint(service: Object, pod: Object, own_addresses: list[str], zone_of: Callable[[str], str]) -> Object:
    serving, terminating = pods.is_ready(pod), meta.is_terminating(pod)
    ready = bool(service["spec"].get("publishNotReadyAddresses")) or (serving and not terminating)
    found: Object = {
        "addresses": own_addresses,
        "conditions": {"ready": ready, "serving": serving, "terminating": terminating},
        "targetRef": pod_reference(pod),
    }
    node = pods.node_name(pod)
    zone = zone_of(node) if node else ""
    optional = {"nodeName": node, "zone": zone, "hostname": hostname(pod, service)}
    found |= {field: value for field, value in optional.items() if value}
    if hints := _hints(service["spec"].get("trafficDistribution") or "", node, zone) if ready else None:
        found["hints"] = hints
    return found


def _hints(distribution: str, node: str, zone: str) -> dict[str, Any]:
    """spec.trafficDistribution: PreferClose is the older name of PreferSameZone."""
    hints: dict[str, Any] = {}
    if distribution in ("PreferClose", "PreferSameZone", "PreferSameNode") and zone:
        hints["forZones"] = [{"name": zone}]
    if distribution == "PreferSameNode" and node:
        hints["forNodes"] = [{"name": node}]
    return hints


def port_key(service: Object, pod: Object) -> PortKey:
    """Ports that this pod does not have are left out."""
    return tuple(
        (port.get("name") or "", port.get("protocol", "TCP"), number, port.get("appProtocol") or "")
        for port in service["spec"].get("ports") or ()
        if (number := target_port(pod, port)) is not None
    )


def slice_ports(key: PortKey) -> list[Object]:
    return [
        {"name": name, "protocol": protocol, "port": port} | ({"appProtocol": application} if application else {})
        for name, protocol, port, application in key
    ]


def key_of_slice(endpoint_slice: Object) -> PortKey:
    return tuple(
        (each.get("name") or "", each.get("protocol", "TCP"), int(each.get("port") or 0), each.get("appProtocol") or "")
        for each in endpoint_slice.get("ports") or ()
    )
