"""Writes to a database and says so on stdout, for a trace of its system calls: `python traced_writer.py DATABASE one-by-one|together`."""

import asyncio
import os
import sys
from pathlib import Path

from proa.storage.backends.sqlite import SqliteBackend

COUNT = 20


async def main(path: Path, together: bool) -> None:
    backend = SqliteBackend(path)
    await backend.start()

    async def write(number: int) -> None:
        os.write(1, f"ask {number};".encode())
        await backend.create(f"/{number}", b"x" * 2000)
        os.write(1, f"answer {number};".encode())

    if together:
        await asyncio.gather(*map(write, range(COUNT)))
    else:
        for number in range(COUNT):
            await write(number)
    await backend.stop()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2] == "together"))
