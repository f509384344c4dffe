"""The two long-lived ways to use a connection: chunked answers (`ChunkedWriter`) and raw bytes after an upgrade (`RawConnection`).

Both obey the peer's pace: a write waits while the transport's buffer is above its high-water mark.
"""

import asyncio
from typing import Protocol

HIGH_WATER = 512 * 1024


class Peer(Protocol):
    """What the streams need of the protocol that owns the transport."""

    transport: asyncio.Transport
    closed: asyncio.Event | None

    @property
    def is_closed(self) -> bool: ...

    async def drain(self) -> None: ...

    async def wait_closed(self) -> None: ...


class ChunkedWriter:
    """A `Writer`: each write is one chunk, flushed at once. HTTP/1.0 peers get the bytes bare, ended by the connection's end."""

    def __init__(self, peer: Peer, *, chunked: bool, silent: bool = False) -> None:
        self._peer = peer
        self._chunked = chunked
        self._silent = silent

    async def write(self, data: bytes) -> None:
        if self._peer.is_closed:
            raise ConnectionResetError("the client is gone")
        if not data or self._silent:
            return
        self._peer.transport.write(b"%x\r\n%b\r\n" % (len(data), data) if self._chunked else data)
        await self._peer.drain()

    async def wait_closed(self) -> None:
        await self._peer.wait_closed()

    def finish(self) -> None:
        if self._chunked and not self._silent and not self._peer.is_closed:
            self._peer.transport.write(b"0\r\n\r\n")


class RawConnection:
    """A `Connection`: what arrives is buffered up to a bound, beyond which reading from the socket pauses."""

    def __init__(self, peer: Peer, first: bytes) -> None:
        self._peer = peer
        self._buffer = bytearray(first)
        self._waiter: asyncio.Future[None] | None = None
        self._ended = False
        self._paused = False

    def feed(self, data: bytes) -> None:
        self._buffer += data
        if len(self._buffer) > HIGH_WATER and not self._paused:
            self._paused = True
            self._peer.transport.pause_reading()
        self._wake()

    def feed_end(self) -> None:
        self._ended = True
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def read(self, limit: int = 65536) -> bytes:
        while not self._buffer and not self._ended:
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        data = bytes(self._buffer[:limit])
        del self._buffer[:limit]
        if self._paused and len(self._buffer) < HIGH_WATER // 2 and not self._peer.is_closed:
            self._paused = False
            self._peer.transport.resume_reading()
        return data

    async def write(self, data: bytes) -> None:
        if self._peer.is_closed:
            raise ConnectionResetError("the peer is gone")
        self._peer.transport.write(data)
        await self._peer.drain()

    async def close(self) -> None:
        self._peer.transport.close()
