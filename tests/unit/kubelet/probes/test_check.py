"""Probes against real servers on this machine."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import grpc.aio
import pytest

from proa.kubelet.cri import grpc_health_pb2 as health_pb2
from proa.kubelet.cri.fake import FakeRuntime
from proa.kubelet.cri.runtime import ExecResult
from proa.kubelet.probes.check import run_probe
from proa.kubelet.probes.outcome import Outcome

HOST = "127.0.0.1"
ANSWERS = {
    "/ok": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "/bad": b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n",
    "/moved": b"HTTP/1.1 302 Found\r\nLocation: /ok\r\nContent-Length: 0\r\n\r\n",
    "/away": b"HTTP/1.1 302 Found\r\nLocation: http://other.example/\r\nContent-Length: 0\r\n\r\n",
    "/chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
}


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    writer.write(ANSWERS[head.split()[1]])
    writer.close()


def with_server(scene: Callable[[int], Awaitable[None]]) -> None:
    async def main() -> None:
        server = await asyncio.start_server(answer, HOST, 0)
        async with server:
            await scene(server.sockets[0].getsockname()[1])

    asyncio.run(main())


def container(port: int) -> dict[str, Any]:
    return {"name": "c", "ports": [{"name": "web", "containerPort": port}]}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/ok", Outcome(True)),
        ("ok", Outcome(True)),
        ("/chunks", Outcome(True)),
        ("/moved", Outcome(True)),
        ("/bad", Outcome(False, "HTTP probe failed with statuscode: 503")),
        ("/away", Outcome(True, "Probe terminated redirects, Response body: ", warning=True)),
    ],
)
def test_http(path: str, expected: Outcome) -> None:
    async def scene(port: int) -> None:
        assert await run_probe({"httpGet": {"port": "web", "path": path}}, container(port), "id", HOST, FakeRuntime()) == expected

    with_server(scene)


def test_tcp_and_names() -> None:
    async def scene(port: int) -> None:
        runtime = FakeRuntime()
        assert await run_probe({"tcpSocket": {"port": port}}, container(port), "id", HOST, runtime) == Outcome(True)
        refused = Outcome(False, "dial tcp 127.0.0.1:1: connect: connection refused")
        assert await run_probe({"tcpSocket": {"port": 1}}, container(port), "id", HOST, runtime) == refused
        unknown = Outcome(False, "couldn't find port: none", unknown=True)
        assert await run_probe({"tcpSocket": {"port": "none"}}, container(port), "id", HOST, runtime) == unknown

    with_server(scene)


def test_exec() -> None:
    runtime = FakeRuntime()
    runtime.exec_results["false",] = ExecResult(1, b"out", b"err")
    assert asyncio.run(run_probe({"exec": {"command": ["false"]}}, {}, "id", HOST, runtime)) == Outcome(False, "outerr")
    assert asyncio.run(run_probe({"exec": {"command": ["true"]}}, {}, "id", HOST, runtime)) == Outcome(True)


def test_grpc() -> None:
    async def check(request: Any, context: Any) -> Any:
        serving = request.service == "good"
        return health_pb2.HealthCheckResponse(status="SERVING" if serving else "NOT_SERVING")

    async def main() -> list[Outcome]:
        server = grpc.aio.server()
        handler = grpc.unary_unary_rpc_method_handler(
            check,
            request_deserializer=health_pb2.HealthCheckRequest.FromString,
            response_serializer=health_pb2.HealthCheckResponse.SerializeToString,
        )
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("grpc.health.v1.Health", {"Check": handler}),))
        port = server.add_insecure_port(f"{HOST}:0")
        await server.start()
        probes = [{"grpc": {"port": port, "service": name}} for name in ("good", "bad")]
        found = [await run_probe(probe, {}, "id", HOST, FakeRuntime()) for probe in probes]
        await server.stop(None)
        return found

    assert asyncio.run(main()) == [Outcome(True), Outcome(False, 'service unhealthy (responded with "NOT_SERVING")')]
