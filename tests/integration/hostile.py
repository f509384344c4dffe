"""An API server in a process of its own, over TLS, and what it holds: memory, descriptors, tasks, watches. What its attackers leave behind
is seen from outside."""

import asyncio
import os
import re
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from benchmarks.api_server import Installation
from benchmarks.target import Target, unverified
from proa.lib.dataclass import dataclass

MAPS = "/api/v1/namespaces/default/configmaps"
PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class Held:
    """What a process holds, memory in bytes."""

    memory: int
    descriptors: int
    tasks: int


class Besieged:
    """The server as its clients see it."""

    def __init__(self, installed: Installation, target: Target) -> None:
        self.port = installed.port
        self.pid = target.pid
        self.token = target.token
        self.context: ssl.SSLContext = unverified()
        self.served = 0

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port, ssl=self.context, limit=1 << 24)

    def head(self, method: str, target: str, *lines: str) -> bytes:
        own = [f"{method} {target} HTTP/1.1", "host: x", f"authorization: Bearer {self.token}"]
        return "\r\n".join([*own, *lines, "", ""]).encode("latin-1")

    def request(self, method: str, target: str, body: bytes = b"", content_type: str = "application/json", *lines: str) -> bytes:
        return self.head(method, target, f"content-type: {content_type}", f"content-length: {len(body)}", *lines) + body

    async def say(self, data: bytes) -> tuple[int, bytes, bytes]:
        """(status, head, body) of the answer to these bytes."""
        reader, writer = await self.connect()
        try:
            writer.write(data)
            return await asyncio.wait_for(answer(reader), PATIENCE)
        finally:
            writer.transport.abort()

    async def ask(self, method: str, target: str, body: bytes = b"", content_type: str = "application/json") -> tuple[int, bytes]:
        status, _, content = await self.say(self.request(method, target, body, content_type))
        return status, content

    async def held(self) -> Held:
        process = Path(f"/proc/{self.pid}")
        memory = int(re.findall(r"VmRSS:\s+(\d+) kB", (process / "status").read_text())[0]) * 1024
        _, metrics = await self.ask("GET", "/metrics")
        tasks = re.findall(rb"^asyncio_tasks (\d+)", metrics, re.MULTILINE)
        return Held(memory, len(os.listdir(process / "fd")), int(tasks[0]))

    @asynccontextmanager
    async def unharmed(self, memory: int = 48 << 20) -> AsyncIterator[None]:
        """A well-behaved client is served all the time, and afterwards nothing is left: descriptors and tasks are what they were, and not
        more than `memory` bytes have been added."""
        before = await self.held()
        client = asyncio.create_task(self._well_behaved())
        yield
        served = self.served
        async with asyncio.timeout(PATIENCE):
            while self.served == served and not client.done():  # noqa: ASYNC110 - it is being served
                await asyncio.sleep(0.01)
        client.cancel()
        assert (await asyncio.gather(client, return_exceptions=True))[0].__class__ is asyncio.CancelledError
        async with asyncio.timeout(PATIENCE):
            while (after := await self.held()).descriptors > before.descriptors or after.tasks > before.tasks:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        assert after.memory - before.memory < memory

    async def _well_behaved(self) -> None:
        reader, writer = await self.connect()
        try:
            while True:
                writer.write(self.head("GET", "/api/v1/namespaces/default"))
                status, _, _ = await asyncio.wait_for(answer(reader), PATIENCE)
                assert status == 200
                self.served += 1
                await asyncio.sleep(0.01)
        finally:
            writer.transport.abort()


async def answer(reader: asyncio.StreamReader) -> tuple[int, bytes, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    length = re.findall(rb"content-length: (\d+)", head)
    return int(head.split()[1]), head, await reader.readexactly(int(length[0]) if length else 0)
