"""The names of a cluster: an index from Services and EndpointSlices to records, kept service by service.

Source: the Kubernetes DNS specification 1.1.0. A Service with an address has A, one SRV per named port, and PTR; a headless one has the
addresses of its ready endpoints and a name for each; an ExternalName is a CNAME.
"""

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field

from proa.api.meta import Object, labels, name, namespace
from proa.dns.message import AAAA, CNAME, PTR, SRV, A, Record
from proa.lib.dataclass import dataclass

TTL = 30
SERVICE_LABEL = "kubernetes.io/service-name"
ServiceKey = tuple[str, str]


@dataclass(slots=True)
class Index:
    """Records by name and type, for one zone ("cluster.local"). `namespaces` makes names like `default.svc` exist without records."""

    zone: str
    records: dict[str, dict[int, tuple[Record, ...]]] = field(default_factory=dict)
    namespaces: set[str] = field(default_factory=set)
    _owned: dict[ServiceKey, dict[str, dict[int, tuple[Record, ...]]]] = field(default_factory=dict)
    _owners: dict[str, set[ServiceKey]] = field(default_factory=dict)

    def put(self, key: ServiceKey, records: Iterable[Record]) -> bool:
        """Replace what a Service contributes; returns whether anything changed."""
        new: dict[str, dict[int, tuple[Record, ...]]] = {}
        for record in records:
            by_type = new.setdefault(record.name, {})
            by_type[record.type] = (*by_type.get(record.type, ()), record)
        old = self._owned.get(key, {})
        if new == old:
            return False
        if new:
            self._owned[key] = new
        else:
            self._owned.pop(key, None)
        for gone in old.keys() - new.keys():
            self._owners[gone].discard(key)
        for present in new:
            self._owners.setdefault(present, set()).add(key)
        for changed in old.keys() | new.keys():
            self._merge(changed)
        return True

    def _merge(self, changed: str) -> None:
        """A reverse name may belong to several Services: a pod behind two headless ones. The first in order answers, as one PTR must."""
        merged: dict[int, tuple[Record, ...]] = {}
        for key in sorted(self._owners[changed]):
            for kind, found in self._owned[key][changed].items():
                merged.setdefault(kind, found)
        if merged:
            self.records[changed] = merged
        else:
            self.records.pop(changed, None)
            del self._owners[changed]


def service_records(service: Object, slices: Sequence[Object], zone: str) -> list[Record]:
    """Every record that one Service gives."""
    base = f"{name(service)}.{namespace(service)}.svc.{zone}"
    spec = service.get("spec", {})
    if spec.get("type") == "ExternalName":
        return [Record(base, CNAME, str(spec.get("externalName", "")).rstrip(".").lower(), TTL)]
    addresses = [address for address in spec.get("clusterIPs") or [spec.get("clusterIP")] if address and address != "None"]
    if addresses:
        return _with_cluster_ip(base, addresses, spec.get("ports") or [])
    if spec.get("clusterIP") == "None":
        return _headless(base, slices)
    return []


def _with_cluster_ip(base: str, addresses: Sequence[str], ports: Iterable[Object]) -> list[Record]:
    records = [_address(base, address) for address in addresses]
    records += [Record(reverse_name(address), PTR, base, TTL) for address in addresses]
    found = [(port.get("name", ""), port.get("protocol", "TCP"), int(port["port"])) for port in ports]
    return records + _service_ports(base, {(label, protocol, number): [base] for label, protocol, number in found})


def _headless(base: str, slices: Sequence[Object]) -> list[Record]:
    records: dict[Record, None] = {}
    targets: dict[tuple[str, str, int], list[str]] = {}
    for each in slices:
        for endpoint in each.get("endpoints") or []:
            if (endpoint.get("conditions") or {}).get("ready") is False:
                continue
            for address in endpoint.get("addresses") or []:
                own = f"{endpoint.get('hostname') or _dashed(address)}.{base}"
                records |= dict.fromkeys((_address(base, address), _address(own, address), Record(reverse_name(address), PTR, own, TTL)))
                for port in each.get("ports") or []:
                    if port.get("port"):
                        key = (port.get("name") or "", port.get("protocol") or "TCP", int(port["port"]))
                        targets.setdefault(key, []).append(own)
    return [*records, *_service_ports(base, targets)]


def _service_ports(base: str, targets: Mapping[tuple[str, str, int], Sequence[str]]) -> list[Record]:
    """SRV at `_port._protocol.SERVICE` for named ports, and all of them at the service's own name. Weights share 100 evenly."""
    records: dict[Record, None] = {}
    for (label, protocol, number), names in targets.items():
        weight = max(1, 100 // len(names))
        for target in names:
            data = (0, weight, number, target)
            records[Record(base, SRV, data, TTL)] = None
            if label:
                records[Record(f"_{label}._{protocol.lower()}.{base}", SRV, data, TTL)] = None
    return list(records)


def _address(owner: str, address: str) -> Record:
    return Record(owner, AAAA if ":" in address else A, address, TTL)


def _dashed(address: str) -> str:
    return address.replace(".", "-").replace(":", "-")


def reverse_name(address: str) -> str:
    return ipaddress.ip_address(address).reverse_pointer


def service_of(endpoint_slice: Object) -> ServiceKey | None:
    """(namespace, service) of a slice, None if it belongs to none."""
    owner = labels(endpoint_slice).get(SERVICE_LABEL)
    return (namespace(endpoint_slice), owner) if owner else None
