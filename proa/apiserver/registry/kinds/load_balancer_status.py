"""Where a Service or an Ingress says that it is reachable: addresses that are addresses, and names that are names."""

from proa.api.errors import Cause, forbidden, invalid, required
from proa.api.meta import Object
from proa.api.names import dns1123_subdomain
from proa.apiserver.registry.addresses import parse_ip
from proa.apiserver.registry.checks import check_choice, check_ip

_PATH = "status.loadBalancer.ingress"


def check_service_status(obj: Object, old: Object) -> list[Cause]:
    points = _points(obj)
    causes: list[Cause] = []
    if points and (obj.get("spec") or {}).get("type") != "LoadBalancer":
        return [forbidden(_PATH, "may only be used when `spec.type` is 'LoadBalancer'")]
    for index, point in enumerate(points):
        own, mode = f"{_PATH}[{index}]", point.get("ipMode")
        causes += _check_place(point, own)
        if point.get("ip") and mode is None:
            causes.append(required(f"{own}.ipMode", "must be specified when `ip` is set"))
        elif not point.get("ip") and mode is not None:
            causes.append(forbidden(f"{own}.ipMode", "may not be specified when `ip` is not set"))
        elif mode is not None:
            causes += check_choice(f"{own}.ipMode", mode, ("Proxy", "VIP"))
    return causes


def check_ingress_status(obj: Object, old: Object) -> list[Cause]:
    return [cause for index, point in enumerate(_points(obj)) for cause in _check_place(point, f"{_PATH}[{index}]")]


def _points(obj: Object) -> list[Object]:
    return ((obj.get("status") or {}).get("loadBalancer") or {}).get("ingress") or []


def _check_place(point: Object, path: str) -> list[Cause]:
    causes = check_ip(f"{path}.ip", point["ip"]) if point.get("ip") else []
    if name := point.get("hostname"):
        causes += [invalid(f"{path}.hostname", name, problem) for problem in dns1123_subdomain(name)]
        if parse_ip(name) is not None:
            causes.append(invalid(f"{path}.hostname", name, "must be a DNS name, not an IP address"))
    return causes
