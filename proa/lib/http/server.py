"""An HTTP/1.1 server for one handler: TLS and Unix-socket listeners, time-outs by one sweep over all connections, graceful shutdown."""

import asyncio
import os
import socket
import ssl
from contextlib import suppress
from pathlib import Path

from proa.lib.http.message import Handler
from proa.lib.http.server_connection import ServerConnection
from proa.lib.http.server_options import ServerOptions

SWEEP_INTERVAL = 1.0
UNIX_PEER = "unix"


class HttpServer:
    """Serves `handler` on any number of listeners until `stop`."""

    def __init__(self, handler: Handler, options: ServerOptions | None = None) -> None:
        self._handler = handler
        self._options = options or ServerOptions()
        self._connections: set[ServerConnection] = set()
        self._servers: list[asyncio.Server] = []
        self._unix_paths: list[Path] = []
        self._sweeper: asyncio.TimerHandle | None = None

    @property
    def connection_count(self) -> int:
        return len(self._connections)

    async def listen(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> int:
        """Start serving; the port, which matters if 0 was asked for. Raises OSError if the address is taken."""
        server = await asyncio.get_running_loop().create_server(
            lambda: ServerConnection(self._handler, self._options, self._connections),
            host,
            port,
            ssl=tls,
            backlog=1024,
            ssl_handshake_timeout=self._options.handshake_timeout if tls else None,
        )
        self._add(server)
        bound: int = server.sockets[0].getsockname()[1]
        return bound

    async def listen_unix(self, path: Path) -> None:
        """Serve on a Unix socket that only its owner may open; requests have the peer "unix"."""
        listener = _private_socket(path)
        server = await asyncio.get_running_loop().create_unix_server(
            lambda: ServerConnection(self._handler, self._options, self._connections, UNIX_PEER), sock=listener, backlog=1024
        )
        self._unix_paths.append(path)
        self._add(server)

    def _add(self, server: asyncio.Server) -> None:
        self._servers.append(server)
        if self._sweeper is None:
            self._sweeper = asyncio.get_running_loop().call_later(SWEEP_INTERVAL, self._sweep)

    def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        for connection in list(self._connections):
            connection.look_at_time(now)
        self._sweeper = loop.call_later(SWEEP_INTERVAL, self._sweep)

    async def stop(self, grace: float = 5.0) -> None:
        """Stop listening, end streams, let answers at work finish for `grace` seconds, then close everything."""
        if self._sweeper is not None:
            self._sweeper.cancel()
            self._sweeper = None
        for server in self._servers:
            server.close()
        for connection in list(self._connections):
            connection.shut_down()
        loop = asyncio.get_running_loop()
        deadline = loop.time() + grace
        while self._connections and loop.time() < deadline:  # noqa: ASYNC110 - the set empties by connections of any state
            await asyncio.sleep(0.01)
        for connection in list(self._connections):
            connection.shut_down(now=True)
            connection.transport.abort()
        for path in self._unix_paths:
            _remove(path)


def _private_socket(path: Path) -> socket.socket:
    _remove(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    os.chmod(path, 0o600)
    return listener


def _remove(path: Path) -> None:
    with suppress(FileNotFoundError):
        path.unlink()
