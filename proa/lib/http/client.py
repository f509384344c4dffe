"""A thin HTTP/1.1 client for one endpoint: keep-alive connections over TCP, TLS or a Unix socket, streamed bodies, raw upgrades.

A connection goes back to the pool only when its answer was read to the end; whatever else happens (cancellation, time-out, a body left
unread) closes it. A request that met a connection which the server had just closed is sent again if it only reads. Every failure of the
transport is an `OSError` (ConnectionError, TimeoutError, ssl.SSLError), so callers have one thing to catch.
"""

import asyncio
import socket
import ssl
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import field

from proa.lib.dataclass import dataclass
from proa.lib.http.client_connection import ClientConnection, RawConnection, ResponseHead
from proa.lib.http.message import BodyStream

Headers = Sequence[tuple[str, str]]
_READS = ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where to connect: host and port, with TLS if there is a context, or else a Unix socket's path.

    `server_name` is what the certificate must be for, if not the host."""

    host: str = ""
    port: int = 0
    tls: ssl.SSLContext | None = None
    unix_path: str = ""
    server_name: str = ""

    @property
    def authority(self) -> str:
        if self.unix_path:
            return "localhost"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class HttpResponse:
    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Upgraded:
    """`connection` is there for status 101; else `body` is the whole answer."""

    status: int
    headers: dict[str, str]
    connection: RawConnection | None
    body: bytes = b""


@dataclass(slots=True)
class HttpStream:
    """An answer whose body arrives as it comes; iterate `chunks()` once."""

    status: int
    headers: dict[str, str]
    _connection: ClientConnection = field(repr=False)
    repeated: Sequence[tuple[str, str]] = ()
    """What came more than once, each by itself."""

    async def chunks(self) -> AsyncIterator[bytes]:
        async for chunk in self._connection.body():
            yield chunk

    async def read(self) -> bytes:
        return b"".join([chunk async for chunk in self.chunks()])


async def _be_in_a_task() -> None:
    """A server's eager GET runs outside of a task until it suspends for the first time, and only a task can have a time limit."""
    if asyncio.current_task() is None:
        await asyncio.sleep(0)


class HttpClient:
    """`timeout` bounds a whole `request`, and only the wait for the head of a stream; None bounds nothing."""

    def __init__(self, endpoint: Endpoint, *, timeout: float | None = 60.0, connect_timeout: float = 10.0, idle_limit: int = 32) -> None:
        self._endpoint, self._timeout, self._connect_timeout = endpoint, timeout, connect_timeout
        self._idle: deque[ClientConnection] = deque(maxlen=idle_limit)
        self._open: set[ClientConnection] = set()
        self._closed = False

    async def request(
        self, method: str, target: str, headers: Headers = (), body: bytes = b"", *, timeout: float | None = None
    ) -> HttpResponse:
        await _be_in_a_task()
        async with asyncio.timeout(timeout or self._timeout), self.stream(method, target, headers, body) as stream:
            return HttpResponse(stream.status, stream.headers, await stream.read())

    @asynccontextmanager
    async def stream(
        self, method: str, target: str, headers: Headers = (), body: bytes | BodyStream = b""
    ) -> AsyncIterator[HttpStream]:  # fmt: skip
        """A body that is a stream is sent as it comes, while the answer is already read."""
        await _be_in_a_task()
        async with asyncio.timeout(self._timeout):
            connection, head = await self._send(method, target, headers, body)
        try:
            yield HttpStream(head.status, head.headers, connection, head.repeated)
        finally:
            self._give_back(connection)

    async def upgrade(self, method: str, target: str, headers: Headers = (), body: bytes = b"") -> Upgraded:
        """Ask for another protocol (the caller's headers say which); the raw connection belongs to the caller."""
        await _be_in_a_task()
        async with asyncio.timeout(self._timeout):
            connection, head = await self._send(method, target, headers, body)
            if head.status == 101:
                self._open.discard(connection)
                return Upgraded(101, head.headers, connection.detach())
            try:
                return Upgraded(head.status, head.headers, None, b"".join([chunk async for chunk in connection.body()]))
            finally:
                self._give_back(connection)

    async def close(self) -> None:
        self._closed = True
        for connection in list(self._open):
            connection.abort()
        self._open.clear()
        self._idle.clear()
        await asyncio.sleep(0)  # transports let their sockets go in the loop's next turn

    async def _send(self, method: str, target: str, headers: Headers, body: bytes | BodyStream) -> tuple[ClientConnection, ResponseHead]:
        stream = None if isinstance(body, bytes) else body
        message = _message(method, target, self._endpoint.authority, headers, body)
        while True:
            connection, reused = await self._connection()
            try:
                return connection, await connection.exchange(message, method, stream)
            except ConnectionError:
                self._drop(connection)
                if not reused or method not in _READS or stream is not None:
                    raise
            except BaseException:
                self._drop(connection)
                raise

    async def _connection(self) -> tuple[ClientConnection, bool]:
        if self._closed:
            raise ConnectionError("the client is closed")
        while self._idle:
            connection = self._idle.pop()
            if connection.is_reusable:
                return connection, True
            self._drop(connection)
        connection = await self._connect()
        self._open.add(connection)
        return connection, False

    async def _connect(self) -> ClientConnection:
        endpoint = self._endpoint
        async with asyncio.timeout(self._connect_timeout):
            if endpoint.unix_path:
                streams = await asyncio.open_unix_connection(endpoint.unix_path)
            else:
                name = (endpoint.server_name or endpoint.host) if endpoint.tls else None
                streams = await asyncio.open_connection(endpoint.host, endpoint.port, ssl=endpoint.tls, server_hostname=name)
                _watch_for_dead_peer(streams[1])
        return ClientConnection(*streams)

    def _give_back(self, connection: ClientConnection) -> None:
        if connection.is_reusable and not self._closed and len(self._idle) < (self._idle.maxlen or 0):
            self._idle.append(connection)
        else:
            self._drop(connection)

    def _drop(self, connection: ClientConnection) -> None:
        self._open.discard(connection)
        connection.abort()


def _watch_for_dead_peer(writer: asyncio.StreamWriter) -> None:
    """A peer that lost power closes nothing: without keep-alive a quiet watch would wait for it for ever; so it ends within a minute."""
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3), ("TCP_USER_TIMEOUT", 60_000)):
        if hasattr(socket, option):
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)


def _message(method: str, target: str, authority: str, headers: Headers, body: bytes | BodyStream) -> bytes:
    """The head, and the body if it is at hand."""
    given = {name.lower() for name, _ in headers}
    lines = [f"{method} {target} HTTP/1.1"]
    if "host" not in given:
        lines.append(f"host: {authority}")
    lines += [f"{name}: {value}" for name, value in headers]
    if not isinstance(body, bytes):
        lines.append("transfer-encoding: chunked" if body.length is None else f"content-length: {body.length}")
    elif body or method in ("POST", "PUT", "PATCH"):
        lines.append(f"content-length: {len(body)}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + (body if isinstance(body, bytes) else b"")
