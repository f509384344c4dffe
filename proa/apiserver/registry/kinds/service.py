"""Services: defaults, consistency of ports, addresses and type, and what an update keeps of what was allocated before.

Choosing cluster IPs and node ports is the allocators' work, after validation; here an update that leaves them out gets the old ones back.
"""

from collections.abc import Sequence
from typing import Any, ClassVar

from proa.api import meta
from proa.api.errors import Cause, duplicate, forbidden, invalid, not_supported, required
from proa.api.labels import validate_labels
from proa.api.meta import Object
from proa.api.names import dns1123_label, dns1123_subdomain, port_number, qualified_name
from proa.api.resource import StrategyContext
from proa.apiserver.registry.addresses import parse_ip
from proa.apiserver.registry.checks import PROTOCOLS, check_choice, check_cidr, check_ip, check_not_special, check_port
from proa.apiserver.registry.kinds.service_allocation import (
    TYPES,
    WITH_NODE_PORTS,
    drop_what_the_type_has_not,
    is_externally_accessible,
    is_headless,
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
SOURCE_RANGES = "service.beta.kubernetes.io/load-balancer-source-ranges"
TOPOLOGY_HINTS, TOPOLOGY_MODE = "service.kubernetes.io/topology-aware-hints", "service.kubernetes.io/topology-mode"
_ONLY_LOAD_BALANCER = "may only be used when `type` is 'LoadBalancer'"
FAMILIES = ("IPv4", "IPv6")
POLICIES = ("PreferDualStack", "RequireDualStack", "SingleStack")
_DISTRIBUTIONS = ("PreferClose", "PreferSameZone", "PreferSameNode")
_INTERNAL = (*WITH_NODE_PORTS, "ClusterIP")
_OPTIONAL = ("clusterIP", "externalName", "externalTrafficPolicy", "healthCheckNodePort", "loadBalancerIP", "sessionAffinity", "type")
_OPTIONAL_OF_PORT = ("name", "nodePort", "protocol")


class ServiceStrategy(KindStrategy):
    allow_create_on_update = True
    empty_status: ClassVar[Object | None] = {"loadBalancer": {}}

    @property
    def name_check(self) -> NameCheck:
        return dns1123_label

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
        if is_externally_accessible(spec):
            spec.setdefault("externalTrafficPolicy", "Cluster")
        if kind in _INTERNAL:
            spec.setdefault("internalTrafficPolicy", "Cluster")
        if kind == "LoadBalancer":
            spec.setdefault("allocateLoadBalancerNodePorts", True)
        for ingress in ((obj.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ():
            if ingress.get("ip"):
                ingress.setdefault("ipMode", "VIP")

    def check(self, obj: Object) -> list[Cause]:
        return validate_service(obj, {})

    def prepare(self, obj: Object, context: StrategyContext) -> None:
        pair_cluster_ips(obj["spec"])

    def prepare_change(self, obj: Object, old: Object, context: StrategyContext) -> None:
        keep_allocated(obj["spec"], old["spec"])
        drop_what_the_type_has_not(obj["spec"], old["spec"])
        if obj["spec"].get("type") != "LoadBalancer":
            obj["status"] = {**(obj.get("status") or {}), "loadBalancer": {}}

    def check_update(self, obj: Object, old: Object) -> list[Cause]:
        return validate_transition(obj["spec"], old["spec"]) + validate_service(obj, old)

    def warnings(self, obj: Object, old: Object | None) -> Sequence[str]:
        return service_warnings(obj)


def _drop_zero_values(spec: Object) -> None:
    """Clients say "no address" and "no port" by an empty value too; it isn't stored."""
    for part, names in ((spec, _OPTIONAL), *((port, _OPTIONAL_OF_PORT) for port in spec.get("ports") or ())):
        for name in [each for each in names if each in part and part[each] in ("", 0)]:
            del part[name]


def validate_service(obj: Object, old: Object) -> list[Cause]:
    """What `old` was stored with stays valid, where the rules for addresses have become stricter since."""
    spec, former, notes = obj.get("spec") or {}, old.get("spec") or {}, meta.annotations(obj)
    kind, headless = spec.get("type"), is_headless(spec)
    causes: list[Cause] = []
    if TOPOLOGY_MODE in notes and notes.get(TOPOLOGY_HINTS, notes[TOPOLOGY_MODE]) != notes[TOPOLOGY_MODE]:
        detail = f"must match annotations[{TOPOLOGY_HINTS}] when both are specified"
        causes.append(invalid(f"metadata.annotations[{TOPOLOGY_MODE}]", notes[TOPOLOGY_MODE], detail))
    if not spec.get("ports") and not headless and kind != "ExternalName":
        causes.append(required("spec.ports"))
    if headless and kind in WITH_NODE_PORTS:
        causes.append(invalid("spec.clusterIPs[0]", "None", f"may not be set to 'None' for {kind} services"))
    if kind == "ExternalName":
        causes += _validate_external_name(spec)
    causes += _validate_each_port(spec.get("ports") or [])
    causes += validate_labels(spec.get("selector") or {}, "spec.selector")
    causes += check_choice("spec.sessionAffinity", spec.get("sessionAffinity"), ("ClientIP", "None"))
    causes += _validate_affinity(spec)
    if kind != "ExternalName":
        causes += validate_cluster_ips(spec, former)
    for index, address in enumerate(spec.get("externalIPs") or ()):
        path = f"spec.externalIPs[{index}]"
        causes += check_ip(path, address, former.get("externalIPs") or ()) or check_not_special(path, address)
    causes += check_choice("spec.type", kind, TYPES)
    causes += _validate_ports_together(spec)
    causes += _validate_source_ranges(spec, former, notes.get(SOURCE_RANGES), meta.annotations(old).get(SOURCE_RANGES))
    causes += _validate_load_balancer(spec) + _validate_external_traffic(spec)
    internal = spec.get("internalTrafficPolicy")
    causes += check_choice("spec.internalTrafficPolicy", internal, ("Cluster", "Local"), optional=kind not in _INTERNAL)
    distribution = spec.get("trafficDistribution")
    if distribution is not None and distribution not in _DISTRIBUTIONS:
        causes.append(not_supported("spec.trafficDistribution", distribution, _DISTRIBUTIONS, in_order=False))
    return causes


def _validate_external_name(spec: Object) -> list[Cause]:
    detail = "may not be set for ExternalName services"
    fields = ("clusterIPs", "ipFamilies", "ipFamilyPolicy")
    causes = [forbidden(f"spec.{field}", detail) for field in fields if spec.get(field)]
    name = (spec.get("externalName") or "").removesuffix(".")
    if not name:
        return [*causes, required("spec.externalName")]
    return causes + [invalid("spec.externalName", name, problem) for problem in dns1123_subdomain(name)]


def _validate_each_port(ports: list[Object]) -> list[Cause]:
    causes: list[Cause] = []
    names: set[str] = set()
    for index, port in enumerate(ports):
        path, name = f"spec.ports[{index}]", port.get("name")
        if name:
            causes += [invalid(f"{path}.name", name, problem) for problem in dns1123_label(name)]
            causes += [duplicate(f"{path}.name", name)] if name in names else []
            names.add(name)
        elif len(ports) > 1:
            causes.append(required(f"{path}.name"))
        causes += [invalid(f"{path}.port", port.get("port", 0), problem) for problem in port_number(port.get("port") or 0)]
        causes += check_choice(f"{path}.protocol", port.get("protocol"), PROTOCOLS)
        causes += check_port(f"{path}.targetPort", port.get("targetPort") or 0)
        protocol = port.get("appProtocol")
        causes += (
            [invalid(f"{path}.appProtocol", protocol, problem) for problem in qualified_name(protocol)] if protocol is not None else []
        )
    return causes


def _validate_ports_together(spec: Object) -> list[Cause]:
    ports = list(enumerate(spec.get("ports") or ()))
    causes: list[Cause] = []
    if spec.get("type") == "ClusterIP":
        detail = "may not be used when `type` is 'ClusterIP'"
        causes += [forbidden(f"spec.ports[{index}].nodePort", detail) for index, port in ports if port.get("nodePort")]
    seen: set[tuple[Any, ...]] = set()
    for index, port in ports:
        key = ("node", port.get("protocol"), port.get("nodePort"))
        if port.get("nodePort") and key in seen:
            causes.append(duplicate(f"spec.ports[{index}].nodePort", port["nodePort"]))
        seen.add(key)
    for index, port in ports:
        key = ("own", port.get("protocol"), port.get("port"))
        if key in seen:
            causes.append(duplicate(f"spec.ports[{index}]", _as_structure(port)))
        seen.add(key)
    return causes


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


def _as_structure(port: Object) -> Object:
    """What identifies a port, with the names of the fields that messages show."""
    return {"Name": "", "Protocol": port.get("protocol"), "AppProtocol": None, "Port": port.get("port"), "TargetPort": 0, "NodePort": 0}


def validate_cluster_ips(spec: Object, old: Object) -> list[Cause]:
    """clusterIP, clusterIPs, ipFamilies and ipFamilyPolicy, each alone and together."""
    causes: list[Cause] = []
    first, addresses, path = spec.get("clusterIP"), spec.get("clusterIPs") or [], "spec.clusterIPs"
    if first and not addresses:
        causes.append(required(path))
    elif first and addresses[0] != first:
        causes.append(invalid(path, addresses, "first value must match `clusterIP`"))
    elif addresses and not first:
        causes.append(invalid(path, addresses, "must be empty when `clusterIP` is not specified"))
    families = spec.get("ipFamilies") or []
    for index, family in enumerate(families):
        if family not in FAMILIES:
            causes.append(not_supported(f"spec.ipFamilies[{index}]", family, FAMILIES))
        if family in families[:index]:
            causes.append(duplicate(f"spec.ipFamilies[{index}]", family))
    causes += check_choice("spec.ipFamilyPolicy", spec.get("ipFamilyPolicy"), POLICIES, optional=True)
    wrong = _validate_addresses(addresses, old.get("clusterIPs") or [])
    if len(addresses) > 2:
        causes += [*wrong, invalid(path, addresses, "may only hold up to 2 values")]
    else:
        causes += wrong
    if wrong or is_headless(spec):
        return causes
    found = [f"IPv{parsed.version}" for address in addresses if (parsed := parse_ip(address))]
    if len(found) > 1 and len(set(found)) < 2:
        causes.append(invalid(path, addresses, "may specify no more than one IP for each IP family"))
    for index, (address, own, family) in enumerate(zip(addresses, found, families, strict=False)):
        if own != family and family in FAMILIES:
            causes.append(invalid(f"{path}[{index}]", address, f"expected an {family} value as indicated by `ipFamilies[{index}]`"))
    return causes


def _validate_addresses(addresses: list[str], old: list[str]) -> list[Cause]:
    causes: list[Cause] = []
    for index, address in enumerate(addresses):
        if index or address != "None":
            causes += check_ip(f"spec.clusterIPs[{index}]", address, old)
        elif len(addresses) > 1:
            causes.append(invalid("spec.clusterIPs", addresses, "'None' must be the first and only value"))
    return causes


def _validate_source_ranges(spec: Object, old: Object, noted: str | None, noted_before: str | None) -> list[Cause]:
    """The field, else the annotation that it once was. Blanks around a range are allowed in both."""
    balanced, ranges = spec.get("type") == "LoadBalancer", spec.get("loadBalancerSourceRanges") or []
    path = "spec.LoadBalancerSourceRanges" if ranges else f"metadata.annotations[{SOURCE_RANGES}]"
    if not ranges and noted is None:
        return []
    causes = [] if balanced else [forbidden(path, _ONLY_LOAD_BALANCER)]
    if ranges:
        stored = [each.strip() for each in old.get("loadBalancerSourceRanges") or ()]
        return causes + [cause for index, each in enumerate(ranges) for cause in check_cidr(f"{path}[{index}]", each.strip(), stored)]
    if noted and noted.strip() and noted != noted_before:
        causes += [cause for each in noted.strip().split(",") for cause in check_cidr(path, each.strip())]
    return causes


def _validate_load_balancer(spec: Object) -> list[Cause]:
    balanced, name = spec.get("type") == "LoadBalancer", spec.get("loadBalancerClass")
    causes: list[Cause] = []
    if spec.get("allocateLoadBalancerNodePorts") is not None and not balanced:
        causes.append(forbidden("spec.allocateLoadBalancerNodePorts", _ONLY_LOAD_BALANCER))
    if spec.get("allocateLoadBalancerNodePorts") is None and balanced:
        causes.append(required("allocateLoadBalancerNodePorts"))
    if name is not None and not balanced:
        causes.append(forbidden("spec.loadBalancerClass", _ONLY_LOAD_BALANCER))
    if name is not None and balanced:
        causes += [invalid("spec.loadBalancerClass", name, problem) for problem in qualified_name(name)]
    return causes


def _validate_external_traffic(spec: Object) -> list[Cause]:
    causes: list[Cause] = []
    policy, reachable = spec.get("externalTrafficPolicy"), is_externally_accessible(spec)
    if policy and not reachable:
        causes.append(invalid("spec.externalTrafficPolicy", policy, "may only be set for externally-accessible services"))
    if reachable:
        causes += check_choice("spec.externalTrafficPolicy", policy, ("Cluster", "Local"))
    health_port = spec.get("healthCheckNodePort")
    if health_port and not needs_health_port(spec):
        detail = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"
        causes.append(invalid("spec.healthCheckNodePort", health_port, detail))
    if health_port and needs_health_port(spec):
        causes += check_port("spec.healthCheckNodePort", health_port)
    return causes
