"""The addresses that load balancers may have, and which Service holds which. Pure bookkeeping."""

import ipaddress
from collections.abc import Iterator, Sequence


class PoolExhausted(Exception):
    """No address can be given; the message says why."""


class AddressPool:
    """`blocks` are CIDRs or `FIRST-LAST` ranges; network and broadcast addresses of an IPv4 CIDR larger than /31 are left out."""

    def __init__(self, blocks: Sequence[str]) -> None:
        self._blocks = [_block(each) for each in blocks]
        self._described = ", ".join(blocks)
        self._holders: dict[str, str] = {}

    def __contains__(self, address: str) -> bool:
        try:
            number = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(first.version == number.version and int(first) <= int(number) <= int(last) for first, last in self._blocks)

    def holder(self, address: str) -> str | None:
        return self._holders.get(address)

    def held_by(self, key: str) -> str | None:
        return next((address for address, holder in self._holders.items() if holder == key), None)

    def occupy(self, address: str, key: str) -> bool:
        """Note what a Service's status says; False if it is not ours to give or somebody else's."""
        if address not in self or self._holders.get(address, key) != key:
            return False
        self._holders[address] = key
        return True

    def allocate(self, key: str, wanted: str = "", family: str = "IPv4") -> str:
        """The address that the Service holds, wants, or the first free one; raises PoolExhausted."""
        held = self.held_by(key)
        if held is not None and wanted in ("", held):
            return held
        if wanted:
            return self._allocate_wanted(key, wanted)
        free = next((each for each in self._addresses(family) if each not in self._holders), None)
        if free is None:
            where = f"in the pool {self._described}" if self._blocks else "as no address pool is configured"
            raise PoolExhausted(f"no {family} address is free {where}")
        self._holders[free] = key
        return free

    def release(self, key: str) -> bool:
        """Whether an address became free."""
        held = [address for address, holder in self._holders.items() if holder == key]
        for address in held:
            del self._holders[address]
        return bool(held)

    def _allocate_wanted(self, key: str, wanted: str) -> str:
        if wanted not in self:
            raise PoolExhausted(f"spec.loadBalancerIP {wanted} is not in the pool {self._described}")
        if self._holders.get(wanted, key) != key:
            raise PoolExhausted(f"spec.loadBalancerIP {wanted} is in use by {self._holders[wanted]}")
        self.release(key)
        self._holders[wanted] = key
        return wanted

    def _addresses(self, family: str) -> Iterator[str]:
        version = 6 if family == "IPv6" else 4
        for first, last in self._blocks:
            if first.version == version:
                for number in range(int(first), int(last) + 1):
                    yield str(type(first)(number))


_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def _block(text: str) -> tuple[_Address, _Address]:
    """First and last; raises ValueError."""
    if "-" in text:
        first, _, last = text.partition("-")
        return ipaddress.ip_address(first.strip()), ipaddress.ip_address(last.strip())
    network = ipaddress.ip_network(text)
    if network.version == 4 and network.prefixlen < 31:
        return network[1], network[-2]
    return network[0], network[-1]
