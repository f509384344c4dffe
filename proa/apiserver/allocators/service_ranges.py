"""The ranges that cluster IPs come from, as the ServiceCIDR objects say: added, closed for new Services and removed while the server runs.

A range gives addresses as long as one ServiceCIDR with it is ready and isn't being deleted. Before any ServiceCIDR is known (a fresh
store, or a version of the API without them) the configured ranges count. Source: KEP-1880.
"""

import ipaddress
from collections.abc import Iterator, Sequence

from proa.api import meta
from proa.api.meta import Object
from proa.apiserver.allocators.address_range import MISMATCHED, Address, AddressRange, AllocationError
from proa.apiserver.interface import ObjectReader

GROUP = "networking.k8s.io"


class ServiceRanges:
    def __init__(self, configured: Sequence[str], reader: ObjectReader) -> None:
        self._configured = [AddressRange(cidr) for cidr in configured]
        self._objects: dict[str, Object] = {}
        self._open, self._known = self._configured, self._configured
        reader.observe(GROUP, "servicecidrs", self.observe)

    @property
    def families(self) -> tuple[str, ...]:
        """Those that Services can have, the default one first: what the server was configured for."""
        return tuple(each.family for each in self._configured)

    def observe(self, event: str, service_cidr: Object) -> None:
        if event == "DELETED":
            self._objects.pop(meta.name(service_cidr), None)
        else:
            self._objects[meta.name(service_cidr)] = service_cidr
        self._open = _ranges([each for each in self._objects.values() if _is_open(each)]) if self._objects else self._configured
        self._known = _ranges(list(self._objects.values())) if self._objects else self._configured

    def check(self, address: str) -> None:
        """Raises AllocationError if no range gives this address now."""
        parsed = _parse(address)
        ranges = [each for each in self._open if each.contains(parsed)]
        if not ranges:
            raise AllocationError(MISMATCHED)
        if not any(each.gives(parsed) for each in ranges):
            why = f"the provided IP ({address}) is not in the valid range. The range of valid IPs is {ranges[0].network}"
            raise AllocationError(why)

    def is_known(self, address: str) -> bool:
        """Whether any range has it, open or not."""
        return any(each.contains(ipaddress.ip_address(address)) for each in self._known)

    def of_family(self, family: str) -> Iterator[AddressRange]:
        return (each for each in self._open if each.family == family)


def _parse(address: str) -> Address:
    try:
        return ipaddress.ip_address(address)
    except ValueError:
        raise AllocationError(f"the provided IP ({address}) is not a valid IP") from None


def _is_open(service_cidr: Object) -> bool:
    """Without a Ready condition it counts as ready: the controller that sets it may not run yet."""
    ready = meta.condition(service_cidr, "Ready")
    return not meta.is_terminating(service_cidr) and (ready is None or ready.get("status") == "True")


def _ranges(objects: list[Object]) -> list[AddressRange]:
    cidrs = dict.fromkeys(cidr for each in objects for cidr in each["spec"]["cidrs"])
    return [AddressRange(cidr) for cidr in cidrs]
