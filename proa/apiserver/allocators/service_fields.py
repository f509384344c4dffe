"""What a Service's type means for its allocated fields, as pure functions of the new and the old Service."""

from collections.abc import Sequence

from proa.api.errors import Cause, invalid
from proa.api.meta import Object
from proa.apiserver.allocators.address_range import family_of

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


def default_ip_families(service: Object, old: Object | None, families: Sequence[str]) -> list[Cause]:
    """Fill in ipFamilyPolicy and ipFamilies for a cluster of these families, the default one first; what it can't do is returned."""
    spec = service["spec"]
    if not needs_cluster_ip(service):
        return []
    if old is not None and needs_cluster_ip(old):
        if _keeps_preferred(spec, old["spec"]):
            return []
        _drop_secondary(spec, old["spec"])
    selectorless = is_headless(service) and not spec.get("selector")
    if not spec.get("ipFamilyPolicy"):
        before = old["spec"].get("ipFamilyPolicy") if old else None
        spec["ipFamilyPolicy"] = before or ("RequireDualStack" if selectorless else "SingleStack")
    wanted = list(spec.get("ipFamilies") or ())
    wanted += [family_of(address) for address in cluster_ips(service)[len(wanted) :]]
    if selectorless:
        spec["ipFamilies"] = _with_other(wanted or [families[0]], spec["ipFamilyPolicy"], ("IPv4", "IPv6"))
        return []
    causes = _family_problems(spec, wanted, families)
    if not causes:
        spec["ipFamilies"] = _with_other(wanted or [families[0]], spec["ipFamilyPolicy"], families)
    return causes


def _with_other(wanted: list[str], policy: str, families: Sequence[str]) -> list[str]:
    if policy == "SingleStack" or len(wanted) > 1:
        return wanted
    return wanted + [each for each in families if each not in wanted]


def _keeps_preferred(new: Object, old: Object) -> bool:
    """A Service that prefers two families is neither upgraded nor downgraded only because the cluster has changed since."""
    return new.get("ipFamilyPolicy") == "PreferDualStack" and all(
        new.get(field) == old.get(field) for field in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy")
    )


def _drop_secondary(new: Object, old: Object) -> None:
    """To ask for a single family of a Service with two, and say nothing else, gives the second one up."""
    if new.get("ipFamilyPolicy") != "SingleStack" or old.get("ipFamilyPolicy") == "SingleStack":
        return
    for field in ("clusterIPs", "ipFamilies"):
        if len(new.get(field) or ()) > 1 and new[field] == old.get(field):
            new[field] = new[field][:1]


def _family_problems(spec: Object, wanted: list[str], families: Sequence[str]) -> list[Cause]:
    policy, causes = spec["ipFamilyPolicy"], []
    if policy == "RequireDualStack" and len(families) < 2:
        causes.append(invalid("spec.ipFamilyPolicy", policy, "this cluster is not configured for dual-stack services"))
    elif policy == "SingleStack" and len(spec.get("clusterIPs") or ()) > 1:
        why = "must be 'RequireDualStack' or 'PreferDualStack' when multiple cluster IPs are specified"
        causes.append(invalid("spec.ipFamilyPolicy", policy, why))
    elif policy == "SingleStack" and len(wanted) > 1:
        why = "must be 'RequireDualStack' or 'PreferDualStack' when multiple IP families are specified"
        causes.append(invalid("spec.ipFamilyPolicy", policy, why))
    given = len(spec.get("ipFamilies") or ())
    for index, each in enumerate(wanted):
        if each not in families and index < given:
            causes.append(invalid(f"spec.ipFamilies[{index}]", each, "not configured on this cluster"))
        elif each not in families:
            causes.append(invalid(f"spec.clusterIPs[{index}]", spec["clusterIPs"], f"{each} is not configured on this cluster"))
    return causes
