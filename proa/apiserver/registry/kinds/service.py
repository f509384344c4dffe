"""Services: defaults, consistency of ports, addresses and type, and what an update keeps of what was allocated before.

Choosing cluster IPs and node ports is the allocators' work, after validation; here an update that leaves them out gets the old ones back.
"""

from collections.abc import Sequence
from typing import Any, ClassVar

from proa.api import meta
from proa.api.errors import Cause, duplicate, forbidden, invalid, not_supported, required
from proa.api.labels import validate_labels
from proa.api.meta import Object
from proa.api.names import dns1035_label, dns1123_label, dns1123_subdomain, port_name, port_number, qualified_name
from proa.api.resource import StrategyContext
from proa.apiserver.registry.checks import PROTOCOLS, check_choice, check_cidr, check_ip, check_not_special, parse_ip, within
from proa.apiserver.registry.kinds.service_allocation import (
    TYPES,
    WITH_NODE_PORTS,
    cluster_ips_of,
    drop_what_the_type_has_not,
    keep_allocated,
    needs_health_port,
    pair_cluster_ips,
)
from proa.apiserver.registry.kinds.service_transition import validate_transition
from proa.apiserver.registry.kinds.service_warnings import service_warnings
from proa.apiserver.registry.object_meta import NameCheck
from proa.apiserver.registry.strategy import KindStrategy

AFFINITY_SECONDS = 10800
MAX_AFFINITY_SECONDS = 86400
KUBELET_PORT = 10250
SOURCE_RANGES = "service.beta.kubernetes.io/load-balancer-source-ranges"
FAMILIES = ("IPv4", "IPv6")
_OPTIONAL = ("clusterIP", "externalName", "externalTrafficPolicy", "healthCheckNodePort", "loadBalancerIP", "sessionAffinity", "type")
_OPTIONAL_OF_PORT = ("name", "nodePort", "protocol")


class ServiceStrategy(KindStrategy):
    allow_create_on_update = True
    empty_status: ClassVar[Object | None] = {"loadBalancer": {}}

    @property
    def name_check(self) -> NameCheck:
        return dns1035_label

    def fill(self, obj: Object) -> None:
        spec = obj.setdefault("spec", {})
        _drop_zero_values(spec)
        if spec.setdefault("sessionAffinity", "None") == "None":
            spec.pop("sessionAffinityConfig", None)
        elif spec["sessionAffinity"] == "ClientIP":
            spec.setdefault("sessionAffinityConfig", {}).setdefault("clientIP", {}).setdefault("timeoutSeconds", AFFINITY_SECONDS)
        kind = spec.setdefault("type", "ClusterIP")
        for port in spec.get("ports") or ():
            port.setdefault("protocol", "TCP")
            if port.get("targetPort") in (None, 0, ""):
                port["targetPort"] = port.get("port")
        if kind in WITH_NODE_PORTS or (kind == "ClusterIP" and spec.get("externalIPs")):
            spec.setdefault("externalTrafficPolicy", "Cluster")
        if kind != "ExternalName":
            spec.setdefault("internalTrafficPolicy", "Cluster")
        if kind == "LoadBalancer":
            spec.setdefault("allocateLoadBalancerNodePorts", True)
        for ingress in ((obj.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ():
            if ingress.get("ip"):
                ingress.setdefault("ipMode", "VIP")

    def check(self, obj: Object) -> list[Cause]:
        spec = obj.get("spec", {})
        causes = validate_service_spec(spec)
        ranges = meta.annotations(obj).get(SOURCE_RANGES)
        return causes if ranges is None or spec.get("loadBalancerSourceRanges") else causes + _validate_ranges_annotation(spec, ranges)

    def prepare(self, obj: Object, context: StrategyContext) -> None:
        pair_cluster_ips(obj["spec"])

    def prepare_change(self, obj: Object, old: Object, context: StrategyContext) -> None:
        keep_allocated(obj["spec"], old["spec"])
        drop_what_the_type_has_not(obj["spec"], old["spec"])
        if obj["spec"].get("clusterIPs") == old["spec"].get("clusterIPs") and obj["spec"].get("clusterIP") != old["spec"].get("clusterIP"):
            obj["spec"].pop("clusterIPs", None)
        pair_cluster_ips(obj["spec"])

    def check_update(self, obj: Object, old: Object) -> list[Cause]:
        return validate_transition(obj["spec"], old["spec"]) + self.check(obj)

    def warnings(self, obj: Object, old: Object | None) -> Sequence[str]:
        return service_warnings(obj)


def _drop_zero_values(spec: Object) -> None:
    """Clients say "no address" and "no port" by an empty value too; it isn't stored."""
    for part, names in ((spec, _OPTIONAL), *((port, _OPTIONAL_OF_PORT) for port in spec.get("ports") or ())):
        for name in [each for each in names if each in part and part[each] in ("", 0)]:
            del part[name]


def validate_service_spec(spec: Object) -> list[Cause]:
    kind, addresses = spec.get("type"), cluster_ips_of(spec)
    causes: list[Cause] = []
    if not spec.get("ports") and "None" not in addresses and kind != "ExternalName":
        causes.append(required("spec.ports"))
    for index, port in enumerate(spec.get("ports") or ()) if kind == "LoadBalancer" else ():
        if port.get("port") == KUBELET_PORT:
            detail = f"may not expose port {KUBELET_PORT} externally since it is used by kubelet"
            causes.append(invalid(f"spec.ports[{index}]", KUBELET_PORT, detail))
    if kind == "LoadBalancer" and "None" in addresses:
        causes.append(invalid("spec.clusterIPs[0]", "None", "may not be set to 'None' for LoadBalancer services"))
    if kind == "NodePort" and "None" in addresses:
        causes.append(invalid("spec.clusterIPs[0]", "None", "may not be set to 'None' for NodePort services"))
    if kind == "ExternalName":
        causes += _validate_external_name(spec)
    causes += _validate_ports(spec)
    causes += validate_labels(spec.get("selector") or {}, "spec.selector")
    causes += check_choice("spec.sessionAffinity", spec.get("sessionAffinity"), ("ClientIP", "None"))
    causes += _validate_affinity(spec)
    if kind not in TYPES:
        causes.append(not_supported("spec.type", kind, TYPES) if kind else required("spec.type"))
    if kind != "ExternalName":
        causes += _validate_cluster_ips(spec, addresses)
    for index, address in enumerate(spec.get("externalIPs") or ()):
        causes += check_ip(f"spec.externalIPs[{index}]", address) or check_not_special(f"spec.externalIPs[{index}]", address)
    causes += _validate_load_balancer(spec)
    return causes + _validate_traffic_policies(spec)


def _validate_external_name(spec: Object) -> list[Cause]:
    detail = "may not be set for ExternalName services"
    fields = ("clusterIPs", "ipFamilies", "ipFamilyPolicy")
    causes = [forbidden(f"spec.{field}", detail) for field in fields if spec.get(field)]
    name = (spec.get("externalName") or "").removesuffix(".")
    if not name:
        return [*causes, required("spec.externalName")]
    return causes + [invalid("spec.externalName", name, problem) for problem in dns1123_subdomain(name)]


def _validate_ports(spec: Object) -> list[Cause]:
    causes: list[Cause] = []
    ports = spec.get("ports") or []
    names: set[str] = set()
    used: set[tuple[Any, ...]] = set()
    node_ports: set[tuple[Any, ...]] = set()
    for index, port in enumerate(ports):
        path = f"spec.ports[{index}]"
        causes += _validate_port(port, path, names, needs_name=len(ports) > 1)
        key = (port.get("protocol"), port.get("port"))
        if key in used:
            causes.append(duplicate(path, {"protocol": key[0], "port": key[1]}))
        used.add(key)
        if node_port := port.get("nodePort"):
            if spec.get("type") not in WITH_NODE_PORTS:
                causes.append(forbidden(f"{path}.nodePort", f"may not be used when `type` is '{spec.get('type')}'"))
            if (port.get("protocol"), node_port) in node_ports:
                causes.append(duplicate(f"{path}.nodePort", node_port))
            node_ports.add((port.get("protocol"), node_port))
    return causes


def _validate_port(port: Object, path: str, names: set[str], *, needs_name: bool) -> list[Cause]:
    causes: list[Cause] = []
    name = port.get("name")
    if not name and needs_name:
        causes.append(required(f"{path}.name"))
    if name:
        causes += [invalid(f"{path}.name", name, problem) for problem in dns1123_label(name)]
        if name in names:
            causes.append(duplicate(f"{path}.name", name))
        names.add(name)
    causes += [invalid(f"{path}.port", port.get("port", 0), problem) for problem in port_number(port.get("port") or 0)]
    causes += check_choice(f"{path}.protocol", port.get("protocol"), PROTOCOLS)
    target = port.get("targetPort")
    problems = port_name(target) if isinstance(target, str) else port_number(target or 0)
    causes += [invalid(f"{path}.targetPort", target, problem) for problem in problems]
    if port.get("appProtocol"):
        causes += [invalid(f"{path}.appProtocol", port["appProtocol"], problem) for problem in qualified_name(port["appProtocol"])]
    return causes + within(f"{path}.nodePort", port.get("nodePort"), 0, 65535)


def _validate_affinity(spec: Object) -> list[Cause]:
    config = spec.get("sessionAffinityConfig")
    path = "spec.sessionAffinityConfig"
    if spec.get("sessionAffinity") == "None":
        return [forbidden(path, "must not be set when session affinity is None")] if config else []
    if spec.get("sessionAffinity") != "ClientIP":
        return []
    seconds = ((config or {}).get("clientIP") or {}).get("timeoutSeconds")
    if seconds is None:
        return [required(f"{path}.clientIP.timeoutSeconds")]
    if not 0 < seconds <= MAX_AFFINITY_SECONDS:
        detail = f"must be greater than 0 and less than {MAX_AFFINITY_SECONDS}"
        return [invalid(f"{path}.clientIP.timeoutSeconds", seconds, detail)]
    return []


def _validate_cluster_ips(spec: Object, addresses: list[str]) -> list[Cause]:
    causes: list[Cause] = []
    first, path = spec.get("clusterIP"), "spec.clusterIPs"
    if first and spec.get("clusterIPs") and spec["clusterIPs"][0] != first:
        causes.append(invalid(path, spec["clusterIPs"], "first value must match `clusterIP`"))
    families = spec.get("ipFamilies") or []
    for index, family in enumerate(families):
        if family not in FAMILIES:
            causes.append(not_supported(f"spec.ipFamilies[{index}]", family, FAMILIES))
        elif family in families[:index]:
            causes.append(duplicate(f"spec.ipFamilies[{index}]", family))
    policies = ("PreferDualStack", "RequireDualStack", "SingleStack")
    causes += check_choice("spec.ipFamilyPolicy", spec.get("ipFamilyPolicy"), policies, optional=True)
    wrong: list[Cause] = []
    for index, address in enumerate(addresses):
        if index or address != "None":
            wrong += check_ip(f"{path}[{index}]", address)
        elif len(addresses) > 1:
            wrong.append(invalid(path, addresses, "'None' must be the first and only value"))
    if len(addresses) > 2:
        causes.append(invalid(path, addresses, "may only hold up to 2 values"))
    if wrong or "None" in addresses:
        return causes + wrong
    found = [f"IPv{parsed.version}" for address in addresses if (parsed := parse_ip(address))]
    if len(found) > 1 and len(set(found)) < 2:
        causes.append(invalid(path, addresses, "may specify no more than one IP for each IP family"))
    if causes:
        return causes
    pairs = enumerate(zip(addresses, found, families, strict=False))
    return [
        invalid(f"{path}[{index}]", address, f"expected an {family} value as indicated by `ipFamilies[{index}]`")
        for index, (address, own, family) in pairs
        if own != family
    ]


def _validate_ranges_annotation(spec: Object, ranges: str) -> list[Cause]:
    path = f"metadata.annotations[{SOURCE_RANGES}]"
    causes: list[Cause] = []
    if spec.get("type") != "LoadBalancer":
        causes.append(forbidden(path, "may only be used when `type` is 'LoadBalancer'"))
    for value in ranges.split(",") if ranges.strip() else ():
        causes += check_cidr(path, value.strip())
    return causes


def _validate_load_balancer(spec: Object) -> list[Cause]:
    causes: list[Cause] = []
    kind = spec.get("type")
    ranges = spec.get("loadBalancerSourceRanges") or []
    if ranges and kind != "LoadBalancer":
        causes.append(forbidden("spec.LoadBalancerSourceRanges", "may only be used when `type` is 'LoadBalancer'"))
    for index, cidr in enumerate(ranges):
        causes += check_cidr(f"spec.LoadBalancerSourceRanges[{index}]", cidr.strip())
    if kind == "LoadBalancer" and spec.get("allocateLoadBalancerNodePorts") is None:
        causes.append(required("spec.allocateLoadBalancerNodePorts"))
    if kind != "LoadBalancer" and spec.get("allocateLoadBalancerNodePorts") is not None:
        causes.append(forbidden("spec.allocateLoadBalancerNodePorts", "may only be used when `type` is 'LoadBalancer'"))
    if kind != "LoadBalancer" and spec.get("loadBalancerClass") is not None:
        causes.append(forbidden("spec.loadBalancerClass", "may only be used when `type` is 'LoadBalancer'"))
    if kind == "LoadBalancer" and spec.get("loadBalancerClass") is not None:
        name = spec["loadBalancerClass"]
        causes += [invalid("spec.loadBalancerClass", name, problem) for problem in qualified_name(name)]
    return causes


def _validate_traffic_policies(spec: Object) -> list[Cause]:
    causes: list[Cause] = []
    kind, external = spec.get("type"), spec.get("externalTrafficPolicy")
    reachable = kind in WITH_NODE_PORTS or (kind == "ClusterIP" and bool(spec.get("externalIPs")))
    if external and not reachable:
        causes.append(invalid("spec.externalTrafficPolicy", external, "may only be set for externally-accessible services"))
    if reachable:
        causes += check_choice("spec.externalTrafficPolicy", external, ("Cluster", "Local"))
    if kind != "ExternalName":
        causes += check_choice("spec.internalTrafficPolicy", spec.get("internalTrafficPolicy"), ("Cluster", "Local"))
    if spec.get("healthCheckNodePort") and not needs_health_port(spec):
        detail = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"
        causes.append(invalid("spec.healthCheckNodePort", spec["healthCheckNodePort"], detail))
    distribution = ("PreferClose", "PreferSameNode", "PreferSameZone")
    return causes + check_choice("spec.trafficDistribution", spec.get("trafficDistribution"), distribution, optional=True)
