"""Endpoints and EndpointSlices: the addresses behind a Service."""

from collections.abc import Sequence

from proa.api.errors import Cause, duplicate, invalid, not_supported, required
from proa.api.labels import validate_labels
from proa.api.meta import Object, labels
from proa.api.names import dns1123_label, dns1123_subdomain, label_value, port_number, qualified_name
from proa.api.resource import StrategyContext
from proa.apiserver.registry.addresses import ip_warnings, parse_ip
from proa.apiserver.registry.checks import PROTOCOLS, check_choice, check_ip, check_not_special, check_optional_name, too_many
from proa.apiserver.registry.object_meta import NameCheck, immutable
from proa.apiserver.registry.strategy import KindStrategy

HOSTNAME = "kubernetes.io/hostname"
MANAGED_BY, SLICE_MANAGED_BY = "endpoints.kubernetes.io/managed-by", "endpointslice.kubernetes.io/managed-by"
OWN_CONTROLLERS = ("endpoint-controller", "endpointslice-controller.k8s.io", "endpointslicemirroring-controller.k8s.io")
"""They write addresses in one form only, so nothing need be said of what they write."""
MAX_ENDPOINTS = 1000
MAX_PORTS = 20000
MAX_ADDRESSES = 100
MAX_TOPOLOGY = 16
MAX_HINTS = 8


class EndpointsStrategy(KindStrategy):
    has_status = False
    allow_create_on_update = True

    def fill(self, obj: Object) -> None:
        for subset in obj.get("subsets") or ():
            for port in subset.get("ports") or ():
                port.setdefault("protocol", "TCP")

    def check(self, obj: Object) -> list[Cause]:
        return [cause for index, subset in enumerate(obj.get("subsets") or ()) for cause in _validate_subset(subset, f"subsets[{index}]")]

    def check_update(self, obj: Object, old: Object) -> list[Cause]:
        """What was stored is borne as it is."""
        return [] if (obj.get("subsets") or []) == (old.get("subsets") or []) else self.check(obj)

    def warnings(self, obj: Object, old: Object | None) -> Sequence[str]:
        found: list[str] = []
        for index, subset in enumerate(obj.get("subsets") or () if labels(obj).get(MANAGED_BY) not in OWN_CONTROLLERS else ()):
            for field in ("addresses", "notReadyAddresses"):
                for number, address in enumerate(subset.get(field) or ()):
                    found += ip_warnings(address.get("ip") or "", f"subsets[{index}].{field}[{number}].ip")
        return found


def _validate_subset(subset: Object, path: str) -> list[Cause]:
    causes: list[Cause] = []
    if not subset.get("addresses") and not subset.get("notReadyAddresses"):
        causes.append(required(path, "must specify `addresses` or `notReadyAddresses`"))
    for field in ("addresses", "notReadyAddresses"):
        for index, address in enumerate(subset.get(field) or ()):
            causes += _validate_endpoint_address(address, f"{path}.{field}[{index}]")
    ports = subset.get("ports") or ()
    for index, port in enumerate(ports):
        own = f"{path}.ports[{index}]"
        if not port.get("name") and len(ports) > 1:
            causes.append(required(f"{own}.name"))
        causes += check_optional_name(f"{own}.name", port.get("name"), dns1123_label)
        causes += [invalid(f"{own}.port", port.get("port", 0), problem) for problem in port_number(port.get("port") or 0)]
        causes += check_choice(f"{own}.protocol", port.get("protocol"), PROTOCOLS)
        causes += _check_given(f"{own}.appProtocol", port.get("appProtocol"), qualified_name)
    return causes


def _validate_endpoint_address(address: Object, path: str) -> list[Cause]:
    ip = address.get("ip") or ""
    causes = check_ip(f"{path}.ip", ip) + check_optional_name(f"{path}.hostname", address.get("hostname"), dns1123_label)
    causes += _check_given(f"{path}.nodeName", address.get("nodeName"), dns1123_subdomain)
    return causes + check_not_special(f"{path}.ip", ip)


def _check_given(path: str, value: str | None, check: NameCheck) -> list[Cause]:
    """An empty one was given too, and is wrong."""
    return [] if value is None else [invalid(path, value, problem) for problem in check(value)]


class EndpointSliceStrategy(KindStrategy):
    has_status = False
    tracks_generation = True
    labels_count = True

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
            return causes + too_many("endpoints", len(endpoints), MAX_ENDPOINTS) + _validate_slice_ports(obj.get("ports") or [])
        for index, endpoint in enumerate(endpoints):
            causes += _validate_endpoint(endpoint, family or "", f"endpoints[{index}]")
        return causes + _validate_slice_ports(obj.get("ports") or [])

    def prepare(self, obj: Object, context: StrategyContext) -> None:
        _drop_topology(obj, {})

    def prepare_change(self, obj: Object, old: Object, context: StrategyContext) -> None:
        if obj.get("endpoints") != old.get("endpoints"):
            _drop_topology(obj, old)

    def check_update(self, obj: Object, old: Object) -> list[Cause]:
        return self.check(obj) + immutable("addressType", obj.get("addressType"), old.get("addressType"))

    def warnings(self, obj: Object, old: Object | None) -> Sequence[str]:
        found = ["spec.addressType: FQDN endpoints are deprecated"] if old is None and obj.get("addressType") == "FQDN" else []
        for index, endpoint in enumerate(obj.get("endpoints") or () if labels(obj).get(SLICE_MANAGED_BY) not in OWN_CONTROLLERS else ()):
            for number, address in enumerate(endpoint.get("addresses") or ()):
                found += ip_warnings(address, f"endpoints[{index}].addresses[{number}]")
        return found


def _drop_topology(obj: Object, old: Object) -> None:
    """The field of the version before can't be written in v1, but for the node's name, which moves to its own field."""
    known = {(each.get("deprecatedTopology") or {}).get(HOSTNAME) for each in old.get("endpoints") or ()}
    for endpoint in obj.get("endpoints") or ():
        node = (endpoint.pop("deprecatedTopology", None) or {}).get(HOSTNAME)
        if node and node in known and endpoint.get("nodeName") is None and not dns1123_subdomain(node):
            endpoint["nodeName"] = node


def _validate_endpoint(endpoint: Object, family: str, path: str) -> list[Cause]:
    addresses = endpoint.get("addresses") or []
    causes: list[Cause] = []
    if not addresses:
        causes.append(required(f"{path}.addresses", "must contain at least 1 address"))
    causes += too_many(f"{path}.addresses", len(addresses), MAX_ADDRESSES)
    for index, address in enumerate(addresses):
        causes += _validate_slice_address(address, family, f"{path}.addresses[{index}]")
    causes += _check_given(f"{path}.nodeName", endpoint.get("nodeName"), dns1123_subdomain)
    topology = endpoint.get("deprecatedTopology") or {}
    causes += too_many(f"{path}.deprecatedTopology", len(topology), MAX_TOPOLOGY) + validate_labels(topology, f"{path}.deprecatedTopology")
    causes += _check_given(f"{path}.hostname", endpoint.get("hostname"), dns1123_label)
    return causes + (_validate_hints(endpoint["hints"], f"{path}.hints") if endpoint.get("hints") else [])


def _validate_hints(hints: Object, path: str) -> list[Cause]:
    """Zones and nodes that should use the endpoint, each once."""
    causes: list[Cause] = []
    for field, check in (("forZones", label_value), ("forNodes", dns1123_subdomain)):
        names = [each.get("name") or "" for each in hints.get(field) or ()]
        own = f"{path}.{field}"
        if causes_of_length := too_many(own, len(names), MAX_HINTS):
            return causes + causes_of_length
        for index, name in enumerate(names):
            causes += [duplicate(f"{own}[{index}].name", name)] if name in names[:index] else []
            causes += [invalid(f"{own}[{index}].name", name, problem) for problem in check(name)]
    return causes


def _validate_slice_address(address: str, family: str, path: str) -> list[Cause]:
    if family == "FQDN":
        return _validate_domain_name(address, path)
    causes = check_ip(path, address) or check_not_special(path, address)
    parsed = parse_ip(address)
    if parsed is not None and family == f"IPv{10 - parsed.version}":
        wanted = "IPv4" if family == "IPv4" else "IPv6"
        causes.append(invalid(path, address, f"must be an {wanted} address"))
    return causes


def _validate_domain_name(name: str, path: str) -> list[Cause]:
    """A domain of two labels or more, with or without the dot at its end."""
    if not name:
        return [required(path)]
    name = name.removesuffix(".")
    if problems := dns1123_subdomain(name):
        return [invalid(path, name, ",".join(problems))]
    labels = name.split(".")
    if len(labels) < 2:
        return [invalid(path, name, "should be a domain with at least two segments separated by dots")]
    wrong = next((label for label in labels if dns1123_label(label)), None)
    return [] if wrong is None else [invalid(path, wrong, ",".join(dns1123_label(wrong)))]


def _validate_slice_ports(ports: list[Object]) -> list[Cause]:
    causes: list[Cause] = []
    if len(ports) > MAX_PORTS:
        return too_many("ports", len(ports), MAX_PORTS)
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
        causes += _check_given(f"{path}.appProtocol", port.get("appProtocol"), qualified_name)
    return causes
