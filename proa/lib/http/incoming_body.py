"""A request's body as it comes, for handlers that pass it on: of any length, and never more of it in memory than a slow reader leaves."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Mapping

from proa.lib.http.server_options import ServerOptions

HIGH_WATER = 256 * 1024


def streamed_body(options: ServerOptions, transport: asyncio.Transport, target: bytes, headers: Mapping[str, str]) -> "IncomingBody | None":
    """The body of a request whose handler reads it itself; None for all others, and for a short one, which costs less read beforehand."""
    length = headers.get("content-length")
    if length is None and "transfer-encoding" not in headers:
        return None
    if length is not None and (not length.isdigit() or int(length) <= options.stream_from):
        return None
    if options.streams is None or not options.streams(target):
        return None
    return IncomingBody(transport, None if length is None else int(length))


class IncomingBody:
    """`length` is what the head of the request said, None if the body comes in chunks. Read `chunks()` once."""

    def __init__(self, transport: asyncio.Transport, length: int | None) -> None:
        self.length, self.is_complete = length, False
        self._transport, self._pieces, self._size = transport, deque[bytes](), 0
        self._paused = self._lost = False
        self._waiter: asyncio.Future[None] | None = None

    def feed(self, piece: bytes) -> None:
        self._pieces.append(piece)
        self._size += len(piece)
        if self._size > HIGH_WATER and not self._paused and not self._transport.is_closing():
            self._paused = True
            self._transport.pause_reading()
        self._wake()

    def feed_end(self) -> None:
        self.is_complete = True
        self._wake()

    def lose(self) -> None:
        """Nothing more will come."""
        self._lost = True
        self._wake()

    def throw_away(self) -> None:
        """Nobody reads on."""
        self._pieces.clear()
        self._size = 0
        self._resume()

    async def chunks(self) -> AsyncIterator[bytes]:
        """Raises ConnectionResetError when the client is gone before its end."""
        while True:
            if self._pieces:
                piece = self._pieces.popleft()
                self._size -= len(piece)
                if self._size < HIGH_WATER // 2:
                    self._resume()
                yield piece
            elif self.is_complete:
                return
            elif self._lost:
                raise ConnectionResetError("the client went away in the middle of its request")
            else:
                await self._more()

    async def _more(self) -> None:
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _resume(self) -> None:
        if self._paused and not self._transport.is_closing():
            self._paused = False
            self._transport.resume_reading()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
