"""Fan-out: every created Pod to 100 watchers, each on a TLS connection of its own, and what an event costs the server for each.

The watchers are a process of their own (`python -m benchmarks.watches URL COUNT`, the token on standard input) that counts lines and
decodes nothing; on a machine with few cores it competes with the server for them.
"""

import asyncio
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from benchmarks import wrk
from benchmarks.api_server import api_server
from benchmarks.figures import Figure
from benchmarks.processes import cpu_seconds
from benchmarks.target import Target, unverified
from benchmarks.workload import PODS, pod, prepare

WATCHERS = 100
SECONDS = 4.0
END_OF_EVENT = b"}}\n"
Loop = asyncio.AbstractEventLoop


class Watchers:
    """The process with all watchers."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def events(self) -> int:
        """Received so far, by all together."""
        return int(self._ask("count"))

    def settle(self) -> int:
        """The same once no more come."""
        last = -1
        while (now := self.events()) != last:
            last = now
            time.sleep(0.2)
        return now

    def cpu(self) -> float:
        return cpu_seconds(self._process.pid)

    def _ask(self, question: str) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(question + "\n")
        self._process.stdin.flush()
        return self._process.stdout.readline()


@contextmanager
def watching(target: Target, count: int = WATCHERS) -> Iterator[Watchers]:
    """Watch all Pods from now on, `count` times."""
    command = [sys.executable, "-m", "benchmarks.watches", target.url, str(count)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        watchers = Watchers(process)
        if (answer := watchers._ask(target.token)) != "ready\n":
            raise RuntimeError(f"watchers did not start: {answer!r}")
        yield watchers
    finally:
        process.kill()
        process.communicate()


def measure() -> list[Figure]:
    with api_server() as target:
        prepare(target)
        alone = wrk.run(target, wrk.Load("POST", PODS, pod("alone")), SECONDS)
        with watching(target) as watchers:
            before, started = cpu_seconds(target.pid), time.monotonic()
            outcome = wrk.run(target, wrk.Load("POST", PODS, pod("watched")), SECONDS)
            events = watchers.settle()
            seconds = time.monotonic() - started
            cpu = cpu_seconds(target.pid) - before
            readers = watchers.cpu()
    # What is left when the creates themselves are paid for.
    each = (cpu - outcome.requests * alone.cpu) / events
    note = (
        f"{outcome.rate:,.0f} creates/s; server CPU {each * 1e6:.1f} us an event and watcher, the watchers' process {readers:.1f} s of CPU"
    )
    return [Figure(f"watch fan-out to {WATCHERS} watchers: events delivered", events / seconds, "/s", note=note)]


class _Counter(asyncio.Protocol):
    """One watch. Counts the ends of events in what comes."""

    def __init__(self, request: bytes, opened: "asyncio.Future[None]") -> None:
        self._request = request
        self._opened = opened
        self._tail = b""
        self.events = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.write(self._request)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        if not self._opened.done():
            if data.startswith(b"HTTP/1.1 200"):
                self._opened.set_result(None)
            else:
                self._opened.set_exception(RuntimeError(data[:300].decode()))
        seen = self._tail + data
        self.events += seen.count(END_OF_EVENT)
        self._tail = seen[-2:]


async def _watch(url: str, count: int) -> None:
    loop = asyncio.get_running_loop()
    lines: asyncio.Queue[str] = asyncio.Queue()
    loop.add_reader(sys.stdin, lambda: lines.put_nowait(sys.stdin.readline()))
    token = (await lines.get()).strip()
    counters = await asyncio.gather(*(_open(loop, url, token, unverified()) for _ in range(count)))
    print("ready", flush=True)
    while await lines.get():
        print(sum(counter.events for counter in counters), flush=True)


async def _open(loop: Loop, url: str, token: str, tls: ssl.SSLContext) -> _Counter:
    parts = urlsplit(url)
    version = "resourceVersion=0&resourceVersionMatch=NotOlderThan&sendInitialEvents=false"
    head = f"GET /api/v1/pods?watch=true&{version} HTTP/1.1\r\nHost: {parts.netloc}\r\nAuthorization: Bearer {token}\r\n\r\n"
    opened: asyncio.Future[None] = loop.create_future()
    _, counter = await loop.create_connection(lambda: _Counter(head.encode(), opened), parts.hostname or "", parts.port or 443, ssl=tls)
    await opened
    return counter


if __name__ == "__main__":
    import uvloop

    uvloop.run(_watch(sys.argv[1], int(sys.argv[2])))
