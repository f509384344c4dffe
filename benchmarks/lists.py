"""A collection of 30,000 Pods: what the server holds in memory for it, how long a LIST of all takes, and when its first byte comes.

The reader is a bare TLS socket that throws away what it gets, so that the figure is the server's.
"""

import socket
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from benchmarks import wrk
from benchmarks.api_server import api_server
from benchmarks.figures import Figure
from benchmarks.processes import memory
from benchmarks.target import Target, unverified
from benchmarks.workload import PODS, pod, prepare

COUNT = 30_000
ROUNDS = 5
RECEIVE = 1 << 20


@dataclass(frozen=True, slots=True)
class Download:
    """Seconds and bytes."""

    first_byte: float
    seconds: float
    size: int


def measure() -> list[Figure]:
    with api_server() as target:
        fill(target, COUNT)
        at_rest = memory(target.pid)
        lists = [download(target, PODS) for _ in range(ROUNDS)]
        used = memory(target.pid)
    fastest = min(lists, key=lambda each: each.seconds)
    size = fastest.size / 1e6
    spread = f"{size:.0f} MB; best of {ROUNDS}, slowest {max(each.seconds for each in lists):.2f} s"
    return [
        Figure(f"memory with {COUNT:,} Pods, before any LIST: PSS", at_rest.pss, "MB", "<= 600 (a fifth)", "2,970 + 209 (etcd)"),
        Figure(f"LIST of {COUNT:,} Pods, whole answer", fastest.seconds, "s", "0.2 to 0.7 (a third)", "0.6 to 2.2 (109 MB)", spread),
        Figure(f"LIST of {COUNT:,} Pods, first byte", min(each.first_byte for each in lists), "s"),
        Figure(f"memory with {COUNT:,} Pods, after the LISTs: PSS", used.pss, "MB", "<= 600 (a fifth)", "2,970 + 209 (etcd)"),
        Figure(f"memory with {COUNT:,} Pods, after the LISTs: RSS", used.rss, "MB"),
    ]


def fill(target: Target, count: int, prefix: str = "stored") -> None:
    """About so many Pods: requests that are under way when the load stops may be missing."""
    prepare(target)
    wrk.send(target, wrk.Load("POST", PODS, pod(prefix), limit=count + wrk.CONNECTIONS), 120)


def download(target: Target, path: str) -> Download:
    parts = urlsplit(target.url)
    request = f"GET {path} HTTP/1.1\r\nHost: {parts.netloc}\r\nAuthorization: Bearer {target.token}\r\nConnection: close\r\n\r\n"
    with socket.create_connection((parts.hostname or "", parts.port or 443)) as bare, unverified().wrap_socket(bare) as connection:
        buffer = bytearray(RECEIVE)
        started = time.perf_counter()
        connection.sendall(request.encode())
        size = connection.recv_into(buffer)
        first = time.perf_counter()
        if not buffer.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"LIST of {path}: {bytes(buffer[:200])!r}")
        while received := connection.recv_into(buffer):
            size += received
        return Download(first - started, time.perf_counter() - started, size)
