"""A log over a WebSocket, for browsers: each piece that comes from the node is one message, binary or as base64 text."""

import asyncio
import base64
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

from proa.api.errors import BadRequest, Forbidden
from proa.lib.http.message import Connection, Request, UpgradeResponse
from proa.lib.tasks import cancel_and_wait
from proa.lib.websocket.connection import WebSocket
from proa.lib.websocket.handshake import accept_headers, offered_protocols, refusal

BINARY, BASE64 = "binary.k8s.io", "base64.binary.k8s.io"


def choose_protocol(request: Request) -> str:
    """The first offered one that is known; "" if none was offered, which means binary. Raises ApiError."""
    if why := refusal(request.headers):
        raise BadRequest(why)
    offered = offered_protocols(request.headers)
    known = [each for each in offered if each in (BINARY, BASE64)]
    if offered and not known:
        raise Forbidden(f"none of the subprotocols {', '.join(offered)} is supported; supported are {BINARY} and {BASE64}")
    return known[0] if known else ""


def upgrade(request: Request, protocol: str, chunks: Callable[[], AsyncIterator[bytes]], held: AsyncExitStack) -> UpgradeResponse:
    """`held` keeps the node's answer open until the log has ended or the client has gone."""

    async def run(connection: Connection) -> None:
        async with held, WebSocket(connection) as socket:
            send = _as_base64(socket) if protocol == BASE64 else socket.send
            watching = asyncio.create_task(_until_gone(socket), name="log reader")
            copying = asyncio.create_task(_copy(chunks(), send), name="log writer")
            try:
                await asyncio.wait((watching, copying), return_when=asyncio.FIRST_COMPLETED)
            finally:
                await cancel_and_wait(watching)
                await cancel_and_wait(copying)

    return UpgradeResponse(run, accept_headers(request.headers, protocol))


def _as_base64(socket: WebSocket) -> Callable[[bytes], Awaitable[None]]:
    return lambda data: socket.send_text(base64.b64encode(data).decode())


async def _until_gone(socket: WebSocket) -> None:
    while await socket.receive() is not None:
        pass


async def _copy(chunks: AsyncIterator[bytes], send: Callable[[bytes], Awaitable[None]]) -> None:
    try:
        async for chunk in chunks:
            await send(chunk)
    except ConnectionError:
        return
