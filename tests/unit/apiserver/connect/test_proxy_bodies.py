"""Bodies on their way through the proxy: of any size, as they come, and what becomes of them when one side leaves early."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable

import pytest

from proa.apiserver.connect.proxy import ProxyTarget, proxy
from proa.lib.http.client import Endpoint
from proa.lib.http.message import AnyResponse, Request, Response, StreamResponse, Writer
from proa.lib.http.server import HttpServer
from proa.lib.http.server_options import ServerOptions

LARGE = bytes(range(256)) * (32 << 10)
OPTIONS = ServerOptions(streams=lambda target: target != b"/bounded")
Scenario = Callable[[asyncio.StreamReader, asyncio.StreamWriter, "Backend"], Awaitable[None]]


class Backend:
    """`/sum` reads everything, `/echo` answers each piece, `/early` answers without reading, `/think` never answers."""

    def __init__(self) -> None:
        self.lost = asyncio.Event()
        self.asked = asyncio.Event()
        self.lengths: list[str | None] = []

    async def __call__(self, request: Request) -> AnyResponse:
        self.asked.set()
        self.lengths.append(request.headers.get("content-length"))
        stream = request.stream
        if request.path == "/think":
            return await self.think(request)
        if stream is None:
            return Response(200, {}, request.body)
        if request.path == "/early":
            return Response(403, {}, b"no")
        if request.path == "/echo":

            async def echo(writer: Writer) -> None:
                async for piece in stream.chunks():
                    await writer.write(piece.upper())

            return StreamResponse(echo)
        digest = hashlib.sha256()
        try:
            async for piece in stream.chunks():
                digest.update(piece)
        except ConnectionError:
            self.lost.set()
            raise
        return Response(200, {}, digest.hexdigest().encode())

    async def think(self, request: Request) -> AnyResponse:
        """Never answers; the end of the connection ends it."""
        request.goes_with_client = True
        try:
            await asyncio.Event().wait()
        finally:
            self.lost.set()
        return Response(200)


def through(scenario: Scenario) -> None:
    async def main() -> None:
        backend = Backend()
        behind = HttpServer(backend, OPTIONS)
        endpoint = Endpoint("127.0.0.1", await behind.listen("127.0.0.1", 0))

        async def front(request: Request) -> AnyResponse:
            return await proxy(request, ProxyTarget(endpoint, request.raw_path, ""))

        middle = HttpServer(front, OPTIONS)
        reader, writer = await asyncio.open_connection("127.0.0.1", await middle.listen("127.0.0.1", 0))
        try:
            await asyncio.wait_for(scenario(reader, writer, backend), 10)
        finally:
            writer.close()
            await middle.stop(0.2)
            await behind.stop(0.2)

    asyncio.run(main())


def head(path: str, framing: str) -> bytes:
    return f"POST {path} HTTP/1.1\r\nhost: x\r\n{framing}\r\n\r\n".encode()


def chunk(piece: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(piece), piece)


async def answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Of an answer with a length."""
    top = await reader.readuntil(b"\r\n\r\n")
    fields = dict(line.lower().split(b": ") for line in top.split(b"\r\n")[1:] if line)
    if fields.get(b"transfer-encoding") != b"chunked":
        return int(top.split()[1]), await reader.readexactly(int(fields[b"content-length"]))
    found = b""
    while size := int(await reader.readline(), 16):
        found += (await reader.readexactly(size + 2))[:-2]
    await reader.readline()
    return int(top.split()[1]), found


@pytest.mark.parametrize("chunked", [False, True])
def test_a_large_body_passes_whole_and_another_request_follows(chunked: bool) -> None:
    async def scenario(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, backend: Backend) -> None:
        for _ in range(2):
            writer.write(head("/sum", "transfer-encoding: chunked" if chunked else f"content-length: {len(LARGE)}"))
            pieces = [LARGE[start : start + 100_000] for start in range(0, len(LARGE), 100_000)]
            for piece in pieces:
                writer.write(chunk(piece) if chunked else piece)
            writer.write(b"0\r\n\r\n" if chunked else b"")
            assert await answer(reader) == (200, hashlib.sha256(LARGE).hexdigest().encode())
        assert backend.lengths == [None if chunked else str(len(LARGE))] * 2

    through(scenario)


def test_pieces_are_answered_as_they_come() -> None:
    async def scenario(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, backend: Backend) -> None:
        writer.write(head("/echo", "transfer-encoding: chunked") + chunk(b"one"))
        await reader.readuntil(b"\r\n\r\n")
        for piece, following in ((b"one", chunk(b"two")), (b"two", b"0\r\n\r\n")):
            assert await reader.readexactly(len(chunk(piece))) == chunk(piece.upper())
            writer.write(following)
        assert await reader.readline() == b"0\r\n"

    through(scenario)


def test_an_answer_that_comes_early_ends_the_connection() -> None:
    async def scenario(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, backend: Backend) -> None:
        writer.write(head("/early", f"content-length: {len(LARGE)}") + LARGE[: 1 << 20])
        assert await answer(reader) == (403, b"no")
        assert await reader.read() == b""

    through(scenario)


def test_a_client_that_leaves_takes_its_request_with_it() -> None:
    async def scenario(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, backend: Backend) -> None:
        writer.write(head("/sum", f"content-length: {len(LARGE)}") + LARGE[: 1 << 20])
        await writer.drain()
        writer.close()
        await backend.lost.wait()

    through(scenario)


def test_a_client_that_leaves_takes_a_backend_that_thinks_with_it() -> None:
    async def scenario(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, backend: Backend) -> None:
        writer.write(b"GET /think HTTP/1.1\r\nhost: x\r\n\r\n")
        await backend.asked.wait()
        writer.close()
        await backend.lost.wait()

    through(scenario)


@pytest.mark.parametrize("framing", ["transfer-encoding: chunked", f"content-length: {len(LARGE)}"])
def test_a_body_that_breaks_off_is_no_whole_one(framing: str) -> None:
    async def scenario(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, backend: Backend) -> None:
        writer.write(head("/sum", framing) + chunk(b"one") + b"no number\r\n")
        await backend.asked.wait()
        if framing.startswith("content"):
            writer.write_eof()
        await backend.lost.wait()

    through(scenario)


def test_short_bodies_and_other_paths_are_read_beforehand() -> None:
    async def scenario(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, backend: Backend) -> None:
        writer.write(head("/sum", "content-length: 5") + b"hello")
        assert await answer(reader) == (200, b"hello")
        writer.write(head("/bounded", f"content-length: {len(LARGE)}"))
        assert (await reader.readuntil(b"\r\n\r\n")).split()[1] == b"413"

    through(scenario)
