"""What load balancers ask a node: whether it has endpoints of a Service with policy Local (healthCheckNodePort), whether its proxy works.

Source: Service API reference (spec.healthCheckNodePort) and kube-proxy's --healthz-bind-address: /healthz also says no while the node is
being deleted, so that balancers move on; /livez does not.
"""

import asyncio
import json
import logging
import socket
from collections.abc import Callable, Mapping
from typing import NamedTuple

from proa.lib.clock import Clock
from proa.proxy.rules import ServiceKey

_log = logging.getLogger(__name__)
READ_SECONDS = 5.0
REASONS = {200: "OK", 404: "Not Found", 503: "Service Unavailable"}


class HealthCheck(NamedTuple):
    """A Service's port, and how many ready endpoints of it are on this node."""

    port: int
    ready_here: int


class Answer(NamedTuple):
    status: int
    body: Mapping[str, object]
    headers: Mapping[str, str] = {}


Answerer = Callable[[str], Answer]
"""From a path to an answer."""
Listen = Callable[[int], socket.socket]
"""A listening socket on that port of the node."""


class HealthServers:
    """One listener per Service that has a health-check port, and one for the proxy itself if `own_port` is not 0."""

    def __init__(self, listen: Listen, clock: Clock, own_port: int = 0) -> None:
        self._listen, self._clock, self._own_port = listen, clock, own_port
        self._checks: dict[ServiceKey, HealthCheck] = {}
        self._servers: dict[ServiceKey, asyncio.Server] = {}
        self._last_sync = ""
        self.working = False
        self.node_eligible = True

    async def start(self) -> None:
        if self._own_port:
            await self._open("", self._own_port, self.answer_for_proxy)

    def synced(self, now: str) -> None:
        self.working, self._last_sync = True, now

    async def update(self, key: ServiceKey, check: HealthCheck | None) -> None:
        old = self._checks.pop(key, None)
        if old is not None and (check is None or check.port != old.port):
            await self._close(key)
        if check is not None:
            self._checks[key] = check
            if key not in self._servers:
                await self._open(key, check.port, lambda path: self.answer_for_service(key))

    async def close(self) -> None:
        for key in list(self._servers):
            await self._close(key)

    def answer_for_service(self, key: ServiceKey) -> Answer:
        namespace, _, name = key.partition("/")
        count = self._checks[key].ready_here if key in self._checks else 0
        body = {"service": {"namespace": namespace, "name": name}, "localEndpoints": count, "serviceProxyHealthy": self.working}
        healthy = count > 0 and self.working and self.node_eligible
        return Answer(200 if healthy else 503, body, {"X-Load-Balancing-Endpoint-Weight": str(count)})

    def answer_for_proxy(self, path: str) -> Answer:
        if path not in ("/healthz", "/livez"):
            return Answer(404, {})
        body: dict[str, object] = {"lastUpdated": self._last_sync, "currentTime": self._clock.now().isoformat()}
        healthy = self.working
        if path == "/healthz":
            body["nodeEligible"] = self.node_eligible
            healthy = healthy and self.node_eligible
        return Answer(200 if healthy else 503, body)

    async def _open(self, key: ServiceKey, port: int, answer: Answerer) -> None:
        """A port that is taken must not stop the rules: others tell the user by the balancer's own failing checks."""

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await _serve(reader, writer, answer)

        try:
            listener = await asyncio.to_thread(self._listen, port)
            self._servers[key] = await asyncio.start_server(serve, sock=listener)
        except OSError as error:
            _log.warning("cannot answer health checks of %s on port %d: %s", key or "the proxy", port, error)

    async def _close(self, key: ServiceKey) -> None:
        if server := self._servers.pop(key, None):
            server.close()
            await server.wait_closed()


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answer: Answerer) -> None:
    """One request, then goodbye: balancers open a connection per check."""
    try:
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), READ_SECONDS)
        path = head.split(b" ", 2)[1].decode("ascii", "replace").partition("?")[0]
        writer.write(encode(answer(path)))
        await writer.drain()
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, IndexError, OSError, TimeoutError):
        pass
    finally:
        writer.close()


def encode(answer: Answer) -> bytes:
    body = json.dumps(answer.body).encode() if answer.body else b""
    headers = {"Content-Type": "application/json", "X-Content-Type-Options": "nosniff", **answer.headers}
    lines = [f"HTTP/1.1 {answer.status} {REASONS[answer.status]}", *(f"{name}: {value}" for name, value in headers.items())]
    lines += [f"Content-Length: {len(body)}", "Connection: close", "", ""]
    return "\r\n".join(lines).encode() + body
