"""port-forward with a client that speaks WebSocket channels: two channels a port, each opened by the port's number.

kubectl does not use this but carries SPDY itself; the Python clients do.
"""

import asyncio
import struct
from collections.abc import Sequence

from proa.lib.http.message import Request
from proa.lib.spdy.session import SpdySession
from proa.lib.spdy.stream import SpdyStream
from proa.lib.streaming.channels import Channel, ChannelSocket
from proa.lib.streaming.pump import pump
from proa.lib.tasks import cancel_and_wait

SUBPROTOCOL = "portforward.k8s.io"
TUNNEL_SUBPROTOCOL = f"SPDY/3.1+{SUBPROTOCOL}"
CHANNEL_PROTOCOLS = {"v4.channel.k8s.io": False, "v4.base64.channel.k8s.io": True, "": False}
"""Name -> whether it is base64; a client may name none."""


def requested_ports(request: Request) -> list[int]:
    """Clients of the API server say `ports`, those of a kubelet `port`. Raises ValueError, worded as upstream."""
    values = request.query.get("ports") or request.query.get("port") or ()
    texts = [text for value in values for text in value.split(",")]
    if not texts or not all(texts):
        raise ValueError('query parameter "port" is required' if not texts else 'query parameter "port" cannot be empty')
    ports = []
    for text in texts:
        if not text.isdigit():
            raise ValueError(f'unable to parse "{text}" as a port')
        if not 0 < int(text) < 65536:
            raise ValueError(f'port "{text}" must be > 0' if int(text) == 0 else f'unable to parse "{text}" as a port')
        ports.append(int(text))
    return ports


class PortChannels:
    """The client's side of one port."""

    def __init__(self, socket: ChannelSocket, index: int, port: int) -> None:
        self.port, self.index = port, index
        self.data = socket.channel(2 * index)
        self.error = socket.channel(2 * index + 1, readable=False)

    async def greet(self) -> None:
        for channel in (self.data, self.error):
            await channel.write(struct.pack("<H", self.port))


async def relay_ports(ports: Sequence[PortChannels], session: SpdySession) -> None:
    """Until every port's connection has ended."""
    await asyncio.gather(*(_relay_port(port, session) for port in ports))


async def _relay_port(port: PortChannels, session: SpdySession) -> None:
    headers = {"port": str(port.port), "requestid": str(port.index)}
    error = await session.open_stream({"streamtype": "error", **headers})
    await error.close()
    data = await session.open_stream({"streamtype": "data", **headers})
    upward = asyncio.create_task(_feed(port.data, data))
    try:
        await asyncio.gather(pump(data, port.data), pump(error, port.error))
    finally:
        await cancel_and_wait(upward)


async def _feed(source: Channel, target: SpdyStream) -> None:
    try:
        await pump(source, target)
    finally:
        source.discard()
