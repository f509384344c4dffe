"""Hostile clients of a real process over TLS: each gets a clear refusal, others are served meanwhile, and nothing lasts of it."""

import asyncio
import gzip
import os
import socket
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import orjson
import pytest

from benchmarks.api_server import Installation
from tests.integration.conftest import TYPES
from tests.integration.hostile import MAPS, Besieged, answer

Scenario = Callable[[Besieged], Awaitable[None]]
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
DEEP_PROTOBUF = b"k8s\0\x12\x82\x80\x01" + b"\x0a\x7f" * 8193
DEEP = b'{"a":' * 10_000 + b"1" + b"}" * 10_000


@pytest.fixture(scope="module")
def besieged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Besieged]:
    installed = Installation(tmp_path_factory.mktemp("besieged"))
    with installed.running() as target:
        server = Besieged(installed, target)
        asyncio.run(server.ask("POST", MAPS, b'{"metadata":{"name":"here"},"data":{"a":"b"}}'))
        yield server
        assert "Traceback" not in installed.log.read_text()


def play(besieged: Besieged, scenario: Scenario, memory: int = 48 << 20) -> None:
    async def main() -> None:
        async with besieged.unharmed(memory):
            await scenario(besieged)
        await asyncio.sleep(0.1)  # connections that are given up are closed in the next turns

    asyncio.run(main())


def definition(schema: object) -> bytes:
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    names = {"plural": "widgets", "kind": "Widget", "singular": "widget"}
    spec = {"group": "hostile.test", "scope": "Cluster", "names": names, "versions": [version]}
    return orjson.dumps({"metadata": {"name": "widgets.hostile.test"}, "spec": spec})


def text_of(pattern: str) -> object:
    return {"type": "object", "properties": {"spec": {"type": "object", "properties": {"text": {"type": "string", "pattern": pattern}}}}}


def annotated(size: int) -> bytes:
    return orjson.dumps({"metadata": {"name": "a", "annotations": {f"a{n}": "x" * 100_000 for n in range(size)}}})


def directives(depth: int) -> bytes:
    return b'{"data":' * depth + b'{"$patch":"replace"}' + b"}" * depth


STEP = {"op": "test", "path": "", "value": 1}
CHUNKED = "transfer-encoding: chunked"
NINE = [(b"%c" % (98 + n), b",".join([b"*%c" % (97 + n)] * 9)) for n in range(9)]
LAUGHS = b"a: &a [x,x,x,x,x,x,x,x,x]\n" + b"".join(b"%b: &%b [%b]\n" % (name, name, names) for name, names in NINE)
LAUGHING_DEFINITION = b"spec:\n versions:\n" + LAUGHS.replace(b"\n", b"\n ").rstrip()
COPIES = orjson.dumps([{"op": "copy", "from": "/metadata", "path": f"/metadata/x{n}"} for n in range(60)])
BOMB = gzip.compress(b" " * (512 << 20) if os.environ.get("HOSTILE_LARGE") else b" " * (64 << 20))
TOO_LARGE = "Request entity too large: limit is 3145728"

REFUSED: list[tuple[str, Callable[[Besieged], bytes], int, str]] = [
    ("a body one byte too long", lambda s: s.request("POST", MAPS, b" " * 3_145_729), 413, TOO_LARGE),
    ("a long body that waits to be asked for",
     lambda s: s.head("POST", MAPS, "content-length: 99999999999", "expect: 100-continue"), 413, TOO_LARGE),
    ("chunks without end", lambda s: s.head("POST", MAPS, CHUNKED) + (b"100000\r\n" + b" " * 0x100000 + b"\r\n") * 4, 413, TOO_LARGE),
    ("a chunk of 256 MB", lambda s: s.head("POST", MAPS, CHUNKED) + b"fffffff\r\n" + b" " * 3_200_000, 413, TOO_LARGE),
    ("a chunk of 2^64 bytes", lambda s: s.head("POST", MAPS, CHUNKED) + b"fffffffffffffffff\r\n", 400, "malformed"),
    ("a chunk without a size", lambda s: s.head("POST", MAPS, CHUNKED) + b"\r\n\r\n", 400, "malformed"),
    ("two framings", lambda s: s.head("POST", MAPS, CHUNKED, "content-length: 2") + b"{}", 400, "malformed"),
    ("two lengths", lambda s: s.head("POST", MAPS, "content-length: 2", "content-length: 3") + b"{}", 400, "malformed"),
    ("a negative length", lambda s: s.head("POST", MAPS, "content-length: -1"), 400, "malformed"),
    ("an absurd length", lambda s: s.head("POST", MAPS, "content-length: 99999999999999999999999"), 400, "malformed"),
    ("an unknown coding", lambda s: s.head("POST", MAPS, "transfer-encoding: gzip") + b"{}", 400, "malformed"),
    ("a NUL in the request line", lambda s: b"GET /\0 HTTP/1.1\r\nhost: x\r\n\r\n", 400, "malformed"),
    ("a NUL in a header", lambda s: s.head("GET", MAPS, "x-a: \0"), 400, "malformed"),
    ("a folded header", lambda s: s.head("GET", MAPS, "x-a: b", " c: d"), 400, "malformed"),
    ("a URL of two megabytes", lambda s: s.head("GET", "/" + "a" * (2 << 20)), 431, "header"),
    ("a header of two megabytes", lambda s: s.head("GET", MAPS, "x-a: " + "a" * (2 << 20)), 431, "header"),
    ("a hundred thousand headers", lambda s: s.head("GET", MAPS, *(f"x-{n}: abcdefghijklm" for n in range(100_000))), 431, "header"),
    ("a line break in a name", lambda s: s.head("GET", f"{MAPS}/a%0d%0ax-evil:%201"), 404, "not found"),
    ("a NUL in a name", lambda s: s.head("GET", f"{MAPS}/a%00"), 404, "not found"),
    ("no UTF-8 in a name", lambda s: s.head("GET", f"{MAPS}/%c0%af%ff"), 404, "not found"),
    ("no UTF-8 and NULs in a selector", lambda s: s.head("GET", f"{MAPS}?labelSelector=%00%ff"), 400, ""),
    ("no UTF-8 in a field selector", lambda s: s.head("GET", f"{MAPS}?fieldSelector=%ff%00%3d1"), 400, ""),
    ("no UTF-8 in a token of a page", lambda s: s.head("GET", f"{MAPS}?limit=1&continue=%ff%00"), 400, "continue"),
    ("NULs as a body", lambda s: s.request("POST", MAPS, b"\0" * 1000), 400, "unrecognized"),
    ("a gzip bomb", lambda s: s.request("POST", MAPS, BOMB, "application/json", "content-encoding: gzip"), 400, "unrecognized"),
    ("deep JSON", lambda s: s.request("POST", MAPS, DEEP), 400, "unrecognized"),
    ("deep YAML", lambda s: s.request("POST", MAPS, DEEP.replace(b"{", b"["), "application/yaml"), 400, ""),
    ("deep CBOR", lambda s: s.request("POST", MAPS, b"\x81" * 10_000 + b"\x01", "application/cbor"), 415, "unknown format"),
    ("deep protobuf", lambda s: s.request("POST", MAPS, DEEP_PROTOBUF, "application/vnd.kubernetes.protobuf"), 400, ""),
    ("a billion laughs, applied", lambda s: s.request("PATCH", f"{MAPS}/here?fieldManager=m", LAUGHS, TYPES["apply"]), 400, "yaml"),
    ("a billion laughs of a definition", lambda s: s.request("POST", CRDS, LAUGHING_DEFINITION, "application/yaml"), 400, "yaml"),
    ("300 KB of annotations", lambda s: s.request("POST", MAPS, annotated(3)), 422, "may not be more than 262144 bytes"),
    ("10,001 operations", lambda s: s.request("PATCH", f"{MAPS}/here", orjson.dumps([STEP] * 10_001), TYPES["json"]), 413,
     "The allowed maximum operations in a JSON patch is 10000, got 10001"),
    ("copies of copies", lambda s: s.request("PATCH", f"{MAPS}/here", COPIES, TYPES["json"]), 422, "due to an error in our request"),
    ("deep directives", lambda s: s.request("PATCH", f"{MAPS}/here", directives(9_000), TYPES["strategic"]), 400, ""),
    ("directives at every level", lambda s: s.request("PATCH", f"{MAPS}/here", directives(100), TYPES["strategic"]), 422, ""),
    ("a pattern that repeats a thousand times a thousand times",
     lambda s: s.request("POST", CRDS, definition(text_of("((a{1,1000}){1,1000}){1,1000}"))), 422, "pattern"),
    ("a deep schema", lambda s: s.request("POST", CRDS, b'{"metadata":{"name":"widgets.hostile.test"},"spec":' + DEEP + b"}"), 400, ""),
    ("a tunnel", lambda s: b"CONNECT x:1 HTTP/1.1\r\nhost: x\r\n\r\n", 400, "unknown form of request target"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "status", "text"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_refused(besieged: Besieged, data: Callable[[Besieged], bytes], status: int, text: str) -> None:
    async def scenario(server: Besieged) -> None:
        code, head, body = await server.say(data(server))
        assert code == status, body[:500]
        said = orjson.loads(body)
        assert (said["kind"], said["status"], said["code"]) == ("Status", "Failure", status)
        assert text in said["message"]
        assert b"\r\nx-evil" not in head
        assert len(body) < 300_000

    play(besieged, scenario)


ANSWERED: list[tuple[str, str]] = [
    ("100,000 parameters", f"{MAPS}?" + "&".join(f"p{n}=" for n in range(100_000))),
    ("a selector of 10,000 values", f"{MAPS}?labelSelector=a+in+({','.join(f'v{n}' for n in range(10_000))})"),
    ("10,000 selectors", f"{MAPS}?labelSelector={','.join(f'a{n}!=b' for n in range(10_000))}"),
    ("10,000 fields", f"{MAPS}?fieldSelector={','.join(['metadata.name!=x'] * 10_000)}"),
]


@pytest.mark.parametrize("target", [row[1] for row in ANSWERED], ids=[row[0] for row in ANSWERED])
def test_answered_all_the_same(besieged: Besieged, target: str) -> None:
    async def scenario(server: Besieged) -> None:
        status, body = await server.ask("GET", target)
        assert status == 200, body[:300]

    play(besieged, scenario)


def test_patterns_take_linear_time(besieged: Besieged) -> None:
    async def scenario(server: Besieged) -> None:
        assert (await server.ask("POST", CRDS, definition(text_of("^(a+)+$"))))[0] == 201
        widgets = "/apis/hostile.test/v1/widgets"
        body = orjson.dumps({"metadata": {"name": "w"}, "spec": {"text": "a" * 100_000 + "b"}})
        async with asyncio.timeout(30):
            while (found := await server.ask("POST", widgets, body))[0] == 404:  # noqa: ASYNC110 - served soon after it is defined
                await asyncio.sleep(0.02)
        assert found[0] == 422
        assert (await server.ask("DELETE", f"{CRDS}/widgets.hostile.test"))[0] == 200

    play(besieged, scenario)


def test_many_requests_in_one_go(besieged: Besieged) -> None:
    async def scenario(server: Besieged) -> None:
        reader, writer = await server.connect()
        writer.write(b"".join(server.head("GET", f"{MAPS}/none-{number}") for number in range(500)))
        for number in range(500):
            status, _, body = await asyncio.wait_for(answer(reader), 30)
            assert (status, orjson.loads(body)["details"]["name"]) == (404, f"none-{number}")
        writer.transport.abort()

    play(besieged, scenario)


def half_close(writer: asyncio.StreamWriter) -> None:
    """The end of the TCP stream under TLS, without its own farewell."""
    duplicate = socket.socket(fileno=os.dup(writer.get_extra_info("socket").fileno()))
    duplicate.shutdown(socket.SHUT_WR)
    duplicate.close()


@pytest.mark.parametrize("cut", [0, 1, 10], ids=["after the request", "in the body", "early in the body"])
def test_half_closed(besieged: Besieged, cut: int) -> None:
    """Who has closed its half is gone, as upstream sees it; a request that isn't whole does nothing."""

    async def scenario(server: Besieged) -> None:
        reader, writer = await server.connect()
        data = server.request("POST", MAPS, b'{"metadata":{"name":"half"}}')
        writer.write(data[: len(data) - cut])
        await writer.drain()
        half_close(writer)
        assert await asyncio.wait_for(reader.read(), 30) is not None
        writer.transport.abort()
        status, _ = await server.ask("DELETE", f"{MAPS}/half")
        assert status == 404 if cut else status in (200, 404)

    play(besieged, scenario)


def test_thousands_of_idle_connections(besieged: Besieged) -> None:
    async def scenario(server: Besieged) -> None:
        plain = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(1_500)]
        secure = [await server.connect() for _ in range(500)]
        held = await server.held()
        assert held.descriptors > 2_000
        assert (await server.ask("GET", "/readyz"))[0] == 200
        for _, writer in (*plain, *secure):
            writer.transport.abort()

    play(besieged, scenario, memory=150 << 20)


def test_a_storm_of_watches(besieged: Besieged) -> None:
    async def scenario(server: Besieged) -> None:
        for _ in range(10):
            opened = await asyncio.gather(*(server.connect() for _ in range(100)))
            for reader, writer in opened:
                writer.write(server.head("GET", f"{MAPS}?watch=1"))
                assert b" 200 " in await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 30)
            for _, writer in opened:
                writer.transport.abort()

    play(besieged, scenario, memory=100 << 20)


def test_a_client_that_never_reads(besieged: Besieged) -> None:
    """Twenty lists of 30 MB and as many watches are asked for, and none is read: what waits for each is bounded."""

    async def scenario(server: Besieged) -> None:
        for number in range(30):
            body = orjson.dumps({"metadata": {"name": f"large-{number}", "labels": {"large": "1"}}, "data": {"a": "x" * 1_000_000}})
            assert (await server.ask("POST", MAPS, body))[0] == 201
        before = await server.held()
        opened = []
        for query in ("", "?watch=1") * 20:
            reader, writer = await server.connect()
            reader._transport.pause_reading()  # type: ignore[attr-defined]
            writer.write(server.head("GET", f"{MAPS}{query}"))
            opened.append(writer)
        for _ in range(20):
            assert (await server.ask("GET", "/readyz"))[0] == 200
        assert (await server.held()).memory - before.memory < 150 << 20
        for writer in opened:
            writer.transport.abort()
        assert (await server.ask("DELETE", f"{MAPS}?labelSelector=large"))[0] == 200

    play(besieged, scenario, memory=250 << 20)


def test_the_log_is_silent(besieged: Besieged) -> None:
    """Whatever was asked, nothing was an accident of the server."""
    log = Path(f"/proc/{besieged.pid}/fd/2").resolve()
    assert "Traceback" not in log.read_text()


def test_long_urls_are_not_remembered(besieged: Besieged) -> None:
    """Nobody has to log in to ask for a path; decisions about paths and answers' forms are remembered, but not those of half a megabyte."""

    async def scenario(server: Besieged) -> None:
        for number in range(100):
            long = f"{number}-" + "x" * 500_000
            status, _, _ = await server.say(f"GET /{long} HTTP/1.1\r\nhost: x\r\naccept: application/json, {long}\r\n\r\n".encode())
            assert status == 403

    play(besieged, scenario)
