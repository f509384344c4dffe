"""One direction-pair of bytes within a session that carries several: a SPDY stream or a channel of a WebSocket."""

from typing import Protocol


class ByteStream(Protocol):
    async def read(self) -> bytes:
        """What has arrived, at least one byte; b"" when the peer sends no more. Raises ConnectionError if the stream broke off."""
        ...

    async def write(self, data: bytes) -> None:
        """Waits while the peer is slow; raises ConnectionError when it takes no more."""
        ...

    async def close(self) -> None:
        """Say that nothing more will be written; reading goes on."""
        ...
