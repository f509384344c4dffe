"""A WebSocket over a raw connection after the handshake, as a server or a client: messages in pieces, pings answered, an orderly close.

Messages come out piece by piece as they arrive, so that a large one does not wait in memory. Frames are `wsproto`'s work.
"""

import asyncio
from collections import deque
from types import TracebackType
from typing import Self

from wsproto.connection import Connection as Frames
from wsproto.connection import ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Event, Ping, TextMessage
from wsproto.utilities import LocalProtocolError

from proa.lib.dataclass import dataclass
from proa.lib.http.message import Connection
from proa.lib.streaming.outbox import Outbox
from proa.lib.tasks import cancel_and_wait

LINGER = 1.0
"""Seconds for which the peer's own close frame is waited for."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a message; `last` ends it."""

    data: bytes
    last: bool
    is_text: bool = False


class WebSocket:
    """Use as a context manager: leaving says good-bye and closes the connection."""

    def __init__(self, connection: Connection, *, client: bool = False) -> None:
        self._connection = connection
        self._frames = Frames(ConnectionType.CLIENT if client else ConnectionType.SERVER)
        self._outbox = Outbox(connection)
        self._pieces: deque[Piece] = deque()
        self._ended = False
        self._writer: asyncio.Task[None] | None = None
        self.close_code: int | None = None
        """What the peer closed with."""

    async def __aenter__(self) -> Self:
        self._writer = asyncio.create_task(self._outbox.run(), name="websocket writer")
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close(1011 if kind is not None and issubclass(kind, Exception) else 1000)

    async def receive(self) -> Piece | None:
        """The next piece; None when the peer has closed or is gone. To be called by one task at a time."""
        while not self._pieces:
            if self._ended:
                return None
            data = await self._connection.read()
            if not data:
                self._ended = True
                self._outbox.fail(ConnectionResetError("the peer is gone"))
                return None
            self._frames.receive_data(data)
            for event in self._frames.events():
                self._take(event)
        return self._pieces.popleft()

    def _take(self, event: Event) -> None:
        match event:
            case BytesMessage():
                self._pieces.append(Piece(bytes(event.data), event.message_finished))
            case TextMessage():
                self._pieces.append(Piece(event.data.encode(), event.message_finished, True))
            case Ping():
                self._post(event.response())
            case CloseConnection():
                self._ended = True
                self.close_code = event.code
                self._post(event.response())
            case _:
                pass

    def _post(self, event: Event) -> None:
        try:
            self._outbox.post(self._frames.send(event))
        except LocalProtocolError:
            return

    async def send(self, data: bytes) -> None:
        """One binary message; raises ConnectionError."""
        await self._send(BytesMessage(data=data))

    async def send_text(self, text: str) -> None:
        await self._send(TextMessage(data=text))

    async def _send(self, message: BytesMessage | TextMessage) -> None:
        await self._outbox.room()
        try:
            self._outbox.post(self._frames.send(message))
        except LocalProtocolError as error:
            raise ConnectionResetError(str(error)) from None

    async def close(self, code: int = 1000, reason: str = "") -> None:
        if self._writer is None:
            return
        writer, self._writer = self._writer, None
        self._post(CloseConnection(code=code, reason=reason))
        self._outbox.finish()
        try:
            if not self._ended and not self._outbox.broken:
                await asyncio.wait([writer], timeout=10 * LINGER)
                await self._await_farewell()
            else:
                await asyncio.wait([writer], timeout=LINGER)
        finally:
            await cancel_and_wait(writer)
            self._ended = True
            await self._connection.close()

    async def _await_farewell(self) -> None:
        try:
            async with asyncio.timeout(LINGER):
                while await self.receive() is not None:
                    pass
        except TimeoutError:
            return
