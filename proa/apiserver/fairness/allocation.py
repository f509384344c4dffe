"""Who gets how many seats: the server's limit divided by shares, and then lent to where the demand is.

`divide` gives each level its nominal limit and how far it may be lent or borrow; `allocate` finds the one proportion of everybody's target
at which all seats are given away. Both are arithmetic. Source: KEP-1040, "Dispatching" and "Current Limits".
"""

import math
from collections.abc import Mapping, Sequence

from proa.lib.dataclass import dataclass

MINIMUM_TARGET = 0.001
EPSILON = 1e-7
SMOOTHING = 0.977
"""How much of the remembered demand stays after ten seconds: half of it is gone after five minutes."""
MAXIMUM_SEATS_FRACTION = 0.15


@dataclass(frozen=True, slots=True)
class Shares:
    """What a PriorityLevelConfiguration asks for. `borrowing_percent` None is no limit; `hand_size` 0 is a level without queues."""

    shares: int
    lendable_percent: int = 0
    borrowing_percent: int | None = None
    hand_size: int = 0


@dataclass(frozen=True, slots=True)
class Limits:
    """In seats. `request_maximum` is how many one request may take."""

    nominal: int
    minimum: int
    maximum: int
    request_maximum: int = 0

    @property
    def initial(self) -> int:
        """Before any demand is known: half of what may be lent is lent."""
        return self.nominal - (self.nominal - self.minimum) // 2


def divide(server_limit: int, levels: Mapping[str, Shares]) -> dict[str, Limits]:
    total = sum(level.shares for level in levels.values())
    return {name: _limits(server_limit, level, total) for name, level in levels.items()}


def _limits(server_limit: int, level: Shares, total: int) -> Limits:
    nominal = math.ceil(server_limit * level.shares / total) if total else 0
    lendable = _rounded(nominal * level.lendable_percent / 100)
    borrowing = server_limit if level.borrowing_percent is None else _rounded(nominal * level.borrowing_percent / 100)
    widest = 0
    if level.hand_size:
        widest = max(1, min(math.ceil(nominal * MAXIMUM_SEATS_FRACTION), nominal // level.hand_size))
    return Limits(nominal, nominal - lendable, nominal + borrowing, widest)


def _rounded(amount: float) -> int:
    """Halves go up, unlike Python's own rounding."""
    return math.floor(amount + 0.5)


@dataclass(frozen=True, slots=True)
class Claim:
    """What one level would like to have, and between which bounds it must stay."""

    target: float
    lower: float
    upper: float


def allocate(required: int, claims: Sequence[Claim]) -> tuple[list[float], float]:
    """Amounts that add up to `required`, and the proportion p at which each is p * target, but within its bounds.

    Raises ValueError if the bounds allow no such sum."""
    if sum(claim.lower for claim in claims) - required > EPSILON or required - sum(claim.upper for claim in claims) > EPSILON:
        raise ValueError(f"the bounds of {len(claims)} levels do not allow a sum of {required}")
    targets = [max(claim.target, MINIMUM_TARGET) for claim in claims]

    def amounts(proportion: float) -> list[float]:
        return [max(claim.lower, min(claim.upper, proportion * target)) for claim, target in zip(claims, targets, strict=True)]

    low = 0.0
    for bend in sorted({bound / target for claim, target in zip(claims, targets, strict=True) for bound in (claim.lower, claim.upper)}):
        if sum(amounts(bend)) >= required - EPSILON:
            proportion = _between(low, bend, sum(amounts(low)), sum(amounts(bend)), required)
            return amounts(proportion), proportion
        low = bend
    return amounts(low), low


def _between(low: float, high: float, at_low: float, at_high: float, wanted: float) -> float:
    """Between two bends the sum grows evenly, or not at all."""
    return high if at_high <= at_low else low + (high - low) * max(0.0, wanted - at_low) / (at_high - at_low)


@dataclass(slots=True)
class SeatDemand:
    """What a level has wanted lately: the newest period's average, deviation and peak, and the envelope of them that fades slowly."""

    average: float = 0.0
    deviation: float = 0.0
    peak: float = 0.0
    smoothed: float = 0.0

    def update(self, average: float, deviation: float, peak: float) -> None:
        self.average, self.deviation, self.peak = average, deviation, peak
        envelope = average + deviation
        self.smoothed = max(envelope, SMOOTHING * self.smoothed + (1 - SMOOTHING) * envelope)

    def claim(self, limits: Limits) -> Claim:
        """A level keeps what it has used lately, up to its nominal limit, whatever others would like."""
        lower = max(limits.minimum, min(limits.nominal, self.peak))
        return Claim(max(lower, self.smoothed), lower, limits.maximum)
