"""What Retry-After says to whom a level has turned away: a second, and longer while it goes on turning many away.

The answer doubles when in its own length at least three times as many were turned away, and shrinks by one when fewer than its length were.
"""

from dataclasses import field

from proa.lib.dataclass import dataclass

LONGEST = 32


@dataclass(slots=True)
class RetryAfter:
    """Of one level. Counts per second; the answer changes at most once a second."""

    seconds: int = 1
    _raised: int = 0
    _second: int = 0
    _count: int = 0
    _history: list[tuple[int, int]] = field(default_factory=list)

    def turned_away(self, now: float) -> int:
        """Count one, and say for how long."""
        second = int(now)
        if second == self._second:
            self._count += 1
            return self.seconds
        self._history = [each for each in self._history if second - each[0] <= LONGEST]
        self._history.append((self._second, self._count))
        self._second, self._count = second, 1
        self._adjust(second)
        return self.seconds

    def _adjust(self, second: int) -> None:
        dropped = sum(count for when, count in self._history if second - self.seconds <= when < second)
        if second - self._raised >= self.seconds and dropped >= 3 * self.seconds:
            self.seconds, self._raised = min(self.seconds * 2, LONGEST), second
        elif dropped < self.seconds and self.seconds > 1:
            self.seconds -= 1
