"""A streaming server as container runtimes have it: SPDY on a loopback port, with a scripted command behind it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import orjson

from proa.api.errors import ApiError
from proa.client.streaming.target import PROTOCOL_HEADER, StreamTarget
from proa.lib.http.client import Endpoint
from proa.lib.http.message import AnyResponse, Connection, Handler, Request, Response, UpgradeResponse
from proa.lib.http.server import HttpServer
from proa.lib.spdy.session import SpdySession
from proa.lib.spdy.stream import SpdyStream

Streams = dict[str, SpdyStream]
Command = Callable[[Streams], Awaitable[bytes]]
SUCCESS = orjson.dumps({"metadata": {}, "status": "Success"})


def exit_status(code: int) -> bytes:
    error = ApiError(f"command terminated with non-zero exit code: exit status {code}", code=500, reason="NonZeroExitCode")
    return orjson.dumps(error.to_status() | {"details": {"causes": [{"reason": "ExitCode", "message": str(code)}]}})


@asynccontextmanager
async def listening(handler: Handler) -> AsyncIterator[int]:
    server = HttpServer(handler)
    port = await server.listen("127.0.0.1", 0)
    try:
        yield port
    finally:
        await server.stop(0.2)


@asynccontextmanager
async def runtime(stream_count: int, command: Command) -> AsyncIterator[StreamTarget]:
    """Runs `command` with that many streams, whose outcome it writes to the error stream."""

    async def serve(connection: Connection) -> None:
        async with SpdySession(connection, server=True) as session:
            streams: Streams = {}
            while len(streams) < stream_count and (stream := await session.accept()) is not None:
                streams[stream.headers["streamtype"]] = stream
            if len(streams) == stream_count:
                try:
                    outcome = await command(streams)
                except ConnectionError:
                    # As if the power was off.
                    await connection.close()
                    return
                await streams["error"].write(outcome)
                for stream in streams.values():
                    if not stream.was_reset:
                        await stream.close()

    async def handler(request: Request) -> AnyResponse:
        if request.path == "/refuse":
            return Response(500, {"content-type": "text/plain"}, b'container not found ("main")')
        protocol = request.headers[PROTOCOL_HEADER].partition(",")[0]
        return UpgradeResponse(serve, {"connection": "Upgrade", "upgrade": "SPDY/3.1", PROTOCOL_HEADER: protocol})

    async with listening(handler) as port:
        yield StreamTarget(Endpoint("127.0.0.1", port), "/exec/1")


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    """Within ten seconds, and no task may be left over."""

    async def main() -> None:
        await asyncio.wait_for(scenario(), 10)
        await asyncio.sleep(0)
        left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        assert left == []

    asyncio.run(main())
