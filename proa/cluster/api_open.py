"""Waiting for the API server's socket: all parts start together, and an informer that was refused once would wait for its back-off."""

import asyncio
from pathlib import Path

INTERVAL = 0.01


async def wait_until_open(address: Path | tuple[str, int]) -> None:
    """Return when something accepts connections there (a Unix socket's path, or host and port)."""
    while True:
        try:
            if isinstance(address, Path):
                _, writer = await asyncio.open_unix_connection(address)
            else:
                _, writer = await asyncio.open_connection(*address)
        except OSError:
            await asyncio.sleep(INTERVAL)
        else:
            writer.close()
            return
