"""Joining two connections."""

import asyncio

from proa.lib.streaming.pump import tunnel
from tests.unit.lib.streaming.pipe import pipe, run


def test_bytes_pass_both_ways_until_the_backend_ends() -> None:
    async def scenario() -> None:
        client, client_side = pipe()
        backend, backend_side = pipe()
        joined = asyncio.create_task(tunnel(client_side, backend_side))
        await client.write(b"up")
        assert await backend.read() == b"up"
        await backend.write(b"down")
        await backend.close()
        assert await client.read() == b"down"
        await client.close()
        await joined

    run(scenario())


def test_a_client_that_leaves_ends_the_backend() -> None:
    async def scenario() -> None:
        client, client_side = pipe()
        backend, backend_side = pipe()
        joined = asyncio.create_task(tunnel(client_side, backend_side))
        await client.close()
        assert await backend.read() == b""
        await joined

    run(scenario())


def test_the_backends_last_words_arrive_although_it_takes_nothing_more() -> None:
    """A command that ended while its client still writes."""

    async def scenario() -> None:
        client, client_side = pipe(limit=1024)
        backend, backend_side = pipe(limit=1024)
        joined = asyncio.create_task(tunnel(client_side, backend_side))
        flooding = asyncio.create_task(client.write(b"x" * 100_000))
        await backend.write(b"exit code 3")
        await backend.close()
        assert await client.read() == b"exit code 3"
        await flooding
        await client.close()
        await joined

    run(scenario())


def test_a_slow_client_slows_the_backend() -> None:
    async def scenario() -> None:
        client, client_side = pipe(limit=1024)
        backend, backend_side = pipe(limit=1024)
        joined = asyncio.create_task(tunnel(client_side, backend_side))
        writing = asyncio.create_task(backend.write(b"x" * 1_000_000))
        for _ in range(50):
            await asyncio.sleep(0)
        assert not writing.done()
        received = 0
        while received < 1_000_000:
            received += len(await client.read())
        await writing
        await client.close()
        await joined

    run(scenario())
