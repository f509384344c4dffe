"""exec and attach: a client's WebSocket channels on one side, a SPDY session with the next hop on the other.

The versions of the channel protocol differ in three things: how bytes are framed, whether the end of standard input can be said, and
whether the outcome comes as a Status or, in the oldest, as bare text.
"""

import asyncio
from contextlib import suppress

import orjson

from proa.api.errors import InternalError
from proa.lib.dataclass import dataclass
from proa.lib.spdy.session import SpdySession
from proa.lib.spdy.stream import SpdyStream
from proa.lib.streaming.channels import Channel, ChannelSocket
from proa.lib.streaming.pump import pump
from proa.lib.tasks import cancel_and_wait

STREAM_TYPE = "streamtype"
STATUS_LIMIT = 1024 * 1024
STDIN, STDOUT, STDERR, ERROR, RESIZE = range(5)


@dataclass(frozen=True, slots=True)
class Dialect:
    """A subprotocol of WebSockets for commands."""

    base64: bool = False
    closes: bool = False
    plain_errors: bool = False


DIALECTS = {
    "v5.channel.k8s.io": Dialect(closes=True),
    "v4.channel.k8s.io": Dialect(),
    "v4.base64.channel.k8s.io": Dialect(base64=True),
    "channel.k8s.io": Dialect(plain_errors=True),
    "base64.channel.k8s.io": Dialect(base64=True, plain_errors=True),
    "": Dialect(plain_errors=True),
}


@dataclass(frozen=True, slots=True)
class CommandOptions:
    """Which streams a command has. A terminal has no separate standard error, but a size."""

    stdin: bool = False
    stdout: bool = False
    stderr: bool = False
    tty: bool = False


class CommandChannels:
    """The client's side."""

    def __init__(self, socket: ChannelSocket, options: CommandOptions, dialect: Dialect) -> None:
        self.options = options
        self._dialect = dialect
        self.stdin = socket.channel(STDIN, readable=options.stdin)
        self.resize = socket.channel(RESIZE, readable=options.tty)
        self.stdout = socket.channel(STDOUT, readable=False)
        self.stderr = socket.channel(STDERR, readable=False)
        self._error = socket.channel(ERROR, readable=False)
        self._socket = socket

    async def greet(self) -> None:
        """An empty message tells clients that the other end is there."""
        number = STDOUT if self.options.stdout else STDERR if self.options.stderr else ERROR
        await self._socket.send(number, b"")

    async def report(self, status: bytes) -> None:
        """The outcome, a Status as JSON."""
        text = plain_error(status) if self._dialect.plain_errors else status
        if text:
            await self._error.write(text)


def plain_error(status: bytes) -> bytes:
    """What versions before 4 say of an outcome: nothing for success, else its message."""
    try:
        document = orjson.loads(status)
    except orjson.JSONDecodeError:
        return status
    return b"" if document.get("status") == "Success" else str(document.get("message", "")).encode()


def failure(message: str) -> bytes:
    return orjson.dumps(InternalError.of(message).to_status())


async def relay_command(channels: CommandChannels, session: SpdySession) -> None:
    """Until the command has ended and all of its output has been passed on."""
    streams = {kind: await session.open_stream({STREAM_TYPE: kind}) for kind in stream_types(channels.options)}
    sources = {"stdin": channels.stdin, "resize": channels.resize}
    sinks = {"stdout": channels.stdout, "stderr": channels.stderr}
    feeding = [asyncio.create_task(_feed(source, streams[kind])) for kind, source in sources.items() if kind in streams]
    outcome = asyncio.create_task(_outcome(streams["error"]))
    try:
        await asyncio.gather(outcome, *(pump(streams[kind], sink) for kind, sink in sinks.items() if kind in streams))
        await channels.report(outcome.result())
    finally:
        await cancel_and_wait(*feeding)


def stream_types(options: CommandOptions) -> list[str]:
    """In the order in which they are opened; the other side waits for exactly these."""
    wanted = {
        "error": True,
        "stdin": options.stdin,
        "stdout": options.stdout,
        "stderr": options.stderr and not options.tty,
        "resize": options.tty,
    }
    return [kind for kind, is_wanted in wanted.items() if is_wanted]


async def _feed(source: Channel, target: SpdyStream) -> None:
    """A command that reads no more must not hold up the client's other channels."""
    try:
        await pump(source, target)
    finally:
        source.discard()


async def _outcome(error: SpdyStream) -> bytes:
    with suppress(ConnectionError):
        return await error.read_all(STATUS_LIMIT)
    return failure("error reading from error stream: the connection to the node was lost")
