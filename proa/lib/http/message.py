"""What a server hands to a handler and what it takes back: the one call signature of the API server and the kubelet server.

`Handler` is `async (Request) -> Response | StreamResponse | UpgradeResponse`. A loopback client calls the same handler without a socket.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import field
from typing import Any, Protocol

from proa.lib.dataclass import dataclass


class BodyStream(Protocol):
    """A body as it comes. `length` is None where nobody knows it beforehand; `is_complete` is whether its end has come."""

    length: int | None
    is_complete: bool

    def chunks(self) -> AsyncIterator[bytes]:
        """To be read once; raises ConnectionError when it breaks off."""
        ...


@dataclass(slots=True)
class Request:
    """One request, body already read (bounded by the server's limit), but for those that the server was told to leave in `stream`.

    `path` is percent-decoded, `raw_path` is not; `query` holds every value of each parameter, decoded, in order;
    `headers` has lower-case names, repeated headers joined by ", " (`values` tells them apart). `certificate` is the client's TLS
    certificate (DER), if it gave one.
    """

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes = b""
    raw_path: str = ""
    raw_query: str = ""
    peer: str = ""
    certificate: bytes | None = None
    state: dict[str, Any] = field(default_factory=dict)
    repeated: Mapping[str, list[str]] = field(default_factory=dict)
    """Every value of each header that came more than once."""
    stream: BodyStream | None = None
    """The body of a request whose handler passes it on (`ServerOptions.streams`); `body` is empty then."""
    goes_with_client: bool = False
    """Set by a handler that has nothing to do for a client that is gone: it is cancelled then."""

    def values(self, header: str) -> list[str]:
        """Every value of a header whose values may hold commas, in order."""
        found = self.repeated.get(header)
        if found is not None:
            return found if header in self.headers else []
        value = self.headers.get(header)
        return [] if value is None else [value]

    def parameter(self, name: str, default: str = "") -> str:
        """The first value of a query parameter."""
        values = self.query.get(name)
        return values[0] if values else default


class LongBody:
    """A body of `size` bytes whose pieces are made while it is written, so that it never lies in memory as a whole."""

    __slots__ = ("_pieces", "size")

    def __init__(self, size: int, pieces: Callable[[], Iterator[bytes]]) -> None:
        self.size = size
        self._pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        return self._pieces()


@dataclass(slots=True)
class Response:
    """A whole answer. A body of several pieces is written piece by piece with a known length."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | Iterable[bytes] = b""
    repeated_headers: tuple[tuple[str, str], ...] = ()


class Writer(Protocol):
    """The sending side of a streamed answer."""

    async def write(self, data: bytes) -> None:
        """Send at once as one chunk; waits while the peer is slow; raises ConnectionError when it is gone."""
        ...

    async def wait_closed(self) -> None:
        """Return when the peer has gone away."""
        ...


@dataclass(slots=True)
class StreamResponse:
    """An answer whose length is not known: `run(writer)` writes it, chunked; the answer ends when `run` returns.

    `patient`: a client may stop reading as long as it likes, as somebody who leafs through a log does."""

    run: Callable[[Writer], Awaitable[None]]
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    repeated_headers: tuple[tuple[str, str], ...] = ()
    patient: bool = False


class Connection(Protocol):
    """The raw bytes of a connection after an upgrade."""

    async def read(self, limit: int = 65536) -> bytes:
        """At least one byte, or b"" at the end."""
        ...

    async def write(self, data: bytes) -> None:
        """Waits while the peer is slow; raises ConnectionError when it is gone."""
        ...

    async def close(self) -> None: ...


@dataclass(slots=True)
class UpgradeResponse:
    """101 Switching Protocols with `headers`, then `run(connection)` owns the bytes; the connection closes when it returns."""

    run: Callable[[Connection], Awaitable[None]]
    headers: Mapping[str, str] = field(default_factory=dict)


AnyResponse = Response | StreamResponse | UpgradeResponse
Handler = Callable[[Request], Awaitable[AnyResponse]]
