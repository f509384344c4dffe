"""A log over a WebSocket: protocols, messages, and an end on either side."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from proa.api.errors import ApiError
from proa.apiserver.connect.log_socket import BASE64, BINARY, choose_protocol, upgrade
from proa.lib.http.message import Request
from proa.lib.websocket.connection import Piece, WebSocket
from tests.unit.lib.streaming.pipe import pipe, run

HEADERS = {"sec-websocket-version": "13", "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ=="}


def request(protocols: str = "") -> Request:
    return Request("GET", "/", {}, HEADERS | ({"sec-websocket-protocol": protocols} if protocols else {}))


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [("", ""), (BINARY, BINARY), (f"{BASE64}, {BINARY}", BASE64), (f"v5.channel.k8s.io, {BINARY}", BINARY)],
)
def test_the_first_known_protocol_is_chosen(offered: str, chosen: str) -> None:
    assert choose_protocol(request(offered)) == chosen


def test_unknown_protocols_alone_are_forbidden() -> None:
    with pytest.raises(ApiError) as caught:
        choose_protocol(request("v5.channel.k8s.io"))
    assert caught.value.status_code == 403


async def two_lines() -> AsyncIterator[bytes]:
    yield b"one\n"
    yield b"two\n"


@pytest.mark.parametrize(
    ("protocol", "pieces"),
    [
        (BINARY, [Piece(b"one\n", last=True), Piece(b"two\n", last=True)]),
        (BASE64, [Piece(base64.b64encode(line), last=True, is_text=True) for line in (b"one\n", b"two\n")]),
    ],
)
def test_pieces_are_messages_and_the_end_closes(protocol: str, pieces: list[Piece]) -> None:
    async def scenario() -> None:
        near, far = pipe()
        released = asyncio.Event()
        held = AsyncExitStack()
        held.callback(released.set)
        answer = upgrade(request(protocol), protocol, two_lines, held)
        assert answer.headers["sec-websocket-protocol"] == protocol
        serving = asyncio.ensure_future(answer.run(far))
        async with WebSocket(near, client=True) as client:
            assert [await client.receive(), await client.receive(), await client.receive()] == [*pieces, None]
            assert client.close_code == 1000
        await serving
        assert released.is_set()

    run(scenario())


def test_a_client_that_leaves_releases_a_log_without_end() -> None:
    async def endless() -> AsyncIterator[bytes]:
        yield b"first\n"
        await asyncio.Event().wait()

    async def scenario() -> None:
        near, far = pipe()
        released = asyncio.Event()
        held = AsyncExitStack()
        held.callback(released.set)
        serving = asyncio.ensure_future(upgrade(request(), "", endless, held).run(far))
        async with WebSocket(near, client=True) as client:
            assert await client.receive() == Piece(b"first\n", last=True)
        await serving
        assert released.is_set()

    run(scenario())
