"""What the verbs need below them: a request with a whole answer, and one whose answer is read as it arrives.

`HttpTransport` speaks HTTP (TLS or Unix socket); the loopback transport calls the API server's handler in the same process.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

from proa.lib.http.client import HttpClient

Answer = tuple[int, dict[str, str], bytes]
Headers = Sequence[tuple[str, str]]


class StreamedAnswer(Protocol):
    status: int
    headers: dict[str, str]

    def chunks(self) -> AsyncIterator[bytes]: ...

    async def read(self) -> bytes: ...


class Transport(Protocol):
    """`target` is the percent-encoded path with its query. Failures are OSError."""

    async def request(self, method: str, target: str, headers: Headers, body: bytes) -> Answer: ...

    def stream(self, method: str, target: str, headers: Headers, body: bytes) -> AbstractAsyncContextManager[StreamedAnswer]: ...

    async def close(self) -> None: ...


class HttpTransport:
    """Adds `identity` (token, or user and groups) to every request."""

    def __init__(self, http: HttpClient, identity: Headers = ()) -> None:
        self._http, self._identity = http, tuple(identity)

    async def request(self, method: str, target: str, headers: Headers, body: bytes) -> Answer:
        response = await self._http.request(method, target, (*self._identity, *headers), body)
        return response.status, response.headers, response.body

    @asynccontextmanager
    async def stream(self, method: str, target: str, headers: Headers, body: bytes) -> AsyncIterator[StreamedAnswer]:
        async with self._http.stream(method, target, (*self._identity, *headers), body) as stream:
            yield stream

    async def close(self) -> None:
        await self._http.close()


def user_headers(user: str, groups: Sequence[str]) -> Headers:
    """How a caller on the Unix socket, or in the same process, says who it is."""
    return (("x-remote-user", user), *(("x-remote-group", group) for group in groups))
