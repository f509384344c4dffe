"""Bytes from one place to another, at the pace of the slower: nothing is kept but the piece that is under way."""

import asyncio
import contextlib

from proa.lib.http.message import Connection
from proa.lib.streaming.byte_stream import ByteStream
from proa.lib.tasks import cancel_and_wait

LINGER = 0.5
"""Seconds to read on from who has been told the end, so that closing does not reset what it has still to read."""


async def pump(source: ByteStream, target: ByteStream) -> None:
    """To the end of `source`, which then is the end of `target`. A target that takes no more ends it without an error."""
    with contextlib.suppress(ConnectionError):
        while data := await source.read():
            await target.write(data)
        await target.close()


async def copy(source: Connection, target: Connection) -> bool:
    """Until `source` ends; False if it was `target` that failed."""
    try:
        while data := await source.read():
            await target.write(data)
    except ConnectionError:
        return False
    return True


async def tunnel(client: Connection, backend: Connection) -> None:
    """Join two connections until either ends; both are closed then.

    What the backend has sent always reaches the client, even when the backend takes no more; a client that is gone ends all."""
    upward = asyncio.create_task(copy(client, backend), name="tunnel from the client")
    downward = asyncio.create_task(copy(backend, client), name="tunnel to the client")
    try:
        await asyncio.wait([upward, downward], return_when=asyncio.FIRST_COMPLETED)
        if upward.done() and not upward.result():
            await downward
        if downward.done() and downward.result():
            await _linger(client, upward)
    finally:
        await cancel_and_wait(upward, downward)
        await backend.close()
        await client.close()


async def _linger(client: Connection, upward: "asyncio.Task[bool]") -> None:
    if upward.done() and upward.result():
        return
    await cancel_and_wait(upward)
    with contextlib.suppress(TimeoutError, ConnectionError):
        async with asyncio.timeout(LINGER):
            while await client.read():
                pass
