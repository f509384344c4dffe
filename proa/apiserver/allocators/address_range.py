"""One range that cluster IPs come from: any address of a network but its first (the network's own) and, in IPv4, its last (broadcast)."""

import ipaddress
from collections.abc import Callable

from proa.apiserver.allocators.band import draw, static_band

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
MISMATCHED = "the provided network does not match the current range"


class AllocationError(Exception):
    """Why a value can't be had, in upstream's words."""


def family_of(text: str) -> str:
    return "IPv6" if ":" in text else "IPv4"


class AddressRange:
    def __init__(self, cidr: str) -> None:
        self.network = ipaddress.ip_network(cidr)
        self.family = f"IPv{self.network.version}"
        self._first = int(self.network.network_address) + 1
        # An IPv6 network may be larger than anything that could be searched; its first 2^64 addresses are enough.
        self._size = min(max(0, self.network.num_addresses - (2 if self.network.version == 4 else 1)), 1 << 64)
        self._static = static_band(self._size, 16, 16, 256)

    def contains(self, address: Address) -> bool:
        return address.version == self.network.version and address in self.network

    def gives(self, address: Address) -> bool:
        """Whether it is none of those that nobody gets."""
        return 0 <= int(address) - self._first < self._size

    def draw(self, is_free: Callable[[str], bool]) -> str | None:
        """A free address, from the upper band first; None if there is none."""
        offset = draw(self._size, self._static, lambda each: is_free(self._text(each)))
        return None if offset is None else self._text(offset)

    def _text(self, offset: int) -> str:
        number = self._first + offset
        return str(ipaddress.IPv4Address(number) if self.network.version == 4 else ipaddress.IPv6Address(number))
