"""What is said of Services that are valid, but old, or have fields that do nothing for their type.

Texts: upstream's pkg/api/service/warnings.go.
"""

from proa.api.meta import Object, annotations
from proa.apiserver.registry.addresses import cidr_warnings, ip_warnings

_HINTS, _MODE = "service.kubernetes.io/topology-aware-hints", "service.kubernetes.io/topology-mode"
_HEADLESS = "is ignored for headless services"


def service_warnings(service: Object) -> list[str]:
    spec = service.get("spec") or {}
    kind, single = spec.get("type"), spec.get("clusterIP")
    headless = kind == "ClusterIP" and single == "None"
    found = [f"annotation {_HINTS} is deprecated, please use {_MODE} instead"] if _HINTS in annotations(service) else []
    if single and single != "None" and kind != "ExternalName":
        for index, address in enumerate(spec.get("clusterIPs") or ()):
            found += ip_warnings(address, f"spec.clusterIPs[{index}]")
    if headless:
        found += _headless(spec)
    for index, address in enumerate(spec.get("externalIPs") or ()):
        found += ip_warnings(address, f"spec.externalIPs[{index}]")
    if spec.get("externalIPs") and not headless and kind != "ExternalName":
        found.append("spec.externalIPs is deprecated and may no longer be implemented in some clusters")
    if spec.get("loadBalancerIP"):
        found += ip_warnings(spec["loadBalancerIP"], "spec.loadBalancerIP")
    for index, cidr in enumerate(spec.get("loadBalancerSourceRanges") or ()):
        found += cidr_warnings(cidr, f"spec.loadBalancerSourceRanges[{index}]")
    if kind == "ExternalName" and spec.get("externalIPs"):
        found.append('spec.externalIPs is ignored when spec.type is "ExternalName"')
    if kind != "ExternalName" and spec.get("externalName"):
        found.append('spec.externalName is ignored when spec.type is not "ExternalName"')
    if spec.get("trafficDistribution") == "PreferClose":
        found.append('spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"')
    return found


def _headless(spec: Object) -> list[str]:
    found = [f"spec.{field} {_HEADLESS}" for field in ("loadBalancerIP", "externalIPs") if spec.get(field)]
    return [*found, f"spec.SessionAffinity {_HEADLESS}"] if spec.get("sessionAffinity") != "None" else found
