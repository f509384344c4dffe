"""What a proxy does to messages, whoever it stands before: headers of one hop stay, everything else passes, and answers stream."""

from collections.abc import Mapping
from contextlib import AsyncExitStack

from proa.lib.http.client import HttpStream
from proa.lib.http.message import AnyResponse, Request, Response, StreamResponse, Writer

_HOP_BY_HOP = frozenset(
    {"connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer"}
    | {"transfer-encoding", "upgrade"}
)
_FRAMING = frozenset({"content-length", "expect", "host"})


def end_to_end(headers: Mapping[str, str]) -> dict[str, str]:
    """Without what belongs to one connection, and what frames the message on it (RFC 9110, 7.6.1)."""
    named = {part.strip().lower() for part in headers.get("connection", "").split(",")}
    left_out = _HOP_BY_HOP | _FRAMING | named
    return {name: value for name, value in headers.items() if name not in left_out}


def forwarded_for(request: Request) -> str:
    """The next X-Forwarded-For: who asked, after whom they asked for."""
    client = request.peer.rpartition(":")[0].strip("[]")
    known = request.headers.get("x-forwarded-for", "")
    return f"{known}, {client}" if known and client else known or client


def streamed(answer: HttpStream, request: Request, headers: dict[str, str], held: AsyncExitStack) -> AnyResponse:
    """The answer as it comes; `held` keeps its connection until it has passed."""
    repeated = tuple((name, value) for name, value in answer.repeated if name in headers)
    single = {name: value for name, value in headers.items() if not any(name == each for each, _ in repeated)}
    if is_bare(answer, request):
        if request.method == "HEAD" and "content-length" in answer.headers:
            single["content-length"] = answer.headers["content-length"]
        return Response(answer.status, single, repeated_headers=repeated)
    return StreamResponse(lambda writer: _copy(answer, held, writer), answer.status, single, repeated, patient=True)


def is_bare(answer: HttpStream, request: Request) -> bool:
    """Whether nothing follows the head."""
    return answer.status in (204, 304) or request.method == "HEAD" or answer.headers.get("content-length") == "0"


async def _copy(answer: HttpStream, held: AsyncExitStack, writer: Writer) -> None:
    async with held:
        async for chunk in answer.chunks():
            await writer.write(chunk)
