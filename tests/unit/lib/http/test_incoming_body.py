"""A body that comes faster than it is read holds its connection up, and not the memory."""

import asyncio
from typing import Any

import pytest

from proa.lib.http.incoming_body import HIGH_WATER, IncomingBody


class Transport:
    def __init__(self) -> None:
        self.reading, self.closing = True, False

    def pause_reading(self) -> None:
        assert self.reading
        self.reading = False

    def resume_reading(self) -> None:
        assert not self.reading
        self.reading = True

    def is_closing(self) -> bool:
        return self.closing


def made() -> tuple[IncomingBody, Transport]:
    transport: Any = Transport()
    return IncomingBody(transport, None), transport


def test_reading_pauses_above_the_mark_and_goes_on_below_half_of_it() -> None:
    async def scenario() -> None:
        body, transport = made()
        for _ in range(4):
            body.feed(bytes(HIGH_WATER // 3))
        assert not transport.reading
        pieces = body.chunks()
        seen = []
        for _ in range(3):
            await anext(pieces)
            seen.append(transport.reading)
        assert seen == [False, False, True]
        body.feed_end()
        assert [len(piece) async for piece in pieces] == [HIGH_WATER // 3]

    asyncio.run(scenario())


def test_what_nobody_reads_holds_nothing_up() -> None:
    body, transport = made()
    body.feed(bytes(HIGH_WATER + 1))
    body.throw_away()
    assert transport.reading


def test_a_reader_that_waits_learns_of_more_of_the_end_and_of_the_loss() -> None:
    async def scenario() -> None:
        for end, raises in (("feed_end", False), ("lose", True)):
            body, _ = made()
            reading = asyncio.ensure_future(_read(body))
            await asyncio.sleep(0)
            body.feed(b"a")
            getattr(body, end)()
            if raises:
                with pytest.raises(ConnectionResetError):
                    await reading
            else:
                assert await reading == b"a"

    asyncio.run(scenario())


async def _read(body: IncomingBody) -> bytes:
    return b"".join([piece async for piece in body.chunks()])
