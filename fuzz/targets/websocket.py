"""WebSocket frames: pieces come out until the peer has closed or broken the protocol, on either side."""

from fuzz.loop import Said, in_pieces, run
from proa.lib.websocket.connection import WebSocket


def one(data: bytes) -> None:
    run(_receive(in_pieces(data[1:]), client=bool(data[:1] and data[0] & 1)))


async def _receive(pieces: list[bytes], *, client: bool) -> None:
    async with WebSocket(Said(pieces), client=client) as socket:
        while (piece := await socket.receive()) is not None:
            assert isinstance(piece.data, bytes)
            try:
                await socket.send(piece.data)
            except ConnectionError:
                break
