"""A SPDY/3.1 session over a connection: both sides, many streams, half-close, no windows.

It does what the peers of this field do in practice (moby/spdystream in container runtimes, API servers and kubectl): every stream is
answered at once, WINDOW_UPDATE and SETTINGS are passed over, and the pace is the connection's: when a stream's reader is slow, reading
from the connection stops.
"""

import asyncio
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from proa.lib.http.message import Connection
from proa.lib.spdy.frames import (
    Data,
    Frame,
    FrameEncoder,
    FrameParser,
    GoAway,
    MoreHeaders,
    Ping,
    Reset,
    ResetStatus,
    SpdyError,
    SynReply,
    SynStream,
    encode_data,
)  # fmt: skip
from proa.lib.spdy.stream import SpdyStream
from proa.lib.streaming.outbox import Outbox
from proa.lib.tasks import cancel_and_wait

STREAM_LIMIT = 1024
LINGER = 1.0
"""Seconds for which a server reads on after its last word: closing on unread bytes would reset the connection before the client has read
its end. A client that closes has what it wants."""
SEND_LIMIT = 10.0
"""Seconds for which closing waits for a peer that does not take what is still to be sent."""


class StreamRefused(ConnectionError):
    """The peer has reset a stream before it answered it."""


class SpdySession:
    """Use as a context manager: entering starts it, leaving closes it and its connection."""

    def __init__(self, connection: Connection, *, server: bool) -> None:
        self._connection = connection
        self._server = server
        self._encoder, self._parser = FrameEncoder(), FrameParser()
        self._outbox = Outbox(connection)
        self._streams: dict[int, SpdyStream] = {}
        self._next_id = 2 if server else 1
        self._last_peer_id = 0
        self._accepted: asyncio.Queue[SpdyStream | None] = asyncio.Queue()
        self._going_away = False
        self._ended = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(self._read(), name="spdy reader"), asyncio.create_task(self._outbox.run(), name="spdy writer")]
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()

    @property
    def is_ended(self) -> bool:
        return self._ended.is_set()

    async def wait_ended(self) -> None:
        """Return when the peer has closed the connection or broken the protocol."""
        await self._ended.wait()

    async def open_stream(self, headers: Mapping[str, str], *, fin: bool = False) -> SpdyStream:
        """A new stream that the peer has answered. Raises StreamRefused or another ConnectionError."""
        await self._outbox.room()
        if self.is_ended or self._going_away:
            raise ConnectionResetError("the peer takes no more streams")
        stream = SpdyStream(self, self._next_id, dict(headers), write_closed=fin)
        self._next_id += 2
        self._streams[stream.id] = stream
        self._outbox.post(self._encoder.encode(SynStream(stream.id, stream.headers, fin)))
        await stream.answered.wait()
        if stream.was_reset:
            raise StreamRefused(f"stream {stream.id} was refused")
        return stream

    async def accept(self) -> SpdyStream | None:
        """The next stream that the peer opens, None when there will be no more."""
        stream = await self._accepted.get()
        if stream is None:
            self._accepted.put_nowait(None)
        return stream

    async def close(self) -> None:
        """Send what waits and GOAWAY, as a server give the peer a moment to close first, then close. No task outlives it."""
        if not self._tasks:
            return
        reader, writer = self._tasks
        self._tasks = []
        try:
            if not self.is_ended and not self._outbox.broken:
                self._outbox.post(self._encoder.encode(GoAway(self._last_peer_id)))
            self._outbox.finish()
            for stream in list(self._streams.values()):
                stream.discard()
            if not self.is_ended:
                await asyncio.wait([writer], timeout=SEND_LIMIT)
                if self._server:
                    await asyncio.wait([reader], timeout=LINGER)
        finally:
            await cancel_and_wait(reader, writer)
            self._end()
            await self._connection.close()

    # -- what streams ask

    async def send_data(self, stream: int, payload: bytes, *, fin: bool) -> None:
        await self._outbox.send(encode_data(stream, payload, fin=fin))

    def post_reset(self, stream: int, status: int) -> None:
        self._outbox.post(self._encoder.encode(Reset(stream, status)))

    def forget(self, stream: SpdyStream) -> None:
        self._streams.pop(stream.id, None)

    # -- what arrives

    async def _read(self) -> None:
        try:
            while data := await self._connection.read():
                for frame in self._parser.feed(data):
                    await self._handle(frame)
        except SpdyError as error:
            self._outbox.post(self._encoder.encode(GoAway(self._last_peer_id, ResetStatus.PROTOCOL_ERROR)))
            self._end(error)
        except ConnectionError as error:
            self._end(error)
        finally:
            self._end()

    def _end(self, error: ConnectionError | None = None) -> None:
        if self._ended.is_set():
            return
        self._ended.set()
        self._outbox.fail(error or ConnectionResetError("the peer has closed the session"))
        for stream in list(self._streams.values()):
            stream.session_ended()
        self._streams.clear()
        self._accepted.put_nowait(None)

    async def _handle(self, frame: Frame) -> None:
        match frame:
            case Data():
                await self._data(frame)
            case SynStream():
                self._opened(frame)
            case SynReply():
                if stream := self._streams.get(frame.stream):
                    stream.reply(frame.headers)
                    if frame.fin:
                        stream.end()
            case Reset():
                if stream := self._streams.get(frame.stream):
                    stream.reset_by_peer()
            case MoreHeaders():
                if (stream := self._streams.get(frame.stream)) and frame.fin:
                    stream.end()
            case Ping():
                if frame.id % 2 == (1 if self._server else 0):
                    self._outbox.post(self._encoder.encode(frame))
            case GoAway():
                self._going_away = True
            case _:
                pass

    async def _data(self, frame: Data) -> None:
        stream = self._streams.get(frame.stream)
        if stream is None:
            return
        if frame.payload:
            await stream.feed(frame.payload)
        if frame.fin:
            stream.end()

    def _opened(self, frame: SynStream) -> None:
        if frame.stream % 2 == (0 if self._server else 1) or frame.stream <= self._last_peer_id:
            raise SpdyError(f"stream id {frame.stream} is out of order")
        self._last_peer_id = frame.stream
        if len(self._streams) >= STREAM_LIMIT:
            self.post_reset(frame.stream, ResetStatus.REFUSED_STREAM)
            return
        stream = SpdyStream(self, frame.stream, frame.headers, write_closed=frame.unidirectional)
        stream.answered.set()
        self._streams[stream.id] = stream
        if not frame.unidirectional:
            self._outbox.post(self._encoder.encode(SynReply(stream.id, {})))
        if frame.fin:
            stream.end()
        self._accepted.put_nowait(stream)
