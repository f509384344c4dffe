"""Exponential back-off: how long to wait before the next try, with jitter so that many clients do not come back together."""

import random
from collections.abc import Callable


class Backoff:
    """`next()` gives the seconds to wait: initial, initial*factor, ... up to maximum, each stretched by up to `jitter` of itself."""

    def __init__(
        self,
        initial: float,
        maximum: float,
        *,
        factor: float = 2.0,
        jitter: float = 0.0,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._initial, self._maximum, self._factor, self._jitter, self._draw = initial, maximum, factor, jitter, draw
        self._current = initial

    def next(self) -> float:
        wait = self._current * (1 + self._jitter * self._draw())
        self._current = min(self._current * self._factor, self._maximum)
        return wait

    def reset(self) -> None:
        self._current = self._initial
