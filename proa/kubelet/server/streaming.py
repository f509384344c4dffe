"""exec, attach and port-forward at the node: find the container, ask the runtime for a streaming URL, join it with the caller."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from proa.api import meta
from proa.api.meta import Object
from proa.client.streaming import gateway
from proa.client.streaming.command import CommandOptions
from proa.client.streaming.target import StreamTarget
from proa.kubelet.cri.errors import RuntimeFailure, RuntimeNotFound, describe
from proa.kubelet.server.node import Node
from proa.lib.http.client import Endpoint
from proa.lib.http.message import AnyResponse, Request, Response


class StreamFailure(Exception):
    """What the caller is told, as plain text."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


def from_runtime(failure: RuntimeFailure) -> StreamFailure:
    return StreamFailure(404 if isinstance(failure, RuntimeNotFound) else 500, describe(failure))


def command_options(request: Request) -> CommandOptions:
    """The kubelet's own names for the streams. Raises StreamFailure when there is none."""

    def asked(name: str) -> bool:
        return request.parameter(name) in ("1", "true")

    tty = asked("tty")
    options = CommandOptions(asked("input"), asked("output"), asked("error") and not tty, tty)
    if not (options.stdin or options.stdout or options.stderr):
        raise StreamFailure(400, "you must specify at least 1 of stdin, stdout, stderr")
    return options


def stream_target(url: str) -> StreamTarget:
    parts = urlsplit(url)
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    return StreamTarget(Endpoint(parts.hostname or "127.0.0.1", parts.port or 80), path)


class Streaming:
    """Raises StreamFailure, and ApiError from the protocols' negotiation."""

    def __init__(self, node: Node) -> None:
        self._node = node

    async def exec(self, request: Request, namespace: str, pod: str, container: str, uid: str = "") -> AnyResponse:
        options = command_options(request)
        found = await self._running(namespace, pod, container, uid)
        command = request.query.get("command", [])
        try:
            url = await self._node.runtime.exec(
                found, command, stdin=options.stdin, stdout=options.stdout, stderr=options.stderr, tty=options.tty
            )
        except RuntimeFailure as failure:
            raise from_runtime(failure) from None
        return await gateway.command(request, options, stream_target(url))

    async def attach(self, request: Request, namespace: str, pod: str, container: str, uid: str = "") -> AnyResponse:
        options = command_options(request)
        found = await self._running(namespace, pod, container, uid)
        try:
            url = await self._node.runtime.attach(found, stdin=options.stdin, stdout=options.stdout, stderr=options.stderr, tty=options.tty)
        except RuntimeFailure as failure:
            raise from_runtime(failure) from None
        return await gateway.command(request, options, stream_target(url))

    async def port_forward(self, request: Request, namespace: str, pod: str, uid: str = "") -> AnyResponse:
        sandbox = self._node.sandbox_of(self._pod(namespace, pod, uid))
        if sandbox is None:
            raise StreamFailure(500, f'failed to find sandbox for pod "{pod}_{namespace}"')

        async def target(ports: Sequence[int]) -> StreamTarget:
            try:
                return stream_target(await self._node.runtime.port_forward(sandbox.id, ports))
            except RuntimeFailure as failure:
                raise from_runtime(failure) from None

        return await gateway.port_forward(request, target)

    async def run(self, request: Request, namespace: str, pod: str, container: str, uid: str = "") -> Response:
        """One command without streams: its output, standard error behind."""
        found = await self._running(namespace, pod, container, uid)
        command = request.parameter("cmd").split(" ")
        try:
            result = await self._node.runtime.exec_sync(found, command, timeout=int(request.parameter("timeout") or 0))
        except RuntimeFailure as failure:
            raise from_runtime(failure) from None
        if result.exit_code:
            text = (result.stdout + result.stderr).decode("utf-8", "replace")
            raise StreamFailure(500, f"command '{' '.join(command)}' exited with {result.exit_code}: {text}")
        return Response(200, {"content-type": "text/plain"}, result.stdout + result.stderr)

    def _pod(self, namespace: str, name: str, uid: str) -> Object:
        pod = self._node.find_pod(namespace, name, uid)
        if pod is None:
            raise StreamFailure(404, "pod does not exist")
        return pod

    async def _running(self, namespace: str, pod: str, container: str, uid: str) -> str:
        """The id of the container's running attempt."""
        found = await self._node.find_container(namespace, meta.name(self._pod(namespace, pod, uid)), container, uid)
        if found is None or found.status is None or not found.status.is_running:
            raise StreamFailure(500, f'container not found ("{container}")')
        return found.status.id
