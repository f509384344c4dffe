"""The plain limit that holds when priority and fairness is switched off: so many reading and so many changing requests at a time.

Whoever is in system:masters is never turned away.
"""

from collections.abc import Iterable

from proa.apiserver.interface import MASTERS_GROUP, RequestInfo, User

READING = frozenset({"get", "list", "watch"})


def kind_of(info: RequestInfo) -> str:
    """What metrics call it."""
    return "readOnly" if info.verb in READING else "mutating"


class InFlight:
    """0 is no limit."""

    def __init__(self, reading: int, changing: int) -> None:
        self._limits = {True: reading, False: changing}
        self._running = {True: 0, False: 0}

    def enter(self, user: User, info: RequestInfo) -> bool:
        """Whether the request may run; then `leave` must follow."""
        reads = info.verb in READING
        limit = self._limits[reads]
        if limit and self._running[reads] >= limit and MASTERS_GROUP not in user.groups:
            return False
        self._running[reads] += 1
        return True

    def leave(self, info: RequestInfo) -> None:
        self._running[info.verb in READING] -= 1

    def running(self) -> Iterable[tuple[tuple[str, ...], float]]:
        """For the metrics."""
        return [(("readOnly",), self._running[True]), (("mutating",), self._running[False])]
