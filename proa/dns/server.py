"""The DNS sockets: UDP and TCP on one address, both answered by the responder."""

import asyncio
import contextlib
import struct
from collections.abc import Awaitable
from typing import cast

from proa.dns.responder import Responder

TCP_PATIENCE = 10.0


class UdpServer(asyncio.DatagramProtocol):
    """The hot path: one dict lookup and one send for a name that was asked before."""

    def __init__(self, responder: Responder) -> None:
        self._responder = responder
        self._pending: set[asyncio.Task[None]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)  # neither asyncio's nor uvloop's class says so itself

    def datagram_received(self, data: bytes, addr: tuple[str | int, int]) -> None:
        response = self._responder.respond(data)
        if isinstance(response, bytes):
            self._transport.sendto(response, addr)
        elif response is not None:
            task = asyncio.ensure_future(self._answer_later(response(), addr))
            self._pending.add(task)
            task.add_done_callback(self._pending.discard)

    async def _answer_later(self, response: Awaitable[bytes], addr: tuple[str | int, int]) -> None:
        self._transport.sendto(await response, addr)


async def serve_tcp(responder: Responder, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One connection: messages with their length before them (RFC 7766), until the client is done or silent."""
    with contextlib.suppress(OSError, TimeoutError, asyncio.IncompleteReadError), contextlib.closing(writer):
        while True:
            async with asyncio.timeout(TCP_PATIENCE):
                (length,) = struct.unpack(">H", await reader.readexactly(2))
                packet = await reader.readexactly(length)
            response = responder.respond(packet, over_tcp=True)
            if response is None:
                return
            answer = response if isinstance(response, bytes) else await response()
            writer.write(struct.pack(">H", len(answer)) + answer)
            await writer.drain()


async def listen(responder: Responder, address: str, port: int = 53) -> tuple[asyncio.DatagramTransport, asyncio.Server]:
    """Serve on both protocols."""
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: UdpServer(responder), local_addr=(address, port))
    server = await asyncio.start_server(lambda reader, writer: serve_tcp(responder, reader, writer), address, port)
    return transport, server
