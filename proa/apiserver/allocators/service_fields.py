"""What a Service's type means for its allocated fields, as pure functions of the new and the old Service."""

from proa.api.errors import Cause, invalid
from proa.api.meta import Object

HEADLESS = "None"
EXTERNAL_NAME = "ExternalName"
NODE_PORT_TYPES = ("NodePort", "LoadBalancer")


def service_type(service: Object) -> str:
    return str(service["spec"].get("type") or "ClusterIP")


def needs_cluster_ip(service: Object) -> bool:
    return service_type(service) != EXTERNAL_NAME


def is_headless(service: Object) -> bool:
    return bool(service["spec"].get("clusterIP") == HEADLESS)


def needs_node_port(service: Object) -> bool:
    return service_type(service) in NODE_PORT_TYPES


def allocates_node_ports(service: Object) -> bool:
    """A LoadBalancer may do without; ports that are asked for are given all the same."""
    return service_type(service) != "LoadBalancer" or service["spec"].get("allocateLoadBalancerNodePorts") is not False


def needs_health_check_node_port(service: Object) -> bool:
    return service_type(service) == "LoadBalancer" and service["spec"].get("externalTrafficPolicy") == "Local"


def ports(service: Object) -> list[Object]:
    return service["spec"].get("ports") or []


def cluster_ips(service: Object) -> list[str]:
    """The addresses that the Service holds."""
    return [address for address in service["spec"].get("clusterIPs") or () if address and address != HEADLESS]


def node_ports(service: Object) -> list[int]:
    """The ports that the Service holds, its health check's included."""
    held = [int(port["nodePort"]) for port in ports(service) if port.get("nodePort")]
    check = service["spec"].get("healthCheckNodePort")
    return [*held, int(check)] if check else held


def normalize_cluster_ips(service: Object, old: Object | None) -> None:
    """Make clusterIP and clusterIPs say the same: a client that knows only the singular sets only that."""
    spec = service["spec"]
    single, several = spec.get("clusterIP") or "", spec.get("clusterIPs") or []
    if old is None:
        if single and not several:
            spec["clusterIPs"] = [single]
        elif several and not single:
            spec["clusterIP"] = several[0]
        return
    before_single, before_several = old["spec"].get("clusterIP") or "", old["spec"].get("clusterIPs") or []
    if single != before_single and several == before_several:
        spec["clusterIPs"] = [single] if single else []
    elif single == before_single and several != before_several and several:
        spec["clusterIP"] = several[0]


def default_ip_families(service: Object, old: Object | None, family: str) -> list[Cause]:
    """Fill in ipFamilyPolicy and ipFamilies for a cluster of one family; what such a cluster can't do is returned."""
    spec = service["spec"]
    if not needs_cluster_ip(service):
        return []
    selectorless = is_headless(service) and not spec.get("selector")
    if not spec.get("ipFamilyPolicy"):
        before = old["spec"].get("ipFamilyPolicy") if old else None
        spec["ipFamilyPolicy"] = before or ("RequireDualStack" if selectorless else "SingleStack")
    families = spec.get("ipFamilies") or [family]
    if selectorless:
        if len(families) < 2 and spec["ipFamilyPolicy"] != "SingleStack":
            families = [families[0], "IPv6" if families[0] == "IPv4" else "IPv4"]
        spec["ipFamilies"] = families
        return []
    causes = _family_problems(spec, families, family)
    if not causes:
        spec["ipFamilies"] = families
    return causes


def _family_problems(spec: Object, families: list[str], family: str) -> list[Cause]:
    policy, causes = spec["ipFamilyPolicy"], []
    if policy == "RequireDualStack":
        causes.append(invalid("spec.ipFamilyPolicy", policy, "this cluster is not configured for dual-stack services"))
    elif policy == "SingleStack" and len(spec.get("clusterIPs") or ()) > 1:
        why = "must be 'RequireDualStack' or 'PreferDualStack' when multiple cluster IPs are specified"
        causes.append(invalid("spec.ipFamilyPolicy", policy, why))
    elif policy == "SingleStack" and len(families) > 1:
        why = "must be 'RequireDualStack' or 'PreferDualStack' when multiple IP families are specified"
        causes.append(invalid("spec.ipFamilyPolicy", policy, why))
    causes += [
        invalid(f"spec.ipFamilies[{index}]", each, "not configured on this cluster")
        for index, each in enumerate(families)
        if each != family
    ]
    return causes
