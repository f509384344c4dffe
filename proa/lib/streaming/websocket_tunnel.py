"""A byte connection carried in the binary messages of a WebSocket, as kubectl carries SPDY for port-forward."""

from proa.lib.websocket.connection import WebSocket

PIECE = 32 * 1024


class WebSocketConnection:
    """A `Connection`. Message borders mean nothing; the WebSocket itself belongs to the caller."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket
        self._rest = b""

    async def read(self, limit: int = 65536) -> bytes:
        while not self._rest:
            piece = await self._socket.receive()
            if piece is None:
                return b""
            self._rest = piece.data
        data, self._rest = self._rest[:limit], self._rest[limit:]
        return data

    async def write(self, data: bytes) -> None:
        for start in range(0, len(data), PIECE):
            await self._socket.send(data[start : start + PIECE])

    async def close(self) -> None:
        await self._socket.close()
