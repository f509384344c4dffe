"""The HTTP client against scripted raw servers: keep-alive, retries, streaming, cut-off answers, upgrades, time-outs."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from proa.lib.http.client import Endpoint, HttpClient
from proa.lib.http.message import AnyResponse, Request, Response
from proa.lib.http.server import HttpServer
from proa.lib.http.server_options import ServerOptions

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
Session = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def play(sessions: list[Session], scenario: Callable[[HttpClient], Awaitable[None]], timeout: float = 5) -> int:
    """Each connection runs the next session; returns how many there were."""
    count = 0

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal count
        count += 1
        try:
            await sessions[count - 1](reader, writer)
        finally:
            writer.close()

    async def main() -> None:
        server = await asyncio.start_server(accept, "127.0.0.1", 0)
        client = HttpClient(Endpoint("127.0.0.1", server.sockets[0].getsockname()[1]), timeout=timeout)
        await asyncio.wait_for(scenario(client), 5)
        await client.close()
        server.close()
        await server.wait_closed()

    asyncio.run(main())
    return count


def answers(*parts: bytes) -> Session:
    """One part per request, then the connection closes."""

    async def session(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for part in parts:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(part)
            await writer.drain()

    return session


def test_connections_are_kept_and_replaced_when_closed() -> None:
    async def scenario(client: HttpClient) -> None:
        for _ in range(3):
            assert (await client.request("GET", "/")).body == b"ok"

    assert play([answers(OK, OK), answers(OK)], scenario) == 2


def test_a_body_without_length_ends_with_the_connection() -> None:
    async def scenario(client: HttpClient) -> None:
        assert (await client.request("GET", "/")).body == b"until the end"

    play([answers(b"HTTP/1.1 200 OK\r\n\r\nuntil the end")], scenario)


def test_a_cut_off_answer_is_a_connection_error() -> None:
    async def scenario(client: HttpClient) -> None:
        with pytest.raises(ConnectionError, match="middle"):
            await client.request("GET", "/")

    play([answers(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nshort")], scenario)


def test_a_write_is_not_sent_twice() -> None:
    async def scenario(client: HttpClient) -> None:
        assert (await client.request("GET", "/")).status == 200
        with pytest.raises(ConnectionError):
            await client.request("POST", "/", body=b"x")

    assert play([answers(OK, b"")], scenario) == 1


def test_interim_answers_are_passed_over_and_headers_joined() -> None:
    async def scenario(client: HttpClient) -> None:
        response = await client.request("GET", "/")
        assert (response.status, response.headers["warning"], response.body) == (200, "a, b", b"")

    play([answers(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nWarning: a\r\nwarning: b\r\ncontent-length: 0\r\n\r\n")], scenario)


def test_chunks_arrive_as_they_come() -> None:
    more = asyncio.Event()

    async def session(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\none\r\n")
        await more.wait()
        writer.write(b"3\r\ntwo\r\n0\r\n\r\n")

    async def scenario(client: HttpClient) -> None:
        seen = []
        async with client.stream("GET", "/") as stream:
            async for chunk in stream.chunks():
                seen.append(chunk)
                more.set()
        assert seen == [b"one", b"two"]

    play([session], scenario)


def test_an_upgrade_hands_out_the_bytes_of_both_sides() -> None:
    async def session(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\nhello")
        writer.write(await reader.read(100))

    async def scenario(client: HttpClient) -> None:
        upgraded = await client.upgrade("POST", "/", (("upgrade", "x"), ("connection", "upgrade")))
        assert (upgraded.status, upgraded.headers["upgrade"]) == (101, "x")
        connection = upgraded.connection
        assert connection is not None
        received = await connection.read()
        await connection.write(b"echo")
        while data := await connection.read():
            received += data
        await connection.close()
        assert received == b"helloecho"

    play([session], scenario)


def test_a_refused_upgrade_gives_the_answer() -> None:
    async def scenario(client: HttpClient) -> None:
        upgraded = await client.upgrade("POST", "/")
        assert (upgraded.status, upgraded.connection, upgraded.body) == (403, None, b"no")

    play([answers(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\nno")], scenario)


def test_a_silent_server_times_out_and_loses_the_connection() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async def scenario(client: HttpClient) -> None:
        with pytest.raises(TimeoutError):
            await client.request("GET", "/")
        assert (await client.request("GET", "/", timeout=5)).body == b"ok"

    assert play([silent, answers(OK)], scenario, timeout=0.02) == 2


def test_an_eager_server_asks_another_one_before_it_has_a_task() -> None:
    async def scenario(client: HttpClient) -> None:
        async def relay(request: Request) -> AnyResponse:
            return Response(200, {}, (await client.request("GET", "/")).body)

        server = HttpServer(relay, ServerOptions(eager_get=True))
        port = await server.listen("127.0.0.1", 0)
        front = HttpClient(Endpoint("127.0.0.1", port))
        assert (await front.request("GET", "/")).body == b"behind"
        await front.close()
        await server.stop(0.2)

    play([answers(b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nbehind")], scenario)
