"""WATCH over a WebSocket, for browsers: each event is one message, text if it is JSON, else binary and without the length of a stream.

What the client says is ignored; when it closes, the watch ends. Source: WatchServer.HandleWS of the API server.
"""

import asyncio
from collections.abc import Awaitable, Callable

from proa.api.errors import BadRequest
from proa.apiserver.negotiation import JSON, PROTOBUF
from proa.lib.http.message import Connection, Request, UpgradeResponse, Writer
from proa.lib.tasks import cancel_and_wait
from proa.lib.websocket.connection import WebSocket
from proa.lib.websocket.handshake import accept_headers, offered_protocols, refusal

TOKEN_PROTOCOL = "base64url.bearer.authorization.k8s.io."
"""A subprotocol that carries the caller's token and is no protocol."""
LENGTH = 4
"""Bytes before each protobuf event of a stream."""


class _Messages:
    """The `Writer` of a watch: one message per write."""

    def __init__(self, socket: WebSocket, media_type: str) -> None:
        self._socket = socket
        self._is_text = media_type == JSON
        self._skip = LENGTH if media_type == PROTOBUF else 0

    async def write(self, data: bytes) -> None:
        await (self._socket.send_text(data.decode()) if self._is_text else self._socket.send(data[self._skip :]))

    async def wait_closed(self) -> None:
        while await self._socket.receive() is not None:
            pass


def upgrade(request: Request, media_type: str, run: Callable[[Writer], Awaitable[None]], stop: Callable[[], None]) -> UpgradeResponse:
    """`run` writes one event at a time; `stop` ends the watch if it never came to that. Raises BadRequest for what is no handshake."""
    if why := refusal(request.headers):
        stop()
        raise BadRequest(why)
    offered = [each for each in offered_protocols(request.headers) if not each.startswith(TOKEN_PROTOCOL)]

    async def serve(connection: Connection) -> None:
        async with WebSocket(connection) as socket:
            messages = _Messages(socket, media_type)
            watching = asyncio.create_task(_until_gone(run, messages), name="watch writer")
            leaving = asyncio.create_task(messages.wait_closed(), name="watch reader")
            try:
                await asyncio.wait((watching, leaving), return_when=asyncio.FIRST_COMPLETED)
            finally:
                await cancel_and_wait(watching)
                await cancel_and_wait(leaving)
                stop()

    return UpgradeResponse(serve, accept_headers(request.headers, offered[0] if offered else ""))


async def _until_gone(run: Callable[[Writer], Awaitable[None]], writer: Writer) -> None:
    try:
        await run(writer)
    except ConnectionError:
        return
