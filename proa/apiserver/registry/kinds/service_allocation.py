"""What an update of a Service keeps of what was allocated before, and what it gives up with its type."""

from proa.api.meta import Object

TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
WITH_NODE_PORTS = ("NodePort", "LoadBalancer")


def pair_cluster_ips(spec: Object) -> None:
    """clusterIP is the first of clusterIPs; a client that knows only the one sets both."""
    if spec.get("clusterIP") and not spec.get("clusterIPs"):
        spec["clusterIPs"] = [spec["clusterIP"]]


def keep_allocated(new: Object, old: Object) -> None:
    """What the API allocated and this update doesn't mention."""
    if old.get("type") != "ExternalName" and new.get("type") != "ExternalName":
        if not new.get("clusterIP") and not new.get("clusterIPs"):
            for field in ("clusterIP", "clusterIPs"):
                if field in old:
                    new[field] = old[field]
        elif new.get("clusterIP") == old.get("clusterIP") and not new.get("clusterIPs") and "clusterIPs" in old:
            new["clusterIPs"] = old["clusterIPs"]
        for field in ("ipFamilies", "ipFamilyPolicy"):
            if not new.get(field) and old.get(field):
                new[field] = old[field]
    if needs_node_ports(new) and needs_node_ports(old):
        known = {(port.get("protocol"), port.get("port")): port.get("nodePort") for port in old.get("ports") or ()}
        taken = {port.get("nodePort") for port in new.get("ports") or ()}
        for port in new.get("ports") or ():
            former = known.get((port.get("protocol"), port.get("port")))
            if not port.get("nodePort") and former and former not in taken:
                port["nodePort"] = former
    if needs_health_port(new) and needs_health_port(old) and not new.get("healthCheckNodePort") and old.get("healthCheckNodePort"):
        new["healthCheckNodePort"] = old["healthCheckNodePort"]


def drop_what_the_type_has_not(new: Object, old: Object) -> None:
    """A change of type that repeats the old type's values means to give them up; other values are left for validation to refuse."""
    if new.get("type") == "ExternalName" and old.get("type") != "ExternalName":
        for field in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "internalTrafficPolicy"):
            if new.get(field) == old.get(field):
                new.pop(field, None)
    if needs_node_ports(old) and not needs_node_ports(new):
        ports = {(port.get("protocol"), port.get("port")): port.get("nodePort") for port in old.get("ports") or ()}
        for port in new.get("ports") or ():
            if port.get("nodePort") in ports.values():
                port.pop("nodePort", None)
    if needs_health_port(old) and not needs_health_port(new) and new.get("healthCheckNodePort") == old.get("healthCheckNodePort"):
        new.pop("healthCheckNodePort", None)
    if old.get("type") == "LoadBalancer" and new.get("type") != "LoadBalancer":
        for field in ("allocateLoadBalancerNodePorts", "loadBalancerClass"):
            if new.get(field) == old.get(field):
                new.pop(field, None)
    external = new.get("type") in WITH_NODE_PORTS or (new.get("type") == "ClusterIP" and new.get("externalIPs"))
    if not external and new.get("externalTrafficPolicy") == old.get("externalTrafficPolicy"):
        new.pop("externalTrafficPolicy", None)


def needs_node_ports(spec: Object) -> bool:
    return spec.get("type") in WITH_NODE_PORTS


def needs_health_port(spec: Object) -> bool:
    return spec.get("type") == "LoadBalancer" and spec.get("externalTrafficPolicy") == "Local"


def cluster_ips_of(spec: Object) -> list[str]:
    return spec.get("clusterIPs") or ([spec["clusterIP"]] if spec.get("clusterIP") else [])
