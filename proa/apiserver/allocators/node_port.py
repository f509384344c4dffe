"""The node ports of Services: one port belongs to one Service, whatever its protocols."""

from collections.abc import Callable

from proa.apiserver.allocators.address_range import AllocationError
from proa.apiserver.allocators.band import draw, static_band
from proa.apiserver.allocators.reservations import Reservations


class NodePorts:
    """`first` and `last` both belong to the range."""

    def __init__(self, first: int, last: int) -> None:
        self._first, self._last = first, last
        self._size = last - first + 1
        self._static = static_band(self._size, 16, 32, 128)
        self.reservations: Reservations[int] = Reservations()

    def allocate(self, port: int, key: str) -> Callable[[], None]:
        if not self._first <= port <= self._last:
            why = f"provided port is not in the valid range. The range of valid ports is {self._first}-{self._last}"
            raise AllocationError(why)
        if not self.reservations.is_free(port):
            raise AllocationError("provided port is already allocated")
        return self.reservations.promise(port, key)

    def allocate_next(self, key: str) -> tuple[int, Callable[[], None]]:
        offset = draw(self._size, self._static, lambda each: self.reservations.is_free(self._first + each))
        if offset is None:
            raise AllocationError("range is full")
        port = self._first + offset
        return port, self.reservations.promise(port, key)
