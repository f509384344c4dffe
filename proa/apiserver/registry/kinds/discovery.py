"""Endpoints and EndpointSlices: the addresses behind a Service."""

from proa.api.errors import Cause, duplicate, invalid, not_supported, required
from proa.api.labels import validate_labels
from proa.api.meta import Object
from proa.api.names import dns1123_label, dns1123_subdomain, port_number, qualified_name
from proa.apiserver.registry.checks import PROTOCOLS, check_choice, parse_ip
from proa.apiserver.registry.object_meta import immutable
from proa.apiserver.registry.strategy import KindStrategy

_IP_MESSAGE = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
MAX_ENDPOINTS = 1000
MAX_PORTS = 20000
MAX_ADDRESSES = 100


def _validate_address(path: str, value: str) -> list[Cause]:
    """Endpoints are pods or foreign hosts, never this host or its link."""
    address = parse_ip(value)
    if address is None:
        return [invalid(path, value, _IP_MESSAGE)]
    if address.is_unspecified:
        return [invalid(path, value, f"may not be unspecified ({value})")]
    if address.is_loopback:
        return [invalid(path, value, "may not be in the loopback range (127.0.0.0/8, ::1/128)")]
    if address.is_link_local:
        return [invalid(path, value, "may not be in the link-local range (169.254.0.0/16, fe80::/10)")]
    if address.is_multicast:
        return [invalid(path, value, "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)")]
    return []


class EndpointsStrategy(KindStrategy):
    has_status = False
    allow_create_on_update = True

    def fill(self, obj: Object) -> None:
        for subset in obj.get("subsets") or ():
            for port in subset.get("ports") or ():
                port.setdefault("protocol", "TCP")

    def check(self, obj: Object) -> list[Cause]:
        return [cause for index, subset in enumerate(obj.get("subsets") or ()) for cause in _validate_subset(subset, f"subsets[{index}]")]


def _validate_subset(subset: Object, path: str) -> list[Cause]:
    causes: list[Cause] = []
    if not subset.get("addresses") and not subset.get("notReadyAddresses"):
        causes.append(required(path, "must specify `addresses` or `notReadyAddresses`"))
    for field in ("addresses", "notReadyAddresses"):
        for index, address in enumerate(subset.get(field) or ()):
            own = f"{path}.{field}[{index}]"
            causes += _validate_address(f"{own}.ip", address.get("ip", ""))
            if address.get("hostname"):
                causes += [invalid(f"{own}.hostname", address["hostname"], problem) for problem in dns1123_label(address["hostname"])]
    ports = subset.get("ports") or ()
    for index, port in enumerate(ports):
        own = f"{path}.ports[{index}]"
        if not port.get("name") and len(ports) > 1:
            causes.append(required(f"{own}.name"))
        if port.get("name"):
            causes += [invalid(f"{own}.name", port["name"], problem) for problem in dns1123_label(port["name"])]
        causes += [invalid(f"{own}.port", port.get("port", 0), problem) for problem in port_number(port.get("port") or 0)]
        causes += check_choice(f"{own}.protocol", port.get("protocol"), PROTOCOLS)
    return causes


class EndpointSliceStrategy(KindStrategy):
    has_status = False
    tracks_generation = True

    def fill(self, obj: Object) -> None:
        for port in obj.get("ports") or ():
            port.setdefault("name", "")
            port.setdefault("protocol", "TCP")

    def check(self, obj: Object) -> list[Cause]:
        family, endpoints = obj.get("addressType"), obj.get("endpoints") or []
        if not family:
            causes = [required("addressType")]
        elif family not in ("FQDN", "IPv4", "IPv6"):
            causes = [not_supported("addressType", family, ("FQDN", "IPv4", "IPv6"))]
        else:
            causes = []
        if len(endpoints) > MAX_ENDPOINTS:
            causes.append(Cause("endpoints", f"Too many: {len(endpoints)}: must have at most {MAX_ENDPOINTS} items", "FieldValueTooMany"))
            return causes
        for index, endpoint in enumerate(endpoints):
            causes += _validate_endpoint(endpoint, family or "", f"endpoints[{index}]")
        return causes + _validate_slice_ports(obj.get("ports") or [])

    def check_update(self, obj: Object, old: Object) -> list[Cause]:
        return self.check(obj) + immutable("addressType", obj.get("addressType"), old.get("addressType"))


def _validate_endpoint(endpoint: Object, family: str, path: str) -> list[Cause]:
    addresses = endpoint.get("addresses") or []
    causes: list[Cause] = []
    if not addresses:
        causes.append(required(f"{path}.addresses", "must contain at least 1 address"))
    if len(addresses) > MAX_ADDRESSES:
        message = f"Too many: {len(addresses)}: must have at most {MAX_ADDRESSES} items"
        causes.append(Cause(f"{path}.addresses", message, "FieldValueTooMany"))
    for index, address in enumerate(addresses):
        causes += _validate_slice_address(address, family, f"{path}.addresses[{index}]")
    if endpoint.get("hostname"):
        causes += [invalid(f"{path}.hostname", endpoint["hostname"], problem) for problem in dns1123_label(endpoint["hostname"])]
    return causes + validate_labels(endpoint.get("deprecatedTopology") or {}, f"{path}.deprecatedTopology")


def _validate_slice_address(address: str, family: str, path: str) -> list[Cause]:
    if family == "FQDN":
        return [invalid(path, address, problem) for problem in dns1123_subdomain(address)]
    causes = _validate_address(path, address)
    parsed = parse_ip(address)
    if parsed is not None and family == f"IPv{10 - parsed.version}":
        wanted = "IPv4" if family == "IPv4" else "IPv6"
        causes.append(invalid(path, address, f"must be an {wanted} address"))
    return causes


def _validate_slice_ports(ports: list[Object]) -> list[Cause]:
    causes: list[Cause] = []
    if len(ports) > MAX_PORTS:
        causes.append(Cause("ports", f"Too many: {len(ports)}: must have at most {MAX_PORTS} items", "FieldValueTooMany"))
    seen: set[str] = set()
    for index, port in enumerate(ports):
        path = f"ports[{index}]"
        name = port.get("name") or ""
        if name:
            causes += [invalid(f"{path}.name", name, problem) for problem in dns1123_label(name)]
        if name in seen:
            causes.append(duplicate(f"{path}.name", name))
        seen.add(name)
        causes += check_choice(f"{path}.protocol", port.get("protocol"), PROTOCOLS)
        if port.get("appProtocol"):
            causes += [invalid(f"{path}.appProtocol", port["appProtocol"], problem) for problem in qualified_name(port["appProtocol"])]
    return causes
