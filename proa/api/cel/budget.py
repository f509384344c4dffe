"""What rules may cost by their estimates, and how it is told when they would cost more."""

STATIC_LIMIT = 10_000_000
"""Of one rule, times how often it can run."""
STATIC_TOTAL = 100_000_000
"""Of all rules of one definition."""


_ADVICE = "try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared"


def over_budget(name: str, cost: int, limit: int) -> str:
    """How a cost that is over its limit is told; `name` says whose."""
    factor = cost / limit
    told = "more than 100x" if factor > 100 else f"{factor:f}x" if factor < 1.5 else f"{factor:.1f}x"
    return f"{name} exceeds budget by factor of {told} ({_ADVICE})"
