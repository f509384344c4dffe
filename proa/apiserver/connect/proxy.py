"""Passes a request on to a pod, a service's endpoint or a kubelet, and the answer back: any method, upgrades too.

Credentials for this server never leave it. Answers stream; only HTML is held, as its links must be kept within the proxy.
"""

import gzip
import zlib
from collections.abc import Mapping
from contextlib import AsyncExitStack

from proa.api.errors import ServiceUnavailable
from proa.apiserver.connect.kubelet import dial_error, unknown_error
from proa.apiserver.connect.links import rewrite_html, rewrite_url
from proa.client.streaming import gateway
from proa.lib.dataclass import dataclass
from proa.lib.http.client import Endpoint, HttpClient, HttpStream
from proa.lib.http.message import AnyResponse, Request, Response, UpgradeResponse
from proa.lib.http.passing_on import end_to_end, forwarded_for, is_bare, streamed
from proa.lib.streaming.pump import tunnel

HTML_LIMIT = 16 * 1024 * 1024
_OURS = ("authorization", "x-remote-", "impersonate-")


@dataclass(frozen=True, slots=True)
class ProxyTarget:
    """`path` begins with "/" or is empty; `prefix` is the proxy's own path, up to where `path` begins."""

    endpoint: Endpoint
    path: str
    prefix: str


async def proxy(request: Request, target: ProxyTarget) -> AnyResponse:
    if gateway.is_upgrade(request):
        return await _upgrade(request, target)
    if not target.path and request.method in ("GET", "HEAD"):
        location = f"{request.raw_path}/{f'?{request.raw_query}' if request.raw_query else ''}"
        return Response(301, {"location": location})
    request.goes_with_client = True  # there is no other bound to how long a backend may think
    async with AsyncExitStack() as stack:
        client = HttpClient(target.endpoint, timeout=None)
        stack.push_async_callback(client.close)
        body = request.body if request.stream is None else request.stream
        try:
            headers = list(forwarded_headers(request, target).items())
            answer = await stack.enter_async_context(client.stream(request.method, _target(request, target), headers, body))
        except OSError as error:
            raise ServiceUnavailable(f"error trying to reach service: {dial_error(target.endpoint, error)}") from None
        headers_back = answer_headers(answer.headers, request, target)
        if _is_html(answer) and not is_bare(answer, request):
            return Response(answer.status, headers_back, await _page(answer, request, target))
        if is_bare(answer, request):
            return streamed(answer, request, headers_back, stack)
        return streamed(answer, request, headers_back, stack.pop_all())


def _target(request: Request, target: ProxyTarget) -> str:
    path = target.path or "/"
    return f"{path}?{request.raw_query}" if request.raw_query else path


def forwarded_headers(request: Request, target: ProxyTarget) -> dict[str, str]:
    """The host stays the one that the client asked."""
    headers = {name: value for name, value in end_to_end(request.headers).items() if not name.startswith(_OURS)}
    if client := forwarded_for(request):
        headers["x-forwarded-for"] = client
    headers["x-forwarded-uri"] = f"{target.prefix}{target.path}"
    if host := request.headers.get("host"):
        headers["host"] = host
    return headers


def answer_headers(headers: Mapping[str, str], request: Request, target: ProxyTarget) -> dict[str, str]:
    """CORS is this server's affair, so the backend's answers to it are left out."""
    back = {name: value for name, value in end_to_end(headers).items() if not name.startswith("access-control-")}
    if location := back.get("location"):
        back["location"] = rewrite_url(location, target.prefix, *_hosts(request, target))
    return back


def _hosts(request: Request, target: ProxyTarget) -> tuple[str, str]:
    return target.endpoint.authority, request.headers.get("host", "")


def _is_html(answer: HttpStream) -> bool:
    encoding = answer.headers.get("content-encoding", "")
    length = answer.headers.get("content-length", "0")
    kind = answer.headers.get("content-type", "").partition(";")[0].strip()
    return kind == "text/html" and encoding in ("", "gzip", "deflate") and int(length) <= HTML_LIMIT and "location" not in answer.headers


async def _page(answer: HttpStream, request: Request, target: ProxyTarget) -> bytes:
    body = await answer.read()
    encoding = answer.headers.get("content-encoding", "")
    plain = gzip.decompress(body) if encoding == "gzip" else zlib.decompress(body, -15) if encoding == "deflate" else body
    page = rewrite_html(plain.decode("utf-8", "surrogateescape"), target.prefix, *_hosts(request, target))
    moved = page.encode("utf-8", "surrogateescape")
    if moved == plain:
        return body
    return gzip.compress(moved) if encoding == "gzip" else zlib.compress(moved, wbits=-15) if encoding == "deflate" else moved


async def _upgrade(request: Request, target: ProxyTarget) -> AnyResponse:
    """The handshake goes on as it is, for protocols that nobody here knows."""
    headers = forwarded_headers(request, target)
    headers |= {name: request.headers[name] for name in ("connection", "upgrade") if name in request.headers}
    client = HttpClient(target.endpoint)
    try:
        upgraded = await client.upgrade(request.method, _target(request, target), list(headers.items()), request.body)
    except OSError as error:
        raise unknown_error(dial_error(target.endpoint, error)) from None
    finally:
        await client.close()
    backend = upgraded.connection
    if backend is None and upgraded.status < 400:
        raise unknown_error(f"invalid upgrade response: status code {upgraded.status}")
    if backend is None:
        return Response(upgraded.status, answer_headers(upgraded.headers, request, target), upgraded.body)
    return UpgradeResponse(lambda connection: tunnel(connection, backend), upgraded.headers)
