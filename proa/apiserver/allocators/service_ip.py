"""The addresses of Services. One is free if no stored Service has it, no write under way was promised it and no IPAddress claims it."""

from collections.abc import Callable

from proa.apiserver.allocators.address_range import AllocationError
from proa.apiserver.allocators.claims import Claims
from proa.apiserver.allocators.reservations import Reservations
from proa.apiserver.allocators.service_ranges import ServiceRanges


class ServiceIPs:
    def __init__(self, ranges: ServiceRanges, claims: Claims) -> None:
        self.ranges, self.claims = ranges, claims
        self.reservations: Reservations[str] = Reservations()

    def is_free(self, address: str) -> bool:
        return self.reservations.is_free(address) and address not in self.claims.by_address

    def allocate(self, address: str, key: str) -> Callable[[], None]:
        """Reserve the very address; the answer takes it back. Raises AllocationError."""
        self.ranges.check(address)
        if not self.is_free(address):
            raise AllocationError("provided IP is already allocated")
        return self.reservations.promise(address, key)

    def allocate_next(self, key: str, family: str) -> tuple[str, Callable[[], None]]:
        for each in self.ranges.of_family(family):
            address = each.draw(self.is_free)
            if address is not None:
                return address, self.reservations.promise(address, key)
        raise AllocationError("range is full")
