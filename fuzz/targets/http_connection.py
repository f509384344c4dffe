"""The HTTP server's side of a connection: whatever comes is answered, or refused, or waited for; nothing but answers goes out."""

import asyncio
from typing import Any

from fuzz.loop import in_pieces, run
from proa.lib.http.message import AnyResponse, Request, Response, StreamResponse, Writer
from proa.lib.http.server_connection import ServerConnection
from proa.lib.http.server_options import ServerOptions

TURNS = 200
MOST = 512
OPTIONS = ServerOptions(body_limit=MOST, header_limit=MOST, eager_get=True, pipeline_depth=4)


class Transport(asyncio.Transport):
    def __init__(self) -> None:
        super().__init__()
        self.written = bytearray()
        self.closed = False

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """None is kept."""

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default

    def write(self, data: Any) -> None:
        self.written += data

    def writelines(self, list_of_data: Any) -> None:
        self.written += b"".join(list_of_data)

    def pause_reading(self) -> None:
        """Who feeds does not look."""

    def resume_reading(self) -> None:
        """The same."""

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    abort = close


async def handler(request: Request) -> AnyResponse:
    assert isinstance(request.path, str)
    assert len(request.body) <= MOST
    if request.method == "POST":
        await asyncio.sleep(0)
    if request.path == "/stream":
        return StreamResponse(_stream)
    return Response(200, {"content-type": "text/plain"}, request.body or b"x")


async def _stream(writer: Writer) -> None:
    await writer.write(b"x")


def one(data: bytes) -> None:
    run(_converse(in_pieces(data)))


async def _converse(pieces: list[bytes]) -> None:
    connections: set[ServerConnection] = set()
    connection, transport = ServerConnection(handler, OPTIONS, connections), Transport()
    connection.connection_made(transport)
    for piece in pieces:
        if transport.closed:
            break
        connection.data_received(piece)
        await asyncio.sleep(0)
    connection.eof_received()
    for _ in range(TURNS):
        if not connection.busy:
            break
        await asyncio.sleep(0)
    assert not connection.busy, "an answer does not end"
    connection.connection_lost(None)
    assert not connections
    await asyncio.sleep(0)
    assert not transport.written or transport.written.startswith(b"HTTP/1.1 "), bytes(transport.written[:100])
