"""Joins a client that asks to exec, attach or port-forward with the next hop, whatever protocol the client speaks.

SPDY clients are joined byte by byte, so that nothing of the protocol is lost in between. WebSocket clients are translated. API server and
kubelet use the same code: only the next hop differs.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from proa.api.errors import BadRequest, Forbidden
from proa.client.streaming.command import DIALECTS, CommandChannels, CommandOptions, Dialect, failure, relay_command
from proa.client.streaming.port_forward import (
    CHANNEL_PROTOCOLS,
    SUBPROTOCOL,
    TUNNEL_SUBPROTOCOL,
    PortChannels,
    relay_ports,
    requested_ports,
)  # fmt: skip
from proa.client.streaming.target import PROTOCOL_HEADER, StreamTarget
from proa.lib.http.client import Upgraded
from proa.lib.http.message import AnyResponse, Connection, Request, Response, UpgradeResponse
from proa.lib.spdy.session import SpdySession
from proa.lib.streaming.channels import ChannelSocket
from proa.lib.streaming.pump import tunnel
from proa.lib.streaming.websocket_tunnel import WebSocketConnection
from proa.lib.tasks import run_together
from proa.lib.websocket import handshake
from proa.lib.websocket.connection import WebSocket

COMMAND_PROTOCOLS = ("v4.channel.k8s.io",)
_PASSED_ON = ("connection", "upgrade", PROTOCOL_HEADER)
_REFUSAL_HEADERS = ("content-type", "x-accepted-stream-protocol-versions")


def is_upgrade(request: Request) -> bool:
    return "upgrade" in handshake.tokens(request.headers.get("connection", ""))


def is_websocket(request: Request) -> bool:
    return handshake.is_upgrade(request.headers, "websocket")


def command_options(query: Mapping[str, Sequence[str]]) -> CommandOptions:
    """From PodExecOptions or PodAttachOptions as a query."""

    def flag(name: str) -> bool:
        values = query.get(name)
        return bool(values) and values[0].lower() not in ("", "false", "0")  # type: ignore[index]

    tty = flag("tty")
    return CommandOptions(flag("stdin"), flag("stdout"), flag("stderr") and not tty, tty)


async def command(request: Request, options: CommandOptions, target: StreamTarget) -> AnyResponse:
    """Raises ApiError for what can't be served, OSError when the next hop does not answer a SPDY client."""
    if not is_websocket(request):
        return await _join(request, target)
    protocol = _negotiate(request, DIALECTS)
    dialect = DIALECTS[protocol]

    async def run(connection: Connection) -> None:
        async with WebSocket(connection) as socket:
            channels = ChannelSocket(socket, is_text=dialect.base64, closes=dialect.closes)
            await _run_command(CommandChannels(channels, options, dialect), channels, target)

    return UpgradeResponse(run, handshake.accept_headers(request.headers, protocol))


async def _run_command(channels: CommandChannels, socket: ChannelSocket, target: StreamTarget) -> None:
    async with socket:
        try:
            await channels.greet()
            upgraded = await target.open(COMMAND_PROTOCOLS)
            if upgraded.connection is None:
                await channels.report(failure(f"unable to upgrade connection: {upgraded.body.decode('utf-8', 'replace').strip()}"))
                return
            async with SpdySession(upgraded.connection, server=False) as session:
                await run_together(relay_command(channels, session), socket.wait_ended())
        except OSError as error:
            if not socket.is_ended:
                await channels.report(failure(f"error dialing backend: {error}"))


async def port_forward(request: Request, target: Callable[[Sequence[int]], Awaitable[StreamTarget]]) -> AnyResponse:
    """`target(ports)` gives the next hop; the ports are known beforehand only for WebSocket channels."""
    if not is_websocket(request):
        return await _join(request, await target(()))
    offered = handshake.offered_protocols(request.headers)
    if TUNNEL_SUBPROTOCOL in offered:
        return await _tunnelled(request, await target(()))
    protocol = _negotiate(request, CHANNEL_PROTOCOLS)
    try:
        ports = requested_ports(request)
    except ValueError as error:
        raise BadRequest(str(error)) from None
    hop = await target(ports)

    async def run(connection: Connection) -> None:
        async with WebSocket(connection) as socket:
            channels = ChannelSocket(socket, is_text=CHANNEL_PROTOCOLS[protocol])
            await _run_ports([PortChannels(channels, index, port) for index, port in enumerate(ports)], channels, hop)

    return UpgradeResponse(run, handshake.accept_headers(request.headers, protocol))


async def _run_ports(ports: list[PortChannels], socket: ChannelSocket, target: StreamTarget) -> None:
    async with socket:
        try:
            for port in ports:
                await port.greet()
            upgraded = await target.open((SUBPROTOCOL,))
            if upgraded.connection is None:
                raise ConnectionRefusedError(upgraded.body.decode("utf-8", "replace").strip())
            async with SpdySession(upgraded.connection, server=False) as session:
                await run_together(relay_ports(ports, session), socket.wait_ended())
        except OSError as error:
            if not socket.is_ended:
                for port in ports:
                    await port.error.write(f"error forwarding port {port.port}: {error}".encode())


async def _join(request: Request, target: StreamTarget) -> AnyResponse:
    if not handshake.is_upgrade(request.headers, "SPDY/3.1"):
        raise BadRequest("Upgrade request required")
    protocols = [part.strip() for part in request.headers.get(PROTOCOL_HEADER, "").split(",") if part.strip()]
    upgraded = await target.open(protocols)
    backend = upgraded.connection
    if backend is None:
        return passed_on(upgraded)
    headers = {name: upgraded.headers[name] for name in _PASSED_ON if name in upgraded.headers}
    return UpgradeResponse(lambda connection: tunnel(connection, backend), headers)


async def _tunnelled(request: Request, target: StreamTarget) -> AnyResponse:
    if why := handshake.refusal(request.headers):
        raise BadRequest(why)
    upgraded = await target.open((SUBPROTOCOL,))
    backend = upgraded.connection
    if backend is None:
        return passed_on(upgraded)

    async def run(connection: Connection) -> None:
        async with WebSocket(connection) as socket:
            await tunnel(WebSocketConnection(socket), backend)

    return UpgradeResponse(run, handshake.accept_headers(request.headers, TUNNEL_SUBPROTOCOL))


def passed_on(upgraded: Upgraded) -> Response:
    """A refusal of the next hop, as it is."""
    headers = {name: value for name, value in upgraded.headers.items() if name in _REFUSAL_HEADERS}
    return Response(upgraded.status, headers, upgraded.body)


def _negotiate(request: Request, known: Mapping[str, Dialect | bool]) -> str:
    """The client's first choice that is spoken here. A client that names none gets the oldest, where there is one."""
    if why := handshake.refusal(request.headers):
        raise BadRequest(why)
    offered = handshake.offered_protocols(request.headers) or [""]
    chosen = next((each for each in offered if each in known), None)
    if chosen is None:
        raise Forbidden(f"none of the WebSocket protocols {offered} is supported; supported are {[each for each in known if each]}")
    return chosen
