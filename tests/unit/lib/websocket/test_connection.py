"""Server and client against each other over a pipe."""

import asyncio

import pytest
from wsproto.connection import Connection as Frames
from wsproto.connection import ConnectionType
from wsproto.events import Ping, Pong

from proa.lib.streaming.outbox import HIGH_WATER
from proa.lib.websocket.connection import Piece, WebSocket
from tests.unit.lib.streaming.pipe import pipe, run


async def message(socket: WebSocket) -> bytes:
    data = b""
    while (piece := await socket.receive()) is not None:
        data += piece.data
        if piece.last:
            break
    return data


def test_messages_go_both_ways() -> None:
    async def scenario() -> None:
        near, far = pipe()
        async with WebSocket(far) as server, WebSocket(near, client=True) as client:
            await client.send(b"question")
            assert await server.receive() == Piece(b"question", last=True)
            await server.send_text("answer")
            assert await client.receive() == Piece(b"answer", last=True, is_text=True)
            await client.send(b"x" * 300_000)
            assert await message(server) == b"x" * 300_000
            leaving = asyncio.create_task(client.close())
            assert await server.receive() is None
            assert server.close_code == 1000
            await server.close()
            await leaving

    run(scenario())


def test_pings_are_answered_between_messages() -> None:
    async def scenario() -> None:
        near, far = pipe()
        frames = Frames(ConnectionType.CLIENT)
        async with WebSocket(far) as server:
            receiving = asyncio.create_task(server.receive())
            await near.write(frames.send(Ping(b"alive?")))
            frames.receive_data(await near.read())
            assert list(frames.events()) == [Pong(b"alive?")]
            await near.close()
            assert await receiving is None

    run(scenario())


def test_a_slow_peer_slows_the_sender() -> None:
    async def flood(socket: WebSocket) -> None:
        for _ in range(128):
            await socket.send(b"x" * 65536)

    async def scenario() -> None:
        near, far = pipe()
        async with WebSocket(far) as server, WebSocket(near, client=True) as client:
            sending = asyncio.create_task(flood(client))
            for _ in range(200):
                await asyncio.sleep(0)
            assert not sending.done()
            assert near.written < HIGH_WATER + 4 * 65536
            for _ in range(128):
                assert len(await message(server)) == 65536
            await sending
            await far.close()

    run(scenario())


def test_a_peer_that_vanishes_ends_reading_and_fails_writing() -> None:
    async def scenario() -> None:
        near, far = pipe()
        async with WebSocket(far) as server:
            await near.close()
            assert await server.receive() is None
            with pytest.raises(ConnectionError):
                await server.send(b"anybody?")

    run(scenario())
