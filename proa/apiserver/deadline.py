"""The time that a request may take (--request-timeout, or less if the client says `?timeout=`), for all but long-running ones.

A timer for each request would cost more than most requests do. So a request is only written down when it first waits for something, and
one loop looks once a second for those whose time is over. The wait is then cancelled, as asyncio cancels a task, and answered with 504.
"""

import asyncio
import re
from collections.abc import Awaitable, Coroutine, Generator
from typing import Any, TypeVar

from proa.api.errors import BadRequest, ServerTimeout
from proa.lib.clock import Clock
from proa.lib.http.message import Request

T = TypeVar("T")
PERIOD = 1.0
_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_PART = re.compile(r"(\d+\.?\d*|\.\d+)(h|ms|m|s|us|µs|ns)")
EXPIRED = "Timeout: request did not complete within the allotted timeout"


def asked_timeout(request: Request, longest: float) -> float:
    """Raises BadRequest. Zero, and more than the server allows, mean what the server allows."""
    text = request.parameter("timeout")
    if not text:
        return longest
    seconds = _duration(text)
    return seconds if 0 < seconds < longest else longest


def _duration(text: str) -> float:
    sign, rest = (-1.0, text[1:]) if text.startswith("-") else (1.0, text.removeprefix("+"))
    if rest == "0":
        return 0.0
    parts = _PART.findall(rest)
    if not parts or "".join(map("".join, parts)) != rest:
        problem = "missing unit in duration" if rest.replace(".", "", 1).isdigit() else "invalid duration"
        raise BadRequest(f'invalid timeout specified in the request URL - time: {problem} "{text}"')
    return sign * sum(float(count) * _UNITS[unit] for count, unit in parts)


class Deadlines:
    """All requests that wait now."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waiting: dict[Timed[Any], None] = {}

    def timed(self, work: Coroutine[Any, Any, T], seconds: float) -> "Timed[T]":
        """Await it: the result, or ServerTimeout."""
        return Timed(work, seconds, self._clock, self._waiting)

    async def run(self) -> None:
        while True:
            await self._clock.sleep(PERIOD)
            now = self._clock.monotonic()
            for timed in [each for each in self._waiting if each.deadline <= now]:
                timed.expire()


class Timed(Awaitable[T]):
    """Drives a coroutine as `await` does, and remembers what it waits for."""

    __slots__ = ("_clock", "_expired", "_future", "_seconds", "_waiting", "_work", "deadline")

    def __init__(self, work: Coroutine[Any, Any, T], seconds: float, clock: Clock, waiting: "dict[Timed[Any], None]") -> None:
        self._work, self._seconds, self._clock, self._waiting = work, seconds, clock, waiting
        self._future: Any = None
        self._expired = False
        self.deadline = 0.0

    def __await__(self) -> Generator[Any, Any, T]:
        work, answer, error = self._work, None, None
        waiting = False
        try:
            while True:
                self._future = work.send(answer) if error is None else work.throw(error)
                if not waiting:
                    waiting = True
                    self.deadline = self._clock.monotonic() + self._seconds
                    self._waiting[self] = None
                answer, error = None, None
                try:
                    answer = yield self._future
                except GeneratorExit:
                    work.close()
                    raise
                except BaseException as thrown:
                    error = thrown
                if self._expired and error is None:
                    error = asyncio.CancelledError()
        except StopIteration as done:
            result: T = done.value
            return result
        except asyncio.CancelledError:
            if self._expired:
                raise ServerTimeout(EXPIRED) from None
            raise
        finally:
            if waiting:
                del self._waiting[self]

    def expire(self) -> None:
        """End the wait. What has no future to cancel (a pause for others) ends by itself, and meets the same fate then."""
        self._expired = True
        cancel = getattr(self._future, "cancel", None)
        if cancel is not None:
            cancel()
