"""What has arrived is read in order to its end; a slow reader holds the sender; who reads no more holds nobody."""

import asyncio

import pytest

from proa.lib.streaming.inbox import BUFFER, Inbox


def test_pieces_come_in_order_and_then_the_end() -> None:
    async def scenario() -> list[bytes]:
        inbox = Inbox("lost")
        for piece in (b"a", b"", b"b"):
            await inbox.feed(piece)
        inbox.end()
        await inbox.feed(b"late")
        return [await inbox.read() for _ in range(4)]

    assert asyncio.run(scenario()) == [b"a", b"b", b"", b""]


def test_what_came_before_a_break_is_read_first() -> None:
    async def scenario() -> None:
        inbox = Inbox("lost")
        await inbox.feed(b"a")
        inbox.break_off()
        inbox.end()
        assert (await inbox.read(), inbox.is_over) == (b"a", True)
        with pytest.raises(ConnectionResetError, match="lost"):
            await inbox.read()

    asyncio.run(scenario())


def test_a_stream_that_ended_in_order_does_not_break_off() -> None:
    async def scenario() -> bytes:
        inbox = Inbox("lost")
        inbox.end()
        inbox.break_off()
        return await inbox.read()

    assert asyncio.run(scenario()) == b""


@pytest.mark.parametrize("relief", ["read", "discard"])
def test_a_full_inbox_holds_its_sender_until_there_is_room(relief: str) -> None:
    async def scenario() -> None:
        inbox = Inbox("lost")
        await inbox.feed(b"x" * BUFFER)
        held = asyncio.create_task(inbox.feed(b"y"))
        await asyncio.sleep(0)
        assert not held.done()
        if relief == "read":
            assert await inbox.read() == b"x" * BUFFER
        else:
            inbox.discard()
        await asyncio.wait_for(held, 5)

    asyncio.run(scenario())


def test_a_waiting_reader_is_woken_by_what_arrives() -> None:
    async def scenario() -> bytes:
        inbox = Inbox("lost")
        waiting = asyncio.create_task(inbox.read())
        await asyncio.sleep(0)
        await inbox.feed(b"a")
        return await asyncio.wait_for(waiting, 5)

    assert asyncio.run(scenario()) == b"a"
