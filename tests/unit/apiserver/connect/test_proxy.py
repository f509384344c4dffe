"""The proxy against a backend on a loopback port, and the rewriting of links."""

import asyncio
import gzip
from collections.abc import Awaitable, Callable

import pytest

from proa.api.errors import ApiError
from proa.apiserver.connect.links import rewrite_html, rewrite_url
from proa.apiserver.connect.proxy import ProxyTarget, proxy
from proa.lib.http.client import Endpoint, HttpClient
from proa.lib.http.message import AnyResponse, Connection, Request, Response, StreamResponse, UpgradeResponse, Writer
from proa.lib.http.server import HttpServer

PREFIX = "/api/v1/namespaces/n/pods/p/proxy"
HOSTS = ("10.0.0.1:80", "localhost:8001")


@pytest.mark.parametrize(
    ("url", "moved"),
    [
        ("/a?b=c#d", f"{PREFIX}/a?b=c#d"),
        ("/", f"{PREFIX}/"),
        ("relative/a", "relative/a"),
        ("http://10.0.0.1:80/a", f"{PREFIX}/a"),
        ("http://localhost:8001/a/", f"http://localhost:8001{PREFIX}/a/"),
        ("/a/../b//c", f"{PREFIX}/b/c"),
        ("http://elsewhere/a", "http://elsewhere/a"),
        (f"{PREFIX}/a", f"{PREFIX}/a"),
        ("http://[broken/", "http://[broken/"),
    ],
)
def test_urls(url: str, moved: str) -> None:
    assert rewrite_url(url, PREFIX, *HOSTS) == moved


@pytest.mark.parametrize(
    ("page", "moved"),
    [
        ('<a href="/rewriteme">test</a>', f'<a href="{PREFIX}/rewriteme">test</a>'),
        ("<IMG alt=x SRC='/i.png'/>", f'<IMG alt=x SRC="{PREFIX}/i.png"/>'),
        ("<script src=/s.js></script>", f'<script src="{PREFIX}/s.js"></script>'),
        ('<a href="/a?x=1&amp;y=2">', f'<a href="{PREFIX}/a?x=1&amp;y=2">'),
        ('<a title="/not">/neither</a>', '<a title="/not">/neither</a>'),
        ('<!-- <a href="/kept"> -->', '<!-- <a href="/kept"> -->'),
        ("a < b > c", "a < b > c"),
    ],
)
def test_pages(page: str, moved: str) -> None:
    assert rewrite_html(page, PREFIX, *HOSTS) == moved


async def backend(request: Request) -> AnyResponse:
    match request.path:
        case "/echo":
            lines = [request.method, request.raw_path, request.raw_query, request.body.decode()]
            lines += [f"{name}={value}" for name, value in sorted(request.headers.items()) if name != "host"]
            return Response(201, {"x-kept": "1", "access-control-allow-origin": "*"}, "\n".join(lines).encode())
        case "/redirect":
            return Response(302, {"location": "/target"})
        case "/page":
            return Response(200, {"content-type": "text/html", "content-encoding": "gzip"}, gzip.compress(b'<a href="/x">'))
        case "/stream":
            return StreamResponse(_ticks, 200, {"content-type": "text/plain"})
        case "/shout":
            return UpgradeResponse(_shout, {"connection": "Upgrade", "upgrade": "shout"})
        case _:
            return Response(404, {}, b"nothing here")


async def _ticks(writer: Writer) -> None:
    for _ in range(3):
        await writer.write(b"tick")


async def _shout(connection: Connection) -> None:
    while data := await connection.read():
        await connection.write(data.upper())


def through(scenario: Callable[[HttpClient], Awaitable[None]]) -> None:
    """A client whose requests go through the proxy to the backend."""

    async def main() -> None:
        server = HttpServer(backend)
        port = await server.listen("127.0.0.1", 0)

        async def front(request: Request) -> AnyResponse:
            return await proxy(request, ProxyTarget(Endpoint("127.0.0.1", port), request.raw_path.removeprefix(PREFIX), PREFIX))

        middle = HttpServer(front)
        client = HttpClient(Endpoint("127.0.0.1", await middle.listen("127.0.0.1", 0)))
        try:
            await asyncio.wait_for(scenario(client), 10)
        finally:
            await client.close()
            await middle.stop(0.2)
            await server.stop(0.2)

    asyncio.run(main())


def test_any_method_passes_and_credentials_stay_here() -> None:
    async def scenario(client: HttpClient) -> None:
        secret = [("authorization", "Bearer s"), ("x-remote-user", "me"), ("impersonate-user", "you"), ("x-mine", "1")]
        answer = await client.request("PATCH", f"{PREFIX}/echo?a=b&a=%2F", [*secret, ("connection", "x-hop"), ("x-hop", "1")], b"body")
        assert answer.status == 201
        assert answer.body.decode().split("\n") == [
            "PATCH", "/echo", "a=b&a=%2F", "body", "content-length=4", "x-forwarded-for=127.0.0.1",
            f"x-forwarded-uri={PREFIX}/echo", "x-mine=1",
        ]  # fmt: skip
        assert (answer.headers["x-kept"], "access-control-allow-origin" in answer.headers) == ("1", False)

    through(scenario)


def test_redirects_pages_and_streams_stay_within_the_proxy() -> None:
    async def scenario(client: HttpClient) -> None:
        assert (await client.request("GET", f"{PREFIX}/redirect")).headers["location"] == f"{PREFIX}/target"
        assert gzip.decompress((await client.request("GET", f"{PREFIX}/page")).body) == f'<a href="{PREFIX}/x">'.encode()
        assert (await client.request("GET", f"{PREFIX}/stream")).body == b"tick" * 3
        missing = await client.request("GET", f"{PREFIX}/nothing")
        assert (missing.status, missing.body) == (404, b"nothing here")

    through(scenario)


def test_the_bare_proxy_path_redirects_to_its_root() -> None:
    async def scenario(client: HttpClient) -> None:
        answer = await client.request("GET", f"{PREFIX}?a=b")
        assert (answer.status, answer.headers["location"]) == (301, f"{PREFIX}/?a=b")

    through(scenario)


def test_upgrades_of_any_kind_pass() -> None:
    async def scenario(client: HttpClient) -> None:
        upgraded = await client.upgrade("GET", f"{PREFIX}/shout", [("connection", "Upgrade"), ("upgrade", "shout")])
        assert upgraded.connection is not None
        assert upgraded.headers["upgrade"] == "shout"
        await upgraded.connection.write(b"hello")
        assert await upgraded.connection.read() == b"HELLO"
        await upgraded.connection.close()
        refused = await client.upgrade("GET", f"{PREFIX}/nothing", [("connection", "Upgrade"), ("upgrade", "shout")])
        assert (refused.status, refused.body) == (404, b"nothing here")

    through(scenario)


def test_a_backend_that_does_not_listen() -> None:
    async def main() -> None:
        with pytest.raises(ApiError) as caught:
            await proxy(Request("GET", f"{PREFIX}/a", {}, {}), ProxyTarget(Endpoint("127.0.0.1", 1), "/a", PREFIX))
        error = caught.value
        assert error.status_code == 503
        assert error.message == "error trying to reach service: dial tcp 127.0.0.1:1: connect: connection refused"

    asyncio.run(main())
