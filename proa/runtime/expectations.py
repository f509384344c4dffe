"""What a controller did and its cache has not shown yet, so that it does not do it twice.

After creating or deleting children a controller expects as many watch events; until they came (or five minutes have passed, in case an
event was lost) its view of the children is stale and it must not act on counts. Deletions are expected by UID, since a pod that is
terminating may bring several events.
"""

from collections.abc import Iterable
from dataclasses import field

from proa.lib.clock import Clock, SystemClock
from proa.lib.dataclass import dataclass

TIMEOUT_SECONDS = 300.0


@dataclass(slots=True)
class _Expected:
    creations: int = 0
    deletions: set[str] = field(default_factory=set)
    since: float = 0.0


class Expectations:
    """Per key of the owner."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock: Clock = clock or SystemClock()
        self._expected: dict[str, _Expected] = {}

    def satisfied(self, key: str) -> bool:
        expected = self._expected.get(key)
        if expected is None or (expected.creations <= 0 and not expected.deletions):
            return True
        return self._clock.monotonic() - expected.since > TIMEOUT_SECONDS

    def expect_creations(self, key: str, count: int) -> None:
        self._expected[key] = _Expected(count, set(), self._clock.monotonic())

    def expect_deletions(self, key: str, uids: Iterable[str]) -> None:
        self._expected[key] = _Expected(0, set(uids), self._clock.monotonic())

    def creation_observed(self, key: str, count: int = 1) -> None:
        """Also for creations that failed: no event will come."""
        if key in self._expected:
            self._expected[key].creations -= count

    def deletion_observed(self, key: str, uid: str) -> None:
        if key in self._expected:
            self._expected[key].deletions.discard(uid)

    def forget(self, key: str) -> None:
        self._expected.pop(key, None)
