"""One client connection: sends a request, parses the answer's head, hands its body out as it arrives, or its raw bytes after 101."""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import field

import httptools

from proa.lib.dataclass import dataclass
from proa.lib.http.message import BodyStream

READ_SIZE = 256 * 1024


@dataclass(slots=True)
class ResponseHead:
    """Header names are lower-case; repeated headers are joined by ", ", and stand one by one in `repeated`."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    repeated: list[tuple[str, str]] = field(default_factory=list)


class _Answer:
    """What the parser has found so far."""

    def __init__(self) -> None:
        self.head = ResponseHead()
        self.has_head = False
        self.complete = False
        self.keep_alive = False
        self.parser: httptools.HttpResponseParser = httptools.HttpResponseParser(self)
        self.chunks: deque[bytes] = deque()

    def on_header(self, name: bytes, value: bytes) -> None:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        headers, repeated = self.head.headers, self.head.repeated
        if key not in headers:
            headers[key] = text
            return
        if not any(name == key for name, _ in repeated):
            repeated.append((key, headers[key]))
        repeated.append((key, text))
        headers[key] = f"{headers[key]}, {text}"

    def on_headers_complete(self) -> None:
        self.has_head = True

    def on_body(self, data: bytes) -> None:
        self.chunks.append(data)

    def on_message_complete(self) -> None:
        self.complete = True
        self.keep_alive = self.parser.should_keep_alive()


class ClientConnection:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._answer = _Answer()
        self._rest = b""
        self._idle = True
        self._sending: asyncio.Task[None] | None = None

    @property
    def is_reusable(self) -> bool:
        done = self._idle or (self._answer.complete and self._answer.keep_alive and (self._sending is None or self._sending.done()))
        return done and not self._reader.at_eof() and not self._writer.is_closing()

    async def exchange(self, message: bytes, method: str, body: BodyStream | None = None) -> ResponseHead:
        """Send and wait for the final head (1xx but 101 are passed over); raises ConnectionError."""
        self._idle, self._sending = False, None
        self._start_answer()
        self._writer.write(message)
        await self._writer.drain()
        if body is not None:
            self._sending = asyncio.create_task(self._send(body))
        while not self._answer.has_head or self._is_interim():
            if self._answer.has_head and self._answer.complete:
                self._start_answer()
            if not self._rest and not await self._read():
                raise ConnectionResetError("the server closed the connection before it answered")
            self._feed_rest()
        self._answer.head.status = self._answer.parser.get_status_code()
        if method == "HEAD":
            self._answer.complete, self._answer.keep_alive = True, False
        return self._answer.head

    async def _send(self, body: BodyStream) -> None:
        """A server that takes no more says in its answer why; whose source breaks off has nothing to wait for."""
        try:
            async for piece in body.chunks():
                self._writer.write(piece if body.length is not None else b"%x\r\n%s\r\n" % (len(piece), piece))
                with contextlib.suppress(OSError):
                    await self._writer.drain()
        except OSError:
            self.abort()
            return
        if body.length is None:
            self._writer.write(b"0\r\n\r\n")

    async def body(self) -> AsyncIterator[bytes]:
        """Each piece as it comes; raises ConnectionError when the answer is cut off."""
        while True:
            while self._answer.chunks:
                yield self._answer.chunks.popleft()
            if self._answer.complete:
                return
            if not await self._read():
                self._ended_by_close()
            self._feed_rest()

    def detach(self) -> "RawConnection":
        return RawConnection(self._reader, self._writer, self._rest)

    def abort(self) -> None:
        if self._sending is not None and self._sending is not asyncio.current_task():
            self._sending.cancel()
        transport = self._writer.transport
        if not transport.is_closing():
            transport.abort()

    def _start_answer(self) -> None:
        self._answer = _Answer()

    def _is_interim(self) -> bool:
        status: int = self._answer.parser.get_status_code()
        return 100 <= status < 200 and status != 101

    async def _read(self) -> bool:
        self._rest = await self._reader.read(READ_SIZE)
        return bool(self._rest)

    def _feed_rest(self) -> None:
        data, self._rest = self._rest, b""
        if not data:
            return
        try:
            self._answer.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._rest = data[upgrade.args[0] :]
        except httptools.HttpParserError as error:
            raise ConnectionError(f"the server's answer is not HTTP: {error}") from None

    def _ended_by_close(self) -> None:
        """Without a length or chunks, the end of the connection is the end of the body."""
        headers = self._answer.head.headers
        if "content-length" in headers or "chunked" in headers.get("transfer-encoding", ""):
            raise ConnectionResetError("the server closed the connection in the middle of its answer")
        self._answer.complete, self._answer.keep_alive = True, False


class RawConnection:
    """A `Connection`: the bytes of both directions after an upgrade."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, rest: bytes = b"") -> None:
        self._reader, self._writer, self._rest = reader, writer, rest

    async def read(self, limit: int = 65536) -> bytes:
        if self._rest:
            data, self._rest = self._rest[:limit], self._rest[limit:]
            return data
        try:
            return await self._reader.read(limit)
        except OSError:
            return b""

    async def write(self, data: bytes) -> None:
        self._writer.write(data)
        try:
            await self._writer.drain()
        except ConnectionError:
            raise
        except OSError as error:
            # A time-out of the kernel's, a failure of TLS: the peer is as gone as after a reset.
            raise ConnectionResetError(str(error)) from error

    async def close(self) -> None:
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()
