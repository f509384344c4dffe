"""Both sides of a session against each other."""

import asyncio

import pytest

from proa.lib.spdy.frames import FrameEncoder, Ping, ResetStatus, SynStream, encode_data
from proa.lib.spdy.session import SpdySession, StreamRefused
from proa.lib.spdy.stream import SpdyStream
from proa.lib.streaming.inbox import BUFFER
from proa.lib.streaming.outbox import HIGH_WATER
from tests.unit.lib.streaming.pipe import PipeEnd, pipe, read_to_end, run


async def accepted(session: SpdySession) -> SpdyStream:
    stream = await session.accept()
    assert stream is not None
    return stream


def test_a_stream_carries_bytes_both_ways_and_closes_by_halves() -> None:
    async def scenario() -> None:
        near, far = pipe()
        async with SpdySession(far, server=True) as server, SpdySession(near, server=False) as client:
            stream = await client.open_stream({"streamtype": "stdin"})
            peer = await accepted(server)
            assert (peer.id, peer.headers) == (stream.id, {"streamtype": "stdin"})
            await stream.write(b"question")
            await stream.close()
            assert await read_to_end(peer) == b"question"
            await peer.write(b"answer")
            await peer.close()
            assert await read_to_end(stream) == b"answer"

    run(scenario())


def test_many_streams_do_not_mix() -> None:
    async def echo(session: SpdySession) -> None:
        async with asyncio.TaskGroup() as tasks:
            while (stream := await session.accept()) is not None:
                tasks.create_task(answer(stream))

    async def answer(stream: SpdyStream) -> None:
        await stream.write(await read_to_end(stream))
        await stream.close()

    async def ask(session: SpdySession, number: int) -> bytes:
        stream = await session.open_stream({"number": str(number)})
        await stream.write(bytes([number]) * 3000 * number)
        await stream.close()
        return await read_to_end(stream)

    async def scenario() -> None:
        near, far = pipe()
        server = SpdySession(far, server=True)
        async with SpdySession(near, server=False) as client, server:
            serving = asyncio.create_task(echo(server))
            answers = await asyncio.gather(*(ask(client, number) for number in range(40)))
            assert answers == [bytes([number]) * 3000 * number for number in range(40)]
            await client.close()
            await serving

    run(scenario())


def test_servers_open_streams_with_even_numbers() -> None:
    async def scenario() -> None:
        near, far = pipe()
        async with SpdySession(far, server=True) as server, SpdySession(near, server=False) as client:
            opened = [await server.open_stream({}), await server.open_stream({}), await client.open_stream({})]
            assert [stream.id for stream in opened] == [2, 4, 1]

    run(scenario())


def test_a_slow_reader_slows_the_writer_and_memory_stays_bounded() -> None:
    async def flood(stream: SpdyStream, size: int) -> None:
        for _ in range(size // 65536):
            await stream.write(b"x" * 65536)
        await stream.close()

    async def scenario() -> None:
        near, far = pipe()
        async with SpdySession(far, server=True) as server, SpdySession(near, server=False) as client:
            stream = await client.open_stream({})
            peer = await accepted(server)
            writing = asyncio.create_task(flood(stream, 8 << 20))
            for _ in range(200):
                await asyncio.sleep(0)
            assert not writing.done()
            assert near.written < BUFFER + HIGH_WATER + 4 * 65536
            assert len(await read_to_end(peer)) == 8 << 20
            await writing

    run(scenario())


def test_a_reset_ends_reading_after_what_has_arrived_and_refuses_writes() -> None:
    async def scenario() -> None:
        near, far = pipe()
        async with SpdySession(far, server=True) as server, SpdySession(near, server=False) as client:
            stream = await client.open_stream({})
            peer = await accepted(server)
            await peer.write(b"last words")
            peer.reset()
            assert await read_to_end(stream) == b"last words"
            with pytest.raises(ConnectionError):
                await stream.write(b"more")

    run(scenario())


def test_a_stream_nobody_reads_does_not_hold_up_the_others_once_it_is_discarded() -> None:
    async def scenario() -> None:
        near, far = pipe()
        async with SpdySession(far, server=True) as server, SpdySession(near, server=False) as client:
            stuck, lively = await client.open_stream({}), await client.open_stream({})
            (await accepted(server)).discard()
            peer = await accepted(server)
            await stuck.write(b"x" * (2 << 20))
            await lively.write(b"through")
            assert await peer.read() == b"through"

    run(scenario())


def test_what_was_under_way_when_the_peer_vanished_is_an_error_not_an_end() -> None:
    async def scenario() -> None:
        near, far = pipe()
        async with SpdySession(far, server=True), SpdySession(near, server=False) as client:
            stream = await client.open_stream({})
            await far.close()
            with pytest.raises(ConnectionError):
                await stream.read()
            with pytest.raises(ConnectionError):
                await client.open_stream({})
            assert await client.accept() is None

    run(scenario())


async def _close_after(event: asyncio.Event, end: PipeEnd) -> None:
    await event.wait()
    await end.close()


def test_closing_lets_everything_out_first() -> None:
    async def scenario() -> None:
        leaving = asyncio.Event()
        near, far = pipe()
        async with SpdySession(near, server=False) as client:
            async with SpdySession(far, server=True) as server:
                stream = await client.open_stream({})
                peer = await accepted(server)
                await peer.write(b"y" * 200_000)
                await peer.close()
                reading = asyncio.create_task(read_to_end(stream))
                reading.add_done_callback(lambda _: leaving.set())
                leave = asyncio.create_task(_close_after(leaving, near))
            assert len(await reading) == 200_000
            await leave

    run(scenario())


def test_pings_are_answered_and_streams_are_replied_to_at_once() -> None:
    async def scenario() -> None:
        near, far = pipe()
        encoder = FrameEncoder()
        async with SpdySession(far, server=True) as server:
            await near.write(encoder.encode(Ping(1)) + encoder.encode(SynStream(1, {"a": "b"})) + encode_data(1, b"hi", fin=True))
            answer = b""
            while len(answer) < 12 + 12:
                answer += await near.read()
            assert answer[:12] == FrameEncoder().encode(Ping(1))
            assert answer[12:16].hex() == "80030002"
            assert await read_to_end(await accepted(server)) == b"hi"
            await near.close()

    run(scenario())


def test_a_refused_stream_says_so() -> None:
    async def scenario() -> None:
        near, far = pipe()
        async with SpdySession(near, server=False) as client:
            opening = asyncio.create_task(client.open_stream({}))
            await far.read()
            await far.write(bytes.fromhex(f"80030003 00000008 00000001 0000000{ResetStatus.REFUSED_STREAM.value}"))
            with pytest.raises(StreamRefused):
                await opening
            await far.close()

    run(scenario())


@pytest.mark.parametrize("identifier", [2, 1])
def test_stream_numbers_out_of_order_end_the_session(identifier: int) -> None:
    async def scenario() -> None:
        near, far = pipe()
        encoder = FrameEncoder()
        async with SpdySession(far, server=True) as server:
            await near.write(encoder.encode(SynStream(3, {})) + encoder.encode(SynStream(identifier, {})))
            await server.wait_ended()
            await near.close()

    run(scenario())
