"""The sending side of a multiplexed connection: many writers, one task that writes.

Data waits its turn while much is under way, so memory stays bounded; control frames never wait, because who reads from the peer must not
wait for the peer to read (two ends that both did so would stand still for ever).
"""

import asyncio

from proa.lib.http.message import Connection

HIGH_WATER = 256 * 1024
CONTROL_LIMIT = 4 * 1024 * 1024
"""So much unsent means a peer that provokes answers and reads none."""


class Outbox:
    """`run` writes until `finish` was called and all is sent, or the connection breaks."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._pieces: list[bytes] = []
        self._size = 0
        self._in_flight = 0
        self._work = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._finishing = False
        self._error: ConnectionError | None = None

    @property
    def broken(self) -> bool:
        return self._error is not None

    def post(self, data: bytes) -> None:
        """Send without waiting: for small answers to the peer. Nothing is sent on a broken connection."""
        if self._error is not None or self._finishing:
            return
        self._pieces.append(data)
        self._size += len(data)
        if self._size > CONTROL_LIMIT:
            self.fail(ConnectionError("the peer does not read"))
        elif self._size + self._in_flight > HIGH_WATER:
            self._room.clear()
        self._work.set()

    async def send(self, data: bytes) -> None:
        """Send when there is room; raises ConnectionError."""
        await self.room()
        self.post(data)

    async def room(self) -> None:
        """Return when data may be posted: for who must encode at the moment of sending."""
        await self._room.wait()
        self.check()

    def check(self) -> None:
        if self._error is not None:
            raise ConnectionResetError(str(self._error))
        if self._finishing:
            raise ConnectionResetError("the session is closed")

    def finish(self) -> None:
        """Accept nothing more; `run` ends when all is sent."""
        self._finishing = True
        self._work.set()
        self._room.set()

    def fail(self, error: ConnectionError) -> None:
        self._error = self._error or error
        self._pieces.clear()
        self._size = 0
        self._work.set()
        self._room.set()

    async def run(self) -> None:
        while self._error is None:
            if not self._pieces:
                if self._finishing:
                    return
                self._work.clear()
                await self._work.wait()
                continue
            data, self._pieces = b"".join(self._pieces), []
            self._in_flight, self._size = self._size, 0
            try:
                await self._connection.write(data)
            except ConnectionError as error:
                self.fail(error)
            self._in_flight = 0
            if self._size <= HIGH_WATER:
                self._room.set()
