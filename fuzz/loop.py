"""Coroutines for targets: on one event loop that stays, where whatever would only have been logged counts as a fault."""

import asyncio
import atexit
import logging
from collections.abc import Awaitable, Coroutine
from functools import cache
from typing import Any

from proa.lib.http.message import Connection

PATIENCE = 3.0
"""Seconds, which only an endless wait takes."""


class _Complaints(logging.Handler):
    """Errors with an exception: something caught what nobody had foreseen, and went on."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.found: list[BaseException] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info and record.exc_info[1] is not None:
            self.found.append(record.exc_info[1])


@cache
def the_loop() -> tuple[asyncio.AbstractEventLoop, _Complaints]:
    loop, complaints = asyncio.new_event_loop(), _Complaints()
    atexit.register(loop.close)
    logger = logging.getLogger("proa")
    logger.addHandler(complaints)
    logger.propagate = False
    loop.set_exception_handler(lambda _, context: complaints.found.append(context.get("exception") or RuntimeError(context["message"])))
    return loop, complaints


def run(coroutine: Coroutine[Any, Any, Any]) -> None:
    """To its end, which comes soon. Raises what it raises, and what was logged meanwhile."""
    loop, complaints = the_loop()
    complaints.found.clear()
    loop.run_until_complete(asyncio.wait_for(coroutine, 10 * PATIENCE))
    if complaints.found:
        raise complaints.found[0]


async def within(awaitable: Awaitable[Any]) -> Any:
    return await asyncio.wait_for(awaitable, PATIENCE)


class Said(Connection):
    """A connection whose peer has said all that it will, in pieces, and takes whatever it gets."""

    def __init__(self, pieces: list[bytes]) -> None:
        self._pieces = pieces[::-1]
        self.written = bytearray()

    async def read(self, limit: int = 65536) -> bytes:
        return self._pieces.pop() if self._pieces else b""

    async def write(self, data: bytes) -> None:
        self.written += data

    async def close(self) -> None:
        self._pieces.clear()


def in_pieces(data: bytes) -> list[bytes]:
    """The first byte says how long the pieces of the rest are, as nobody knows where a network cuts."""
    size = data[0] + 1 if data else 1
    return [data[start : start + size] for start in range(1, len(data), size)]
