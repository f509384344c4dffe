"""What an update of a Service keeps of what was allocated before, and what it gives up with its type."""

from collections.abc import Iterable

from proa.api.meta import Object

TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
WITH_NODE_PORTS = ("NodePort", "LoadBalancer")


def pair_cluster_ips(spec: Object) -> None:
    """A client that knows only the singular sets both. The other way round is refused."""
    if spec.get("clusterIP") and not spec.get("clusterIPs"):
        spec["clusterIPs"] = [spec["clusterIP"]]


def keep_allocated(new: Object, old: Object) -> None:
    """What the API allocated and this update doesn't mention; clusterIP and clusterIPs are brought in line."""
    if old.get("type") != "ExternalName" and new.get("type") != "ExternalName":
        for field in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"):
            if not new.get(field) and old.get(field):
                new[field] = old[field]
    _follow_cluster_ip(new, old)
    if needs_node_ports(new) and needs_node_ports(old):
        _keep_node_ports(new.get("ports") or [], old.get("ports") or [])
    if needs_health_port(new) and needs_health_port(old) and not new.get("healthCheckNodePort") and old.get("healthCheckNodePort"):
        new["healthCheckNodePort"] = old["healthCheckNodePort"]


def _follow_cluster_ip(new: Object, old: Object) -> None:
    """Who changes clusterIP alone means clusterIPs too."""
    if new.get("clusterIP") == old.get("clusterIP"):
        if old.get("clusterIPs") and not new.get("clusterIPs"):
            new["clusterIPs"] = old["clusterIPs"]
    elif new.get("clusterIPs") == old.get("clusterIPs"):
        new.pop("clusterIPs", None)
        pair_cluster_ips(new)


def _keep_node_ports(new: list[Object], old: list[Object]) -> None:
    """By the ports' names: all else may have changed."""
    known = {port.get("name") or "": port.get("nodePort") for port in old}
    used = _node_ports(old) & _node_ports(new)
    for port in new:
        former = known.get(port.get("name") or "")
        if not port.get("nodePort") and former and former not in used:
            port["nodePort"] = former


def _node_ports(ports: list[Object]) -> set[int]:
    return {port["nodePort"] for port in ports if port.get("nodePort")}


def drop_what_the_type_has_not(new: Object, old: Object) -> None:
    """A change of type that repeats the old type's values means to give them up; other values are left for validation to refuse."""
    if new.get("type") == "ExternalName" and old.get("type") != "ExternalName":
        for fields in (("clusterIP", "clusterIPs"), ("ipFamilies",), ("ipFamilyPolicy",)):
            if all(new.get(field) == old.get(field) for field in fields):
                _drop(new, fields)
    if needs_node_ports(old) and not needs_node_ports(new) and _node_ports(new.get("ports") or []) <= _node_ports(old.get("ports") or []):
        for port in new.get("ports") or ():
            port.pop("nodePort", None)
    if needs_health_port(old) and not needs_health_port(new) and new.get("healthCheckNodePort") == old.get("healthCheckNodePort"):
        _drop(new, ("healthCheckNodePort",))
    if old.get("type") == "LoadBalancer" and new.get("type") != "LoadBalancer":
        same = [field for field in ("allocateLoadBalancerNodePorts", "loadBalancerClass") if new.get(field) == old.get(field)]
        _drop(new, same)
    if is_externally_accessible(old) and not is_externally_accessible(new):
        _drop(new, [field for field in ("externalTrafficPolicy",) if new.get(field) == old.get(field)])


def _drop(spec: Object, fields: Iterable[str]) -> None:
    for field in fields:
        spec.pop(field, None)


def is_headless(spec: Object) -> bool:
    return bool(spec.get("clusterIPs") == ["None"])


def is_externally_accessible(spec: Object) -> bool:
    return spec.get("type") in WITH_NODE_PORTS or (spec.get("type") == "ClusterIP" and bool(spec.get("externalIPs")))


def needs_node_ports(spec: Object) -> bool:
    return spec.get("type") in WITH_NODE_PORTS


def needs_health_port(spec: Object) -> bool:
    return spec.get("type") == "LoadBalancer" and spec.get("externalTrafficPolicy") == "Local"
