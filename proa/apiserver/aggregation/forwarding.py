"""A request for another server's group version, passed on as it is: any method, streams, upgrades.

Who asks has been established and authorized here; the other server hears of it in headers, and never sees the client's credentials.
Source: kube-aggregator's proxy handler, whose refusals are plain text.
"""

from collections.abc import Callable
from contextlib import AsyncExitStack

from proa.apiserver.aggregation.identity import identity_headers
from proa.apiserver.aggregation.remote import BadTrust, RemoteApi
from proa.apiserver.interface import User
from proa.apiserver.outbound import Unresolved, go_error
from proa.lib.http.client import HttpClient
from proa.lib.http.message import AnyResponse, Request, Response, UpgradeResponse
from proa.lib.http.passing_on import end_to_end, forwarded_for, streamed
from proa.lib.streaming.pump import tunnel
from proa.lib.websocket import handshake

UNAVAILABLE = "service unavailable"
REDIRECTED = "the backend attempted to redirect this request, which is not permitted"
_OURS = ("authorization", "x-remote-", "impersonate-")


async def forward(request: Request, user: User, remote: RemoteApi, lost: Callable[[], None]) -> AnyResponse:
    """`lost` is told when the other server did not answer."""
    if not remote.available:
        return refusal(503, UNAVAILABLE)
    try:
        host, port = remote.address()
        client = remote.client(host, port)
    except Unresolved:
        return refusal(503, UNAVAILABLE)
    except BadTrust as error:
        return refusal(500, str(error))
    try:
        headers = forwarded_headers(request, user)
        if "upgrade" in handshake.tokens(request.headers.get("connection", "")):
            return await _upgrade(request, client, headers)
        return await _pass_on(request, client, headers)
    except OSError as error:
        if isinstance(error, ConnectionError | TimeoutError):
            lost()
        return refusal(503, go_error(error, host, port, remote.server_name))


def refusal(status: int, message: str) -> Response:
    headers = {"content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff"}
    return Response(status, headers, f"{message}\n".encode())


def forwarded_headers(request: Request, user: User) -> list[tuple[str, str]]:
    headers = {name: value for name, value in end_to_end(request.headers).items() if not name.startswith(_OURS)}
    if client := forwarded_for(request):
        headers["x-forwarded-for"] = client
    if host := request.headers.get("host"):
        headers["x-forwarded-host"] = host
    headers["x-forwarded-proto"] = "https"
    headers["x-forwarded-uri"] = request.raw_path or request.path
    return [*headers.items(), *identity_headers(user)]


def _target(request: Request) -> str:
    path = request.raw_path or request.path
    return f"{path}?{request.raw_query}" if request.raw_query else path


async def _pass_on(request: Request, client: HttpClient, headers: list[tuple[str, str]]) -> AnyResponse:
    async with AsyncExitStack() as stack:
        answer = await stack.enter_async_context(client.stream(request.method, _target(request), headers, request.body))
        if 300 <= answer.status < 400 and answer.headers.get("location"):
            return Response(502, {"content-type": "text/plain; charset=utf-8"}, REDIRECTED.encode())
        return streamed(answer, request, end_to_end(answer.headers), stack.pop_all())


async def _upgrade(request: Request, client: HttpClient, headers: list[tuple[str, str]]) -> AnyResponse:
    wanted = [(name, request.headers[name]) for name in ("connection", "upgrade") if name in request.headers]
    upgraded = await client.upgrade(request.method, _target(request), [*headers, *wanted], request.body)
    backend = upgraded.connection
    if backend is None:
        return Response(upgraded.status, end_to_end(upgraded.headers), upgraded.body)
    return UpgradeResponse(lambda connection: tunnel(connection, backend), upgraded.headers)
