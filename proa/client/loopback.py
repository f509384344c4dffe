"""The client inside the API server's own process: the same handler chain, authorization included, without a socket in between."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from urllib.parse import parse_qs, unquote

from proa.client.transport import Answer, Headers, StreamedAnswer, user_headers
from proa.client.verbs import VerbClient
from proa.lib.http.message import AnyResponse, Handler, Request, Response, StreamResponse, UpgradeResponse
from proa.lib.tasks import cancel_and_wait


class LoopbackClient(VerbClient):
    """`handler` is what the API server's listeners call; the request looks like one from the Unix socket."""

    def __init__(self, handler: Handler, user: str, groups: Sequence[str] = ()) -> None:
        super().__init__(LoopbackTransport(handler, user_headers(user, groups)), user_agent=user.rpartition(":")[2] or "proa")


class LoopbackTransport:
    def __init__(self, handler: Handler, identity: Headers) -> None:
        self._handler, self._identity = handler, tuple(identity)

    async def request(self, method: str, target: str, headers: Headers, body: bytes) -> Answer:
        async with self.stream(method, target, headers, body) as answer:
            return answer.status, answer.headers, await answer.read()

    @asynccontextmanager
    async def stream(self, method: str, target: str, headers: Headers, body: bytes) -> AsyncIterator[StreamedAnswer]:
        response = await self._handler(_request(method, target, (*self._identity, *headers), body))
        answer = _LoopbackAnswer(response)
        try:
            yield answer
        finally:
            await answer.close()

    async def close(self) -> None:
        return None


def _request(method: str, target: str, headers: Headers, body: bytes) -> Request:
    raw_path, _, raw_query = target.partition("?")
    joined: dict[str, str] = {}
    for name, value in headers:
        joined[name] = f"{joined[name]}, {value}" if name in joined else value
    return Request(
        method=method,
        path=unquote(raw_path),
        query=parse_qs(raw_query, keep_blank_values=True),
        headers=joined,
        body=body,
        raw_path=raw_path,
        raw_query=raw_query,
        peer="unix",
    )


class _Pipe:
    """A `Writer` whose reader is in the same process; it holds one chunk, so a slow reader slows the writer."""

    def __init__(self) -> None:
        self._chunk: bytes | None = None
        self._ended = False
        self._filled, self._empty, self._closed = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._empty.set()

    async def write(self, data: bytes) -> None:
        await self._empty.wait()
        if self._closed.is_set():
            raise ConnectionResetError("the reader has gone away")
        self._chunk = bytes(data)
        self._empty.clear()
        self._filled.set()

    async def read(self) -> bytes | None:
        """The next chunk, None at the end."""
        await self._filled.wait()
        chunk, self._chunk = self._chunk, None
        self._empty.set()
        if not self._ended:
            self._filled.clear()
        return chunk

    async def wait_closed(self) -> None:
        await self._closed.wait()

    def end(self) -> None:
        self._ended = True
        self._filled.set()

    def close(self) -> None:
        self._closed.set()
        self._empty.set()


class _LoopbackAnswer:
    def __init__(self, response: AnyResponse) -> None:
        if isinstance(response, UpgradeResponse):
            raise ConnectionError("a loopback client can't upgrade")
        self.status, self.headers = response.status, response.headers
        self._response = response
        self._pipe = _Pipe()
        self._running: asyncio.Task[None] | None = None

    async def chunks(self) -> AsyncIterator[bytes]:
        if isinstance(self._response, Response):
            body = self._response.body
            for piece in [body] if isinstance(body, bytes) else body:
                yield piece
            return
        self._running = asyncio.ensure_future(self._run(self._response))
        while (chunk := await self._pipe.read()) is not None:
            yield chunk
        await self._running

    async def read(self) -> bytes:
        return b"".join([chunk async for chunk in self.chunks()])

    async def close(self) -> None:
        self._pipe.close()
        if self._running is not None:
            await cancel_and_wait(self._running)

    async def _run(self, response: StreamResponse) -> None:
        try:
            await response.run(self._pipe)
        finally:
            self._pipe.end()
