"""`lru_cache` for what is asked of texts that clients send: long ones are worked out each time, so that nobody fills the memory with them.

A count alone is no bound: four thousand names of a megabyte each are four gigabytes that stay when the client has gone.
"""

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")
LONGEST = 512
"""Characters of a text that is remembered."""


def remembered(count: int, longest: int = LONGEST) -> Callable[[Callable[[T], R]], Callable[[T], R]]:
    """A decorator: the last `count` results are kept, for arguments that aren't texts longer than `longest`."""

    def decorate(function: Callable[[T], R]) -> Callable[[T], R]:
        cached: Callable[[T], R] = lru_cache(count)(function)

        @wraps(function)
        def remember(argument: T) -> R:
            if isinstance(argument, str) and len(argument) > longest:
                return function(argument)
            return cached(argument)

        return remember

    return decorate
