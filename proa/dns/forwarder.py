"""Questions about the rest of the world, passed on to the machine's own resolvers.

Sockets are made in the network namespace that the process was started in, not in the node's: the machine's resolver may be a loopback
address that no node reaches. Each question gets a socket of its own, so a random port and identifier (RFC 5452), and at most `patience`.
"""

import asyncio
import os
import secrets
import socket
import struct
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from proa.lib.netlink.namespaces import enter

T = TypeVar("T")
MOST_AT_ONCE = 500


def upstream_servers(resolv_conf: str) -> list[str]:
    """The nameserver addresses of a resolv.conf (resolv.conf(5)), without zone ids."""
    words = [line.split() for line in resolv_conf.splitlines()]
    return [line[1].partition("%")[0] for line in words if len(line) > 1 and line[0] == "nameserver"]


class Forwarder:
    """`ask` takes and gives whole messages. `namespace` is an open descriptor of the network namespace to send from."""

    def __init__(self, servers: Sequence[str], namespace: int, *, patience: float = 2.0, port: int = 53) -> None:
        self._servers = [(server, port) for server in servers]
        self._namespace = namespace
        self._patience = patience
        self._places = asyncio.Semaphore(MOST_AT_ONCE)

    async def ask(self, message: bytes, *, over_tcp: bool = False) -> bytes | None:
        """The first server's answer that comes, each tried in turn; None if none answers."""
        async with self._places:
            for server in self._servers:
                try:
                    async with asyncio.timeout(self._patience):
                        return await (self._over_tcp(server, message) if over_tcp else self._over_udp(server, message))
                except (OSError, TimeoutError, asyncio.IncompleteReadError):
                    continue
        return None

    async def _over_udp(self, server: tuple[str, int], message: bytes) -> bytes:
        loop = asyncio.get_running_loop()
        identifier = secrets.token_bytes(2)
        with self._socket(server[0], socket.SOCK_DGRAM) as udp:
            await loop.sock_connect(udp, server)
            await loop.sock_sendall(udp, identifier + message[2:])
            while True:
                answer = await loop.sock_recv(udp, 65535)
                if answer[:2] == identifier:
                    return message[:2] + answer[2:]

    async def _over_tcp(self, server: tuple[str, int], message: bytes) -> bytes:
        tcp = self._socket(server[0], socket.SOCK_STREAM)
        try:
            await asyncio.get_running_loop().sock_connect(tcp, server)
            reader, writer = await asyncio.open_connection(sock=tcp)
        except BaseException:
            tcp.close()
            raise
        try:
            writer.write(struct.pack(">H", len(message)) + message)
            (length,) = struct.unpack(">H", await reader.readexactly(2))
            return await reader.readexactly(length)
        finally:
            writer.close()

    def _socket(self, server: str, kind: socket.SocketKind) -> socket.socket:
        family = socket.AF_INET6 if ":" in server else socket.AF_INET
        made = in_namespace(self._namespace, lambda: socket.socket(family, kind | socket.SOCK_NONBLOCK))
        made.setblocking(False)
        return made


def in_namespace(descriptor: int, make: Callable[[], T]) -> T:
    """Call `make` in a thread that stands in that network namespace."""
    result: list[T] = []

    def visit() -> None:
        enter(Path(f"/proc/self/fd/{descriptor}"))
        result.append(make())

    thread = threading.Thread(target=visit)
    thread.start()
    thread.join()
    return result[0]


def own_namespace() -> int:
    """A descriptor of the network namespace that this process is in now."""
    return os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
