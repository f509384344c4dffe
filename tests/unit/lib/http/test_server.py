"""The HTTP server on real loopback sockets: framing, limits, pipelining, streams and upgrades, byte by byte."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from proa.lib.http.message import AnyResponse, Connection, Request, Response, StreamResponse, UpgradeResponse, Writer
from proa.lib.http.server import HttpServer
from proa.lib.http.server_options import ServerOptions

Scenario = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def _chunks(writer: Writer) -> None:
    await writer.write(b"one")
    await writer.write(b"")
    await writer.write(b"two")


async def _echo_raw(connection: Connection) -> None:
    while data := await connection.read():
        await connection.write(data.upper())


async def handler(request: Request) -> AnyResponse:
    match request.path:
        case "/echo":
            return Response(200, {"x-method": request.method}, request.body)
        case "/slow":
            await asyncio.sleep(0.02)
            return Response(200, {}, b"slow")
        case "/pieces":
            return Response(200, {}, [b"a" * 300_000, b"b" * 10, b"c" * 900_000])
        case "/stream":
            return StreamResponse(_chunks, 200, {"content-type": "text/plain"})
        case "/upgrade":
            return UpgradeResponse(_echo_raw, {"upgrade": "shout", "connection": "Upgrade"})
        case "/fail":
            raise RuntimeError("secret detail")
        case "/empty":
            return Response(204)
        case "/injected":
            return Response(200, {"x-a": "b\r\nx-evil: 1"}, b"", (("warning", "c\nd\r\0e"),))
        case "/peer":
            return Response(200, {}, request.peer.encode())
        case _:
            lines = [request.path, request.raw_path, request.raw_query, str(request.query), request.headers.get("x-twice", "")]
            return Response(404, {}, "|".join(lines).encode(), (("warning", "a"), ("warning", "b")))


def test_a_whole_answer_before_the_end_of_a_body_says_that_no_other_follows() -> None:
    async def scenario(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"POST /peer HTTP/1.1\r\nexpect: 100-continue\r\ncontent-length: 100000\r\n\r\npart")
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        assert b"connection: close\r\n" in await reader.readuntil(b"\r\n\r\n")
        assert (await reader.read()).startswith(b"127.0.0.1:")

    run(scenario, ServerOptions(streams=lambda target: True))


def run(scenario: Scenario, options: ServerOptions | None = None) -> None:
    async def main() -> None:
        server = HttpServer(handler, options or ServerOptions())
        port = await server.listen("127.0.0.1", 0)
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=4 << 20)
        try:
            await asyncio.wait_for(scenario(reader, writer), 10)
        finally:
            writer.close()
            await server.stop(0.2)

    asyncio.run(main())


async def exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> bytes:
    """Send and read to the end of the connection."""
    writer.write(request)
    return await reader.read(-1)


CASES: list[tuple[str, bytes, bytes]] = [
    (
        "a body by length",
        b"POST /echo HTTP/1.1\r\nconnection: close\r\ncontent-length: 2\r\n\r\nhi",
        b"HTTP/1.1 200 OK\r\nx-method: POST\r\ncontent-length: 2\r\nconnection: close\r\n\r\nhi",
    ),
    (
        "a chunked body",
        b"PUT /echo HTTP/1.1\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n3\r\n yo\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nx-method: PUT\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhi yo",
    ),
    (
        "100-continue",
        b"POST /echo HTTP/1.1\r\nconnection: close\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\nhi",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nx-method: POST\r\ncontent-length: 2\r\nconnection: close\r\n\r\nhi",
    ),
    (
        "HEAD has the length and no body",
        b"HEAD /slow HTTP/1.1\r\nconnection: close\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\nconnection: close\r\n\r\n",
    ),
    (
        "204 has neither length nor body",
        b"GET /empty HTTP/1.1\r\nconnection: close\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n",
    ),
    (
        "decoded path and query, repeated headers both ways",
        b"GET /a%20b?x=1&x=%32&y HTTP/1.1\r\nconnection: close\r\nX-Twice: p\r\nx-twice: q\r\n\r\n",
        b"HTTP/1.1 404 Not Found\r\nwarning: a\r\nwarning: b\r\ncontent-length: 57\r\nconnection: close\r\n\r\n"
        b"/a b|/a%20b|x=1&x=%32&y|{'x': ['1', '2'], 'y': ['']}|p, q",
    ),
    (
        "an absolute target",
        b"GET http://host/empty HTTP/1.0\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n",
    ),
    (
        "a stream",
        b"GET /stream HTTP/1.1\r\nconnection: close\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n"
        b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n",
    ),
    (
        "a stream for HTTP/1.0",
        b"GET /stream HTTP/1.0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\nconnection: close\r\n\r\nonetwo",
    ),
    (
        "pipelined requests are answered in order",
        b"GET /slow HTTP/1.1\r\n\r\nPOST /echo HTTP/1.1\r\ncontent-length: 1\r\n\r\nxGET /empty HTTP/1.1\r\nconnection: close\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nslow"
        b"HTTP/1.1 200 OK\r\nx-method: POST\r\ncontent-length: 1\r\n\r\nx"
        b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n",
    ),
    (
        "a failing handler tells nothing",
        b"GET /fail HTTP/1.1\r\nconnection: close\r\n\r\n",
        b"HTTP/1.1 500 Internal Server Error\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: 14\r\nconnection: close\r\n\r\n"
        b"internal error",
    ),
]


@pytest.mark.parametrize("eager", [False, True])
@pytest.mark.parametrize(("request_", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_answers(request_: bytes, expected: bytes, eager: bool, caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await exchange(reader, writer, request_) == expected

    run(scenario, ServerOptions(eager_get=eager))


REFUSALS: list[tuple[str, bytes, int]] = [
    ("not HTTP", b"\x16\x03\x01 nonsense\r\n\r\n", 400),
    ("a body announced too large", b"POST /echo HTTP/1.1\r\ncontent-length: 1001\r\n\r\n", 413),
    ("too large in chunks", b"POST /echo HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n" + (b"258\r\n" + b"x" * 600 + b"\r\n") * 2, 413),
    ("endless headers", b"GET / HTTP/1.1\r\nx: " + b"y" * 3000, 431),
    ("a conflict of lengths", b"POST /echo HTTP/1.1\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", 400),
]  # fmt: skip


def test_a_value_begins_no_line_of_its_own() -> None:
    async def scenario(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"GET /injected HTTP/1.1\r\nhost: x\r\n\r\n")
        head = await reader.readuntil(b"\r\n\r\n")
        assert head == b"HTTP/1.1 200 OK\r\nx-a: b  x-evil: 1\r\nwarning: c d  e\r\ncontent-length: 0\r\n\r\n"

    run(scenario)


@pytest.mark.parametrize(("request_", "status"), [case[1:] for case in REFUSALS], ids=[case[0] for case in REFUSALS])
def test_refusals_close_the_connection(request_: bytes, status: int) -> None:
    async def scenario(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answer = await exchange(reader, writer, request_)
        assert answer.startswith(b"HTTP/1.1 %d " % status)
        assert b"connection: close" in answer

    run(scenario, ServerOptions(body_limit=1000, header_limit=2000))


def test_a_refusal_waits_for_the_answer_at_work() -> None:
    async def scenario(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answer = await exchange(reader, writer, b"GET /slow HTTP/1.1\r\n\r\n\x00\r\n\r\n")
        first, second = answer.split(b"slow")
        assert first.startswith(b"HTTP/1.1 200")
        assert second.startswith(b"HTTP/1.1 400")

    run(scenario)


def test_a_slow_request_times_out() -> None:
    async def scenario(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert (await exchange(reader, writer, b"GET / HT")).startswith(b"HTTP/1.1 408")

    run(scenario, ServerOptions(request_timeout=0.05))


def test_an_idle_connection_is_closed() -> None:
    async def scenario(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await reader.read() == b""

    run(scenario, ServerOptions(idle_timeout=0.05))


def test_large_bodies_arrive_whole_and_the_connection_stays() -> None:
    async def scenario(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(2):
            writer.write(b"GET /pieces HTTP/1.1\r\n\r\n")
            head = await reader.readuntil(b"\r\n\r\n")
            assert head == b"HTTP/1.1 200 OK\r\ncontent-length: 1200010\r\n\r\n"
            assert await reader.readexactly(1_200_010) == b"a" * 300_000 + b"b" * 10 + b"c" * 900_000

    run(scenario)


def test_bytes_sent_with_the_upgrade_reach_the_upgraded_side() -> None:
    async def scenario(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"GET /upgrade HTTP/1.1\r\nconnection: upgrade\r\nupgrade: shout\r\n\r\nabc")
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 101 Switching Protocols\r\nupgrade: shout\r\nconnection: Upgrade\r\n\r\n"
        assert await reader.readexactly(3) == b"ABC"
        writer.write(b"def")
        writer.write_eof()
        assert await reader.read() == b"DEF"

    run(scenario)


def test_an_upgrade_that_is_not_taken_is_an_ordinary_answer() -> None:
    async def scenario(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answer = await exchange(reader, writer, b"GET /echo HTTP/1.1\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n")
        assert answer == b"HTTP/1.1 200 OK\r\nx-method: GET\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"

    run(scenario)


def test_a_stream_is_cancelled_when_its_reader_leaves() -> None:
    async def main() -> None:
        ended = asyncio.Event()

        async def forever(writer: Writer) -> None:
            await writer.write(b"first")
            try:
                await asyncio.sleep(60)
            finally:
                ended.set()

        async def streaming(request: Request) -> AnyResponse:
            return StreamResponse(forever)

        server = HttpServer(streaming)
        port = await server.listen("127.0.0.1", 0)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        await reader.readuntil(b"first\r\n")
        writer.close()
        await asyncio.wait_for(ended.wait(), 5)
        await server.stop(0.2)

    asyncio.run(main())


def test_stop_lets_the_answer_at_work_finish() -> None:
    async def main() -> None:
        server = HttpServer(handler)
        port = await server.listen("127.0.0.1", 0)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /slow HTTP/1.1\r\n\r\n")
        await asyncio.sleep(0.005)
        await server.stop(1)
        assert (await reader.read()).endswith(b"connection: close\r\n\r\nslow")
        writer.close()

    asyncio.run(main())


def test_the_unix_socket_is_private_and_goes_away(tmp_path: Path) -> None:
    async def main() -> None:
        path = tmp_path / "api.sock"
        server = HttpServer(handler)
        await server.listen_unix(path)
        assert path.stat().st_mode & 0o777 == 0o600
        reader, writer = await asyncio.open_unix_connection(str(path))
        answer = await exchange(reader, writer, b"GET /peer HTTP/1.1\r\nconnection: close\r\n\r\n")
        assert answer.endswith(b"\r\n\r\nunix")
        writer.close()
        await server.stop(0.2)
        assert not path.exists()

    asyncio.run(main())


@pytest.mark.parametrize("eager", [True, False])
@pytest.mark.parametrize("size", [20_000, 300_000])
def test_a_client_that_never_reads_is_not_answered_without_end(*, eager: bool, size: int) -> None:
    """More than the sockets of both sides hold is asked for; the rest is answered when the client begins to read."""
    asked, body, answered = 60_000_000 // size, b"x" * size, 0

    async def count(request: Request) -> AnyResponse:
        nonlocal answered
        answered += 1
        return Response(200, {}, body)

    async def main() -> None:
        server = HttpServer(count, ServerOptions(eager_get=eager))
        reader, writer = await asyncio.open_connection("127.0.0.1", await server.listen("127.0.0.1", 0))
        writer.write(b"GET / HTTP/1.1\r\n\r\n" * asked)
        seen = -1
        while seen != answered or not answered:
            seen = answered
            await asyncio.sleep(0.05)
        assert answered < asked // 2
        for _ in range(asked):
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
            assert await reader.readexactly(size) == body
        assert answered == asked
        writer.close()
        await server.stop(0.2)

    asyncio.run(asyncio.wait_for(main(), 20))


@pytest.mark.parametrize("patient", [False, True])
def test_who_does_not_read_is_cut_off_unless_the_answer_is_patient(*, patient: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("proa.lib.http.server.SWEEP_INTERVAL", 0.01)
    ended: list[type[BaseException]] = []

    async def endless(writer: Writer) -> None:
        try:
            while True:
                await writer.write(b"x" * 100_000)
        except BaseException as error:
            ended.append(type(error))
            raise

    async def answer(request: Request) -> AnyResponse:
        return StreamResponse(endless, patient=patient)

    async def main() -> None:
        server = HttpServer(answer, ServerOptions(stall_timeout=0.05))
        reader, writer = await asyncio.open_connection("127.0.0.1", await server.listen("127.0.0.1", 0))
        reader._transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        async with asyncio.timeout(5):
            while not server.connection_count:  # noqa: ASYNC110 - the server has no event for it
                await asyncio.sleep(0.01)
        if patient:
            await asyncio.sleep(0.5)
            assert (server.connection_count, ended) == (1, [])
        else:
            async with asyncio.timeout(5):
                while server.connection_count or not ended:  # noqa: ASYNC110 - the server has no event for it
                    await asyncio.sleep(0.01)
        writer.transport.abort()
        await server.stop(0.2)

    asyncio.run(main())
