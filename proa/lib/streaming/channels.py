"""Numbered channels within one WebSocket: the first byte of each message says which channel its bytes belong to.

Plain channels send binary messages; base64 ones send text, the channel as a digit. In the newest version a message on channel 255 names
a channel that its sender has closed, which is how the end of standard input travels.
"""

import asyncio
import base64
import binascii
from types import TracebackType
from typing import Self

from proa.lib.streaming.inbox import Inbox
from proa.lib.tasks import cancel_and_wait
from proa.lib.websocket.connection import Piece, WebSocket

CLOSE_CHANNEL = 255
TEXT_LIMIT = 4 * 1024 * 1024
PIECE = 32 * 1024


class Channel:
    """A `ByteStream`. Writing needs no end of its own: the socket's end is it."""

    def __init__(self, socket: "ChannelSocket", number: int) -> None:
        self._socket = socket
        self._number = number
        self._inbox = Inbox("the client is gone")

    async def read(self) -> bytes:
        return await self._inbox.read()

    async def write(self, data: bytes) -> None:
        for start in range(0, len(data), PIECE):
            await self._socket.send(self._number, data[start : start + PIECE])

    async def close(self) -> None:
        return

    def discard(self) -> None:
        """Nobody reads this channel any more; what arrives must not hold up the others."""
        self._inbox.discard()

    async def feed(self, data: bytes) -> None:
        await self._inbox.feed(data)

    def end(self) -> None:
        self._inbox.end()

    def break_off(self) -> None:
        self._inbox.break_off()


class ChannelSocket:
    """Use as a context manager; entering starts to sort what arrives, leaving stops that. The WebSocket belongs to the caller."""

    def __init__(self, socket: WebSocket, *, is_text: bool = False, closes: bool = False) -> None:
        self._socket, self._is_text, self._closes = socket, is_text, closes
        self._channels: dict[int, Channel] = {}
        self._reader: asyncio.Task[None] | None = None
        self._ended = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._reader = asyncio.create_task(self._read(), name="websocket channels")
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._reader is not None:
            await cancel_and_wait(self._reader)

    def channel(self, number: int, *, readable: bool = True) -> Channel:
        """What arrives for channels that were never asked for is dropped: ask for them before entering."""
        channel = Channel(self, number)
        if readable:
            self._channels[number] = channel
        return channel

    @property
    def is_ended(self) -> bool:
        return self._ended.is_set()

    async def wait_ended(self) -> None:
        """Return when the peer has closed or is gone."""
        await self._ended.wait()

    async def send(self, number: int, data: bytes) -> None:
        if self._is_text:
            await self._socket.send_text(f"{number}{base64.b64encode(data).decode()}")
        else:
            await self._socket.send(bytes((number,)) + data)

    async def _read(self) -> None:
        try:
            if self._is_text:
                await self._read_text()
            else:
                await self._read_binary()
        except ConnectionError:
            pass
        finally:
            self._ended.set()
            for channel in self._channels.values():
                channel.break_off()

    async def _read_binary(self) -> None:
        number: int | None = None
        while (piece := await self._socket.receive()) is not None:
            data = piece.data
            if number is None and data:
                number, data = data[0], data[1:]
            if number is not None:
                await self._take(number, data)
            if piece.last:
                number = None

    async def _read_text(self) -> None:
        message = b""
        while (piece := await self._socket.receive()) is not None:
            message += piece.data
            if len(message) > TEXT_LIMIT:
                raise ConnectionAbortedError("a message is too long")
            if piece.last:
                await self._take_text(message, piece)
                message = b""

    async def _take_text(self, message: bytes, piece: Piece) -> None:
        if not message:
            return
        try:
            data = base64.b64decode(message[1:], validate=True)
        except binascii.Error:
            raise ConnectionAbortedError("a message is not base64") from None
        await self._take(message[0] - ord("0"), data)

    async def _take(self, number: int, data: bytes) -> None:
        if self._closes and number == CLOSE_CHANNEL:
            for closed in data:
                if closed in self._channels:
                    self._channels[closed].end()
        elif number in self._channels:
            await self._channels[number].feed(data)
