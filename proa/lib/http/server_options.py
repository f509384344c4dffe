"""The limits of a server and how it words its own refusals: one plain value, so that the API server and the kubelet share the code."""

from collections.abc import Callable

from proa.lib.dataclass import dataclass
from proa.lib.http.message import Response


def plain_refusal(status: int, message: str) -> Response:
    return Response(status, {"content-type": "text/plain; charset=utf-8"}, message.encode())


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """Times in seconds, sizes in bytes. `refuse` words what the server itself turns away (400, 408, 413, 431, 500).

    `eager_get` runs a GET up to its first suspension outside of a task, which spares a task for what is answered from memory; such a
    handler must not ask for its task (`asyncio.timeout`, `TaskGroup`) before it has suspended once.
    """

    body_limit: int = 3 * 1024 * 1024
    header_limit: int = 1024 * 1024
    request_timeout: float = 32.0
    idle_timeout: float = 180.0
    stall_timeout: float = 60.0
    """How long a client may leave an answer unread before it is cut off; streams that are `patient` wait for ever."""
    handshake_timeout: float = 15.0
    pipeline_depth: int = 16
    eager_get: bool = False
    streams: Callable[[bytes], bool] | None = None
    """Whether the handler of this request target reads a long body itself (`Request.stream`), which then has no limit."""
    stream_from: int = 64 * 1024
    """What is no longer is read beforehand all the same."""
    refuse: Callable[[int, str], Response] = plain_refusal
