"""Clients that send too much, too deep, too slowly or only half, over a real socket: a clear 4xx, and the server is as it was before."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import orjson
import pytest

from proa.apiserver.failure import refusal
from proa.lib.http.server import HttpServer
from proa.lib.http.server_options import ServerOptions
from tests.integration.conftest import TYPES, Api, Run

MAPS = "/api/v1/namespaces/default/configmaps"
LIMIT = 3 * 1024 * 1024
DEPTH = 10_000
DEEP = b'{"metadata":{"name":"a"},"data":' + b'{"a":' * DEPTH + b"1" + b"}" * DEPTH + b"}"
DEEP_LIST = b"[" * DEPTH + b"]" * DEPTH
DEEP_YAML = b"metadata: {name: a}\ndata: " + b"[" * DEPTH + b"]" * DEPTH
LAUGHS = b"a: &a [x,x,x,x,x,x,x,x,x]\n" + b"".join(
    b"%c: &%c [%s]\n" % (98 + n, 98 + n, b",".join([b"*%c" % (97 + n)] * 9)) for n in range(9)
)  # fmt: skip
COPIES = orjson.dumps([{"op": "copy", "from": "/metadata", "path": f"/metadata/x{n}"} for n in range(60)])
"""Each copy holds all those before it."""


def request(method: str, target: str, body: bytes = b"", content_type: str = "application/json", *more: str) -> bytes:
    lines = [f"{method} {target} HTTP/1.1", "host: x", f"content-type: {content_type}", f"content-length: {len(body)}", *more]
    return "\r\n".join([*lines, "", ""]).encode() + body


async def answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """(status, body) of one answer."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.startswith(b"content-length"))
    return int(head.split()[1]), await reader.readexactly(length)


async def say(path: Path, data: bytes, *, half: bool = False) -> tuple[int, bytes]:
    reader, writer = await asyncio.open_unix_connection(path)
    writer.write(data)
    if half:
        writer.write_eof()
    try:
        return await asyncio.wait_for(answer(reader), 10)
    finally:
        writer.close()


@asynccontextmanager
async def listening(api: Api, directory: Path, timeout: float = 30.0) -> AsyncIterator[tuple[HttpServer, Path]]:
    """The API on a Unix socket; at the end nothing may be left of any connection."""
    server, path = HttpServer(api.server.handler, ServerOptions(refuse=refusal, eager_get=True, request_timeout=timeout)), directory / "api"
    await server.listen_unix(path)
    try:
        yield server, path
        status, _ = await say(path, request("GET", "/readyz"))
        assert status == 200
        async with asyncio.timeout(5):
            while server.connection_count:  # noqa: ASYNC110 - the server has no event for it
                await asyncio.sleep(0.01)
    finally:
        await server.stop(0)


REFUSED: list[tuple[str, bytes, int, str]] = [
    ("a body one byte too long", request("POST", MAPS, b" " * (LIMIT + 1)), 413, "limit is 3145728"),
    ("a chunked body that goes on",
     f"POST {MAPS} HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n".encode()
     + (b"100000\r\n" + b" " * 0x100000 + b"\r\n") * 3 + b"1\r\n \r\n",
     413, "limit is 3145728"),
    ("deep JSON", request("POST", MAPS, DEEP), 400, "unrecognized"),
    ("deep YAML", request("POST", MAPS, DEEP_YAML, "application/yaml"), 400, ""),
    ("brackets only, as YAML", request("POST", MAPS, b"[" * LIMIT, "application/yaml"), 400, "exceeded max depth"),
    ("a deep merge patch", request("PATCH", f"{MAPS}/here", DEEP, TYPES["merge"]), 400, ""),
    ("a deep strategic patch", request("PATCH", f"{MAPS}/here", DEEP, TYPES["strategic"]), 400, ""),
    ("a deep JSON patch", request("PATCH", f"{MAPS}/here", DEEP_LIST, TYPES["json"]), 400, ""),
    ("a deep applied configuration", request("PATCH", f"{MAPS}/here?fieldManager=m", DEEP_YAML, TYPES["apply"]), 400, ""),
    ("deep DeleteOptions", request("DELETE", f"{MAPS}/here", DEEP), 400, ""),
    ("deep protobuf",
     request("POST", MAPS, b"k8s\0\x12\x82\x80\x01" + b"\x0a\x7f" * 8193, "application/vnd.kubernetes.protobuf"), 400, ""),
    ("a billion laughs", request("POST", MAPS, LAUGHS, "application/yaml"), 400, ""),
    ("a billion laughs, applied", request("PATCH", f"{MAPS}/here?fieldManager=m", LAUGHS, TYPES["apply"]), 400, ""),
    ("a URL of a megabyte", request("GET", "/" + "a" * (2 << 20)), 431, "header"),
    ("a header of a megabyte", request("GET", "/", b"", "application/json", "x: " + "a" * (2 << 20)), 431, "header"),
    ("no HTTP", b"hello\r\n\r\n", 400, "malformed"),
    ("a selector of 200 KB", request("GET", f"{MAPS}?labelSelector=" + "%28" * 60_000), 400, ""),
    ("a JSON patch of many copies", request("PATCH", f"{MAPS}/here", COPIES, TYPES["json"]), 422, "due to an error in our request"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "status", "text"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_refused(run: Run, tmp_path: Path, data: bytes, status: int, text: str) -> None:
    async def scenario(api: Api) -> None:
        await api("POST", MAPS, {"metadata": {"name": "here"}})
        before = (await api("GET", MAPS)).body["items"]
        async with listening(api, tmp_path) as (_, path):
            code, body = await say(path, data)
            assert str(code).startswith(str(status)), body[:500]
            assert text in orjson.loads(body)["message"]
            assert len(body) < 300_000
        assert (await api("GET", MAPS)).body["items"] == before

    run(scenario)


def test_a_body_of_exactly_the_limit_is_read(run: Run, tmp_path: Path) -> None:
    async def scenario(api: Api) -> None:
        body = b'{"metadata":{"name":"a"}}'
        async with listening(api, tmp_path) as (_, path):
            code, _ = await say(path, request("POST", MAPS, body + b" " * (LIMIT - len(body))))
            assert code == 201

    run(scenario)


def test_a_body_that_does_not_come(run: Run, tmp_path: Path) -> None:
    async def scenario(api: Api) -> None:
        async with listening(api, tmp_path, timeout=0.0) as (_, path):
            code, body = await say(path, request("POST", MAPS, b"{}")[:-1])
            assert (code, orjson.loads(body)["reason"]) == (408, "Timeout")

    run(scenario)


def test_who_has_closed_one_half_still_gets_the_answer(run: Run, tmp_path: Path) -> None:
    async def scenario(api: Api) -> None:
        async with listening(api, tmp_path) as (_, path):
            code, _ = await say(path, request("POST", MAPS, b'{"metadata":{"name":"a"}}'), half=True)
            assert code == 201
        assert (await api("GET", f"{MAPS}/a")).status == 200

    run(scenario)


def test_a_request_cut_off_in_its_body_does_nothing(run: Run, tmp_path: Path) -> None:
    async def scenario(api: Api) -> None:
        async with listening(api, tmp_path) as (server, path):
            _, writer = await asyncio.open_unix_connection(path)
            writer.write(request("POST", MAPS, b'{"metadata":{"name":"a"}}')[:-1])
            await writer.drain()
            while not server.connection_count:  # noqa: ASYNC110 - the server has no event for it
                await asyncio.sleep(0.01)
            writer.close()
        assert (await api("GET", f"{MAPS}/a")).status == 404

    run(scenario)


def test_a_watch_ends_with_its_client(run: Run, tmp_path: Path) -> None:
    async def scenario(api: Api) -> None:
        async with listening(api, tmp_path) as (_, path):
            reader, writer = await asyncio.open_unix_connection(path)
            writer.write(request("GET", f"{MAPS}?watch=1"))
            await reader.readuntil(b"\r\n\r\n")
            writer.write_eof()
            assert await asyncio.wait_for(reader.read(), 5) is not None
            writer.close()

    run(scenario)


def test_others_are_served_while_a_long_yaml_is_read(run: Run, tmp_path: Path) -> None:
    async def scenario(api: Api) -> None:
        long = b"metadata: {name: a}\ndata:\n" + b"".join(b"  key%d: value\n" % number for number in range(20_000))
        async with listening(api, tmp_path) as (_, path):
            writing = asyncio.create_task(say(path, request("POST", MAPS, long, "application/yaml")))
            served = 0
            while not writing.done():
                assert (await say(path, request("GET", "/livez")))[0] == 200
                served += 1
            assert (await writing)[0] == 201
            assert served > 3
        assert len((await api("GET", f"{MAPS}/a")).body["data"]) == 20_000

    run(scenario)
