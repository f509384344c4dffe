"""One stream of a SPDY session: a `ByteStream` whose unread bytes are bounded."""

import asyncio
from typing import Protocol

from proa.lib.spdy.frames import Headers, ResetStatus
from proa.lib.streaming.inbox import Inbox

PIECE = 32 * 1024


class Session(Protocol):
    """What a stream needs of its session."""

    async def send_data(self, stream: int, payload: bytes, *, fin: bool) -> None: ...

    def post_reset(self, stream: int, status: int) -> None: ...

    def forget(self, stream: "SpdyStream") -> None: ...


class SpdyStream:
    """Made by its session. `headers` are those that the opener sent."""

    def __init__(self, session: Session, identifier: int, headers: Headers, *, write_closed: bool = False) -> None:
        self.id = identifier
        self.headers = headers
        self.answered = asyncio.Event()
        self.was_reset = False
        self._session = session
        self._inbox = Inbox("the session has ended")
        self._write_closed = write_closed

    # -- the application's side

    async def read(self) -> bytes:
        return await self._inbox.read()

    async def read_all(self, limit: int) -> bytes:
        """To the end; what is beyond `limit` is dropped."""
        data = b""
        while piece := await self.read():
            data = (data + piece)[:limit]
        return data

    async def write(self, data: bytes) -> None:
        for start in range(0, len(data), PIECE):
            self._check_writable()
            await self._session.send_data(self.id, data[start : start + PIECE], fin=False)

    async def close(self) -> None:
        if self._write_closed:
            return
        self._write_closed = True
        await self._session.send_data(self.id, b"", fin=True)
        self._forget_if_done()

    def reset(self, status: int = ResetStatus.CANCEL) -> None:
        """End both directions at once; unread bytes are dropped."""
        if not self.was_reset and not self._is_done:
            self._session.post_reset(self.id, status)
        self._write_closed = True
        self.discard()
        self.end()
        self._session.forget(self)

    def discard(self) -> None:
        """Read no more: what arrives is dropped, so that it can't hold up other streams."""
        self._inbox.discard()

    def _check_writable(self) -> None:
        if self._write_closed:
            raise ConnectionResetError(f"stream {self.id} is closed")

    # -- the session's side

    def reply(self, headers: Headers) -> None:
        self.answered.set()

    async def feed(self, data: bytes) -> None:
        """Waits while the reader is behind."""
        await self._inbox.feed(data)

    def end(self) -> None:
        """The peer sends no more."""
        self._inbox.end()
        self._forget_if_done()

    def reset_by_peer(self) -> None:
        """Peers end finished streams so too: what has arrived can still be read, to its end."""
        self.was_reset = True
        self._write_closed = True
        self.answered.set()
        self.end()

    def session_ended(self) -> None:
        self._inbox.break_off()
        self.was_reset = self.was_reset or not self.answered.is_set()
        self._write_closed = True
        self.answered.set()

    @property
    def _is_done(self) -> bool:
        return self._inbox.is_over and self._write_closed

    def _forget_if_done(self) -> None:
        if self._is_done:
            self._session.forget(self)
