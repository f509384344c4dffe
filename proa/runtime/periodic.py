"""A loop by the clock: calls a function every so many seconds; a failed round is logged and the next one comes."""

import logging
from collections.abc import Awaitable, Callable

from proa.api.errors import ApiError
from proa.lib.clock import Clock

_log = logging.getLogger(__name__)


class Periodic:
    def __init__(self, name: str, seconds: float, act: Callable[[], Awaitable[None]], clock: Clock) -> None:
        self.name = name
        self._seconds, self._act, self._clock = seconds, act, clock

    async def run(self) -> None:
        while True:
            try:
                await self._act()
            except (ApiError, OSError) as error:
                _log.warning("%s: %s: %s; next round in %s s", self.name, type(error).__name__, error, self._seconds)
            except Exception:
                _log.exception("%s: the round failed", self.name)
            await self._clock.sleep(self._seconds)
