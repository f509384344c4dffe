"""Clients of every kind against a runtime: what they send arrives, what comes back is what their protocol promises."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import orjson
import pytest

from proa.api.errors import ApiError
from proa.client.streaming import gateway
from proa.client.streaming.command import CommandOptions, plain_error, stream_types
from proa.client.streaming.port_forward import TUNNEL_SUBPROTOCOL, requested_ports
from proa.client.streaming.target import StreamTarget
from proa.lib.http.client import Endpoint, HttpClient, Upgraded
from proa.lib.http.message import AnyResponse, Request, Response
from proa.lib.spdy.session import SpdySession
from proa.lib.streaming.websocket_tunnel import WebSocketConnection
from proa.lib.websocket import handshake
from proa.lib.websocket.connection import WebSocket
from tests.unit.client.streaming.fake_runtime import SUCCESS, Streams, exit_status, listening, run, runtime
from tests.unit.lib.streaming.pipe import read_to_end

ALL = CommandOptions(stdin=True, stdout=True, stderr=True)


async def shout(streams: Streams) -> bytes:
    """Answers standard input in capitals, and ends with code 3 when it ends."""
    while data := await streams["stdin"].read():
        await streams["stdout"].write(data.upper())
    await streams["stderr"].write(b"bye")
    return exit_status(3)


async def say(streams: Streams) -> bytes:
    await streams["stdout"].write(b"said")
    return SUCCESS


async def echo(streams: Streams) -> bytes:
    while data := await streams["data"].read():
        await streams["data"].write(data)
    return b""


@asynccontextmanager
async def client_of(target: StreamTarget, options: CommandOptions = ALL, *, ports: bool = False) -> AsyncIterator[HttpClient]:
    async def hop(wanted: object) -> StreamTarget:
        return target

    async def handler(request: Request) -> AnyResponse:
        try:
            return await (gateway.port_forward(request, hop) if ports else gateway.command(request, options, target))
        except ApiError as error:
            return Response(error.status_code, {}, error.message.encode())

    async with listening(handler) as port:
        client = HttpClient(Endpoint("127.0.0.1", port))
        try:
            yield client
        finally:
            await client.close()


async def open_websocket(client: HttpClient, *protocols: str, path: str = "/") -> tuple[WebSocket, Upgraded]:
    headers = handshake.client_headers(protocols)
    upgraded = await client.upgrade("GET", path, headers)
    assert upgraded.connection is not None, upgraded
    assert handshake.is_accepted(headers, upgraded.headers)
    return WebSocket(upgraded.connection, client=True), upgraded


async def by_channel(socket: WebSocket) -> dict[int, bytes]:
    """Everything to the end, by channel."""
    received: dict[int, bytes] = defaultdict(bytes)
    while (piece := await socket.receive()) is not None:
        received[piece.data[0]] += piece.data[1:]
    return dict(received)


def test_the_newest_protocol_says_the_end_of_standard_input_and_gets_the_exit_code() -> None:
    async def scenario() -> None:
        async with runtime(4, shout) as target, client_of(target) as client:
            socket, upgraded = await open_websocket(client, "v5.channel.k8s.io")
            assert upgraded.headers["sec-websocket-protocol"] == "v5.channel.k8s.io"
            async with socket:
                await socket.send(b"\x00hello ")
                await socket.send(b"\x00world")
                await socket.send(b"\xff\x00")
                received = await by_channel(socket)
            assert socket.close_code == 1000
            assert received.pop(3) == exit_status(3)
            assert received == {1: b"HELLO WORLD", 2: b"bye"}

    run(scenario)


@pytest.mark.parametrize(
    ("protocol", "outcome"), [("v4.channel.k8s.io", SUCCESS), ("v5.channel.k8s.io", SUCCESS), ("channel.k8s.io", None)]
)
def test_success_is_a_status_but_for_the_oldest(protocol: str, outcome: bytes | None) -> None:
    async def scenario() -> None:
        async with runtime(2, say) as target, client_of(target, CommandOptions(stdout=True)) as client:
            socket, _ = await open_websocket(client, protocol)
            async with socket:
                received = await by_channel(socket)
            assert received.get(3) == outcome
            assert received[1] == b"said"

    run(scenario)


def test_base64_travels_as_text() -> None:
    async def scenario() -> None:
        async with runtime(2, say) as target, client_of(target, CommandOptions(stdout=True)) as client:
            socket, _ = await open_websocket(client, "v4.base64.channel.k8s.io")
            texts = []
            async with socket:
                while (piece := await socket.receive()) is not None:
                    assert piece.is_text
                    texts.append(piece.data)
            assert texts[:2] == [b"1", b"1c2FpZA=="]

    run(scenario)


def test_what_the_next_hop_refuses_comes_as_the_outcome() -> None:
    async def scenario() -> None:
        async with runtime(2, say) as target, client_of(StreamTarget(target.endpoint, "/refuse")) as client:
            socket, _ = await open_websocket(client, "v5.channel.k8s.io")
            async with socket:
                status = orjson.loads((await by_channel(socket))[3])
            assert status["message"] == 'Internal error occurred: unable to upgrade connection: container not found ("main")'

    run(scenario)


def test_a_lost_node_is_an_error_not_a_success() -> None:
    async def die(streams: Streams) -> bytes:
        raise ConnectionResetError("power off")

    async def scenario() -> None:
        async with runtime(2, die) as target, client_of(target, CommandOptions(stdout=True)) as client:
            socket, _ = await open_websocket(client, "v5.channel.k8s.io")
            async with socket:
                received = await by_channel(socket)
            assert orjson.loads(received[3])["status"] == "Failure"

    run(scenario)


def test_a_client_that_leaves_ends_the_session_with_the_next_hop() -> None:
    ended = asyncio.Event()

    async def wait(streams: Streams) -> bytes:
        try:
            await streams["stdout"].write(b"ready")
            while await streams["stdin"].read():
                pass
        finally:
            ended.set()
        return SUCCESS

    async def scenario() -> None:
        async with runtime(4, wait) as target, client_of(target) as client:
            socket, _ = await open_websocket(client, "v4.channel.k8s.io")
            async with socket:
                while await _data(socket) != b"\x01ready":
                    pass
            await ended.wait()

    run(scenario)


def test_spdy_clients_are_joined_byte_by_byte() -> None:
    async def scenario() -> None:
        async with runtime(4, shout) as target, client_of(target) as client:
            headers = [("connection", "Upgrade"), ("upgrade", "SPDY/3.1")]
            headers += [("x-stream-protocol-version", each) for each in ("v4.channel.k8s.io", "v3.channel.k8s.io")]
            upgraded = await client.upgrade("POST", "/", headers)
            assert upgraded.connection is not None
            assert upgraded.headers["x-stream-protocol-version"] == "v4.channel.k8s.io"
            async with SpdySession(upgraded.connection, server=False) as session:
                streams = {kind: await session.open_stream({"streamtype": kind}) for kind in stream_types(ALL)}
                await streams["stdin"].write(b"spdy")
                await streams["stdin"].close()
                assert await read_to_end(streams["stdout"]) == b"SPDY"
                assert await read_to_end(streams["error"]) == exit_status(3)

    run(scenario)


REFUSED = {
    "no upgrade at all": ([], 400, b"Upgrade request required"),
    "an unknown upgrade": ([("connection", "Upgrade"), ("upgrade", "h2c")], 400, b"Upgrade request required"),
    "an unknown subprotocol": (
        handshake.client_headers(["v9.channel.k8s.io"]),
        403,
        b"none of the WebSocket protocols ['v9.channel.k8s.io'] is supported; supported are ['v5.channel.k8s.io', 'v4.channel.k8s.io', "
        b"'v4.base64.channel.k8s.io', 'channel.k8s.io', 'base64.channel.k8s.io']",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_joined_is_refused_at_once(name: str) -> None:
    headers, code, message = REFUSED[name]

    async def scenario() -> None:
        async with client_of(StreamTarget(Endpoint("127.0.0.1", 1), "/")) as client:
            upgraded = await client.upgrade("GET", "/", headers)
            assert (upgraded.status, upgraded.body) == (code, message)

    run(scenario)


def test_port_forward_by_spdy_within_a_websocket() -> None:
    async def scenario() -> None:
        async with runtime(2, echo) as target, client_of(target, ports=True) as client:
            socket, upgraded = await open_websocket(client, TUNNEL_SUBPROTOCOL)
            assert upgraded.headers["sec-websocket-protocol"] == TUNNEL_SUBPROTOCOL
            async with socket, SpdySession(WebSocketConnection(socket), server=False) as session:
                error = await session.open_stream({"streamtype": "error", "port": "80", "requestid": "0"})
                await error.close()
                data = await session.open_stream({"streamtype": "data", "port": "80", "requestid": "0"})
                await data.write(b"ping" * 50_000)
                await data.close()
                assert await read_to_end(data) == b"ping" * 50_000

    run(scenario)


def test_port_forward_by_channels_begins_with_the_ports_number() -> None:
    async def scenario() -> None:
        async with runtime(2, echo) as target, client_of(target, ports=True) as client:
            socket, _ = await open_websocket(client, "v4.channel.k8s.io", path="/?ports=8080")
            async with socket:
                greetings = {await _data(socket) for _ in range(2)}
                assert greetings == {b"\x00\x90\x1f", b"\x01\x90\x1f"}
                await socket.send(b"\x00over")
                assert await _data(socket) == b"\x00over"

    run(scenario)


async def _data(socket: WebSocket) -> bytes:
    piece = await socket.receive()
    assert piece is not None
    return piece.data


@pytest.mark.parametrize(
    ("query", "ports"), [({"ports": ["80", "443"]}, [80, 443]), ({"ports": ["80,81"]}, [80, 81]), ({"port": ["1"]}, [1])]
)
def test_ports_of_a_query(query: dict[str, list[str]], ports: list[int]) -> None:
    assert requested_ports(Request("GET", "/", query, {})) == ports


@pytest.mark.parametrize("value", ["", "x", "0", "65536", "80,", "-1"])
def test_ports_that_are_none(value: str) -> None:
    with pytest.raises(ValueError, match="port"):
        requested_ports(Request("GET", "/", {"ports": [value]}, {}))


@pytest.mark.parametrize(("status", "text"), [(SUCCESS, b""), (b'{"status":"Failure","message":"no"}', b"no"), (b"not json", b"not json")])
def test_outcomes_for_the_oldest_clients(status: bytes, text: bytes) -> None:
    assert plain_error(status) == text


def test_a_terminal_has_a_size_and_no_standard_error() -> None:
    assert stream_types(CommandOptions(stdin=True, stdout=True, stderr=True, tty=True)) == ["error", "stdin", "stdout", "resize"]


@pytest.mark.parametrize(
    ("query", "options"),
    [
        ({"stdin": ["true"], "stdout": ["1"], "stderr": ["false"]}, CommandOptions(stdin=True, stdout=True)),
        ({"stdout": ["true"], "stderr": ["true"], "tty": ["true"]}, CommandOptions(stdout=True, tty=True)),
        ({}, CommandOptions()),
    ],
)
def test_options_of_a_query(query: dict[str, list[str]], options: CommandOptions) -> None:
    assert gateway.command_options(query) == options
