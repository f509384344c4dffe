"""Draws a free number: from the upper band while it lasts, so that the lower one stays for those who ask for a certain value.
Source: KEP-3070 (addresses), KEP-3682 (node ports).
"""

import itertools
import random
from collections.abc import Callable

ATTEMPTS = 16
"""Random tries before looking at every number in turn: enough unless the band is nearly full."""


def draw(size: int, static_size: int, is_free: Callable[[int], bool]) -> int | None:
    """An offset below `size`; None if all are taken."""
    for start, end in ((static_size, size), (0, static_size)):
        found = _draw_between(start, end, is_free)
        if found is not None:
            return found
    return None


def _draw_between(start: int, end: int, is_free: Callable[[int], bool]) -> int | None:
    if start >= end:
        return None
    for _ in range(ATTEMPTS):
        offset = random.randrange(start, end)
        if is_free(offset):
            return offset
    first = random.randrange(start, end)
    return next((offset for offset in itertools.chain(range(first, end), range(start, first)) if is_free(offset)), None)


def static_band(size: int, minimum: int, step: int, maximum: int) -> int:
    """min(max(minimum, size/step), maximum), or nothing where the range is no larger than that minimum."""
    return min(max(minimum, size // step), maximum) if size > minimum else 0
