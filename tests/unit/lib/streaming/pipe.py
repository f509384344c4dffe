"""Two connections that are each other's ends, in memory; each direction holds no more than `limit` bytes."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Protocol


class _Direction:
    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.data = bytearray()
        self.closed = False
        self.changed = asyncio.Condition()


class PipeEnd:
    """A `Connection`. `written` counts what the other end was ready to take."""

    def __init__(self, incoming: _Direction, outgoing: _Direction) -> None:
        self._incoming, self._outgoing = incoming, outgoing
        self.written = 0

    async def read(self, limit: int = 65536) -> bytes:
        async with self._incoming.changed:
            await self._incoming.changed.wait_for(lambda: self._incoming.data or self._incoming.closed)
            data = bytes(self._incoming.data[:limit])
            del self._incoming.data[:limit]
            self._incoming.changed.notify_all()
            return data

    async def write(self, data: bytes) -> None:
        async with self._outgoing.changed:
            if self._outgoing.closed:
                raise ConnectionResetError("the other end is closed")
            self._outgoing.data += data
            self.written += len(data)
            self._outgoing.changed.notify_all()
            await self._outgoing.changed.wait_for(lambda: len(self._outgoing.data) <= self._outgoing.limit or self._outgoing.closed)

    async def close(self) -> None:
        for direction in (self._incoming, self._outgoing):
            async with direction.changed:
                direction.closed = True
                direction.changed.notify_all()


def pipe(limit: int = 65536) -> tuple[PipeEnd, PipeEnd]:
    one, other = _Direction(limit), _Direction(limit)
    return PipeEnd(one, other), PipeEnd(other, one)


def run(scenario: Coroutine[Any, Any, None]) -> None:
    """To the end, within ten seconds, and no task may be left over."""

    async def main() -> None:
        await asyncio.wait_for(scenario, 10)
        left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        assert left == []

    asyncio.run(main())


class Readable(Protocol):
    async def read(self) -> bytes: ...


async def read_to_end(stream: Readable) -> bytes:
    data = b""
    while piece := await stream.read():
        data += piece
    return data
