"""Channels within a WebSocket: sorting, closing, base64, and what nobody asked for."""

import asyncio

import pytest

from proa.lib.streaming.channels import ChannelSocket
from proa.lib.streaming.inbox import BUFFER
from proa.lib.websocket.connection import Piece, WebSocket
from tests.unit.lib.streaming.pipe import pipe, read_to_end, run


def test_bytes_are_sorted_by_channel_and_closed_channels_end() -> None:
    async def scenario() -> None:
        near, far = pipe()
        async with WebSocket(far) as socket, WebSocket(near, client=True) as client:
            channels = ChannelSocket(socket, closes=True)
            stdin, resize = channels.channel(0), channels.channel(4)
            async with channels:
                for data in (b"\x00one ", b"\x04size", b"\x07dropped", b"\x00two", b"\x00", b"", b"\xff\x00", b"\x04 more"):
                    await client.send(data)
                assert await read_to_end(stdin) == b"one two"
                assert [await resize.read(), await resize.read()] == [b"size", b" more"]
                await near.close()
                with pytest.raises(ConnectionError):
                    await resize.read()
                await channels.wait_ended()

    run(scenario())


def test_without_the_newest_version_channel_255_closes_nothing() -> None:
    async def scenario() -> None:
        near, far = pipe()
        async with WebSocket(far) as socket, WebSocket(near, client=True) as client:
            channels = ChannelSocket(socket)
            stdin = channels.channel(0)
            async with channels:
                await client.send(b"\xff\x00")
                await client.send(b"\x00still open")
                assert await stdin.read() == b"still open"
                await near.close()

    run(scenario())


def test_base64_channels_speak_text() -> None:
    async def scenario() -> None:
        near, far = pipe()
        async with WebSocket(far) as socket, WebSocket(near, client=True) as client:
            channels = ChannelSocket(socket, is_text=True)
            stdin, stdout = channels.channel(0), channels.channel(1, readable=False)
            async with channels:
                await client.send_text("0aGVsbG8=")
                assert await stdin.read() == b"hello"
                await stdout.write(b"\x00\xff")
                assert await client.receive() == Piece(b"1AP8=", last=True, is_text=True)
                await near.close()

    run(scenario())


async def flood(client: WebSocket) -> None:
    for _ in range(8 * BUFFER // 32768):
        await client.send(b"\x00" + b"x" * 32768)


def test_a_channel_nobody_reads_holds_up_the_socket_until_it_is_discarded() -> None:
    async def scenario() -> None:
        near, far = pipe()
        async with WebSocket(far) as socket, WebSocket(near, client=True) as client:
            channels = ChannelSocket(socket)
            stdin, other = channels.channel(0), channels.channel(4)
            async with channels:
                flooding = asyncio.create_task(flood(client))
                for _ in range(200):
                    await asyncio.sleep(0)
                assert not flooding.done()
                stdin.discard()
                await flooding
                await client.send(b"\x04through")
                assert await other.read() == b"through"
                await near.close()

    run(scenario())


def test_a_large_message_is_cut_into_pieces() -> None:
    async def scenario() -> None:
        near, far = pipe()
        async with WebSocket(far) as socket, WebSocket(near, client=True) as client:
            stdout = ChannelSocket(socket).channel(1, readable=False)
            writing = asyncio.create_task(stdout.write(b"y" * 70_000))
            message = b""
            while len(message.replace(b"\x01", b"")) < 70_000:
                piece = await client.receive()
                assert piece is not None
                message += piece.data
            assert message.count(b"\x01") == 3
            await writing
            await near.close()

    run(scenario())
