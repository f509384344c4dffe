"""What has arrived on one stream of a shared connection and is not read yet: bounded, so that a slow reader slows its sender."""

import asyncio
from collections import deque

BUFFER = 128 * 1024


class Inbox:
    """The first end counts: a stream that has ended in order can't break off any more, and the other way round."""

    def __init__(self, lost: str) -> None:
        self._lost = lost
        self._pieces: deque[bytes] = deque()
        self._size = 0
        self._changed = asyncio.Event()
        self._is_discarding = self._has_ended = self._is_broken = False

    @property
    def is_over(self) -> bool:
        """Nothing more arrives."""
        return self._has_ended or self._is_broken

    async def read(self) -> bytes:
        """The next piece, b"" at the end; raises ConnectionResetError (`lost` is its text) where the connection broke off."""
        while not self._pieces:
            if self._has_ended:
                return b""
            if self._is_broken:
                raise ConnectionResetError(self._lost)
            self._changed.clear()
            await self._changed.wait()
        data = self._pieces.popleft()
        self._size -= len(data)
        self._changed.set()
        return data

    async def feed(self, data: bytes) -> None:
        """Waits while the reader is behind."""
        while self._size >= BUFFER and not self._is_discarding:
            self._changed.clear()
            await self._changed.wait()
        if data and not self._is_discarding and not self.is_over:
            self._pieces.append(data)
            self._size += len(data)
            self._changed.set()

    def discard(self) -> None:
        """Nobody reads any more: what arrives is dropped, so that it can't hold up other streams."""
        self._is_discarding = True
        self._pieces.clear()
        self._size = 0
        self._changed.set()

    def end(self) -> None:
        self._has_ended = not self._is_broken
        self._changed.set()

    def break_off(self) -> None:
        self._is_broken = not self._has_ended
        self._changed.set()
