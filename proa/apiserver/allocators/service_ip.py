"""The addresses of Services: any of the service CIDR but its first (the network's own) and, in IPv4, its last (broadcast)."""

import ipaddress
from collections.abc import Callable

from proa.apiserver.allocators.band import draw, static_band
from proa.apiserver.allocators.reservations import Reservations


class AllocationError(Exception):
    """Why a value can't be had, in upstream's words."""


class ServiceIPs:
    def __init__(self, cidr: str) -> None:
        self.network = ipaddress.ip_network(cidr)
        self.family = f"IPv{self.network.version}"
        # An IPv6 range may be larger than anything that could be counted: upstream, too, uses its first 2^16 addresses.
        usable = self.network.num_addresses - (2 if self.network.version == 4 else 1)
        self._size = min(usable, 1 << 16)
        self._static = static_band(self._size, 16, 16, 256)
        self.reservations: Reservations[str] = Reservations()

    def allocate(self, address: str, key: str) -> Callable[[], None]:
        """Reserve the very address; the answer takes it back. Raises AllocationError."""
        self.check(address)
        if not self.reservations.is_free(address):
            raise AllocationError("provided IP is already allocated")
        return self.reservations.promise(address, key)

    def check(self, address: str) -> None:
        try:
            offset = int(ipaddress.ip_address(address)) - int(self.network.network_address) - 1
        except ValueError:
            raise AllocationError(f"the provided IP ({address}) is not a valid IP") from None
        if ipaddress.ip_address(address).version != self.network.version or not 0 <= offset < self._size:
            why = f"the provided IP ({address}) is not in the valid range. The range of valid IPs is {self.network}"
            raise AllocationError(why)

    def allocate_next(self, key: str) -> tuple[str, Callable[[], None]]:
        first = self.network.network_address + 1
        offset = draw(self._size, self._static, lambda each: self.reservations.is_free(str(first + each)))
        if offset is None:
            raise AllocationError("range is full")
        address = str(first + offset)
        return address, self.reservations.promise(address, key)
