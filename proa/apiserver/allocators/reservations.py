"""Who holds which value (an address, a port): what stored objects have, and what writes under way have been promised.

A promise ends when its undo is called or when the stored object is seen to hold the value. What an update gives up is free only once the
update is stored, so a write that fails loses nothing. All of it happens in the event loop without waiting, so no two writes get one value.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Generic, TypeVar

T = TypeVar("T", str, int)


class Reservations(Generic[T]):
    """Keys are `namespace/name`."""

    def __init__(self) -> None:
        self._stored: dict[str, frozenset[T]] = {}
        self._holder: dict[T, str] = {}
        self._promised: dict[T, str] = {}

    def is_free(self, value: T) -> bool:
        return value not in self._holder and value not in self._promised

    def is_promised(self, value: T) -> bool:
        return value in self._promised

    def is_held(self, value: T) -> bool:
        """By a stored object."""
        return value in self._holder

    @property
    def by_key(self) -> Mapping[str, frozenset[T]]:
        """What each stored object has."""
        return self._stored

    def is_held_by(self, value: T, key: str) -> bool:
        return self._holder.get(value) == key

    def promise(self, value: T, key: str) -> Callable[[], None]:
        """Keep a free value for `key`; the answer takes the promise back, once it matters or any time later."""
        self._promised[value] = key

        return lambda: self.break_promise(value, key)

    def break_promise(self, value: T, key: str) -> None:
        if self._promised.get(value) == key:
            del self._promised[value]

    def record(self, key: str, values: Iterable[T]) -> None:
        """What the stored object holds from now on; nothing, once it is deleted."""
        new = frozenset(values)
        for value in self._stored.pop(key, frozenset()) - new:
            if self._holder.get(value) == key:
                del self._holder[value]
        for value in new:
            self._holder[value] = key
            if self._promised.get(value) == key:
                del self._promised[value]
        if new:
            self._stored[key] = new

    def __len__(self) -> int:
        return len(self._holder.keys() | self._promised.keys())
