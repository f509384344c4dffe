"""What load balancers are told."""

import asyncio
import json
from contextlib import suppress

import pytest

from proa.api.meta import Object
from proa.lib.clock import VirtualClock
from proa.proxy.health import Answer, HealthCheck, HealthServers, encode
from proa.proxy.model import build_service
from tests.unit.proxy.fake_kernel import FakeKernel
from tests.unit.proxy.plan import NODE, draining, endpoint_slice, load_balancer


def servers(kernel: FakeKernel, own_port: int = 0) -> HealthServers:
    made = HealthServers(kernel.listen, VirtualClock(), own_port)
    made.synced("2030-01-01T00:00:00Z")
    return made


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"externalTrafficPolicy": "Local", "healthCheckNodePort": 32000}, (32000, 1)),
        ({"externalTrafficPolicy": "Cluster", "healthCheckNodePort": 32000}, (0, 1)),
        ({"externalTrafficPolicy": "Local"}, (0, 1)),
    ],
)
def test_port_and_count_come_from_the_service(spec: Object, expected: tuple[int, int]) -> None:
    rules = build_service(load_balancer(**spec), [endpoint_slice("10.244.1.5", draining("10.244.1.6"), "10.244.2.7")], NODE)
    assert (rules.health_check_port, rules.ready_here) == expected


@pytest.mark.parametrize(
    ("count", "working", "eligible", "status"), [(2, True, True, 200), (0, True, True, 503), (2, False, True, 503), (2, True, False, 503)]
)
def test_a_service_is_healthy_with_endpoints_here_and_a_working_proxy(count: int, working: bool, eligible: bool, status: int) -> None:
    async def scenario() -> None:
        made = servers(FakeKernel())
        made.working, made.node_eligible = working, eligible
        await made.update("default/web", HealthCheck(32000, count))
        body = {"service": {"namespace": "default", "name": "web"}, "localEndpoints": count, "serviceProxyHealthy": working}
        assert made.answer_for_service("default/web") == Answer(status, body, {"X-Load-Balancing-Endpoint-Weight": str(count)})
        await made.close()

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("path", "eligible", "status"),
    [("/healthz", True, 200), ("/healthz", False, 503), ("/livez", False, 200), ("/other", True, 404)],
)
def test_the_proxys_own_health(path: str, eligible: bool, status: int) -> None:
    made = servers(FakeKernel())
    made.node_eligible = eligible
    assert made.answer_for_proxy(path).status == status


def test_listeners_come_move_and_go_with_their_services() -> None:
    async def scenario() -> None:
        kernel = FakeKernel()
        made = servers(kernel, own_port=10256)
        await made.start()
        await made.update("default/web", HealthCheck(32000, 1))
        first = kernel.listeners[32000].getsockname()[1]
        status, body = await _get(first)
        assert (status, body["localEndpoints"]) == (200, 1)
        await made.update("default/web", HealthCheck(32000, 0))
        assert (await _get(first))[0] == 503
        await made.update("default/web", HealthCheck(32001, 1))
        with pytest.raises(ConnectionRefusedError):
            await _get(first)
        second, own = (kernel.listeners[port].getsockname()[1] for port in (32001, 10256))
        assert (await _get(second))[0] == 200
        await made.update("default/web", None)
        with pytest.raises(ConnectionRefusedError):
            await _get(second)
        assert (await _get(own))[0] == 200
        await made.close()
        with pytest.raises(ConnectionRefusedError):
            await _get(own)

    asyncio.run(scenario())


def test_a_port_that_is_taken_is_only_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    def refuse(port: int) -> None:
        raise OSError("Address already in use")

    async def scenario() -> None:
        made = HealthServers(refuse, VirtualClock())  # type: ignore[arg-type]
        await made.update("default/web", HealthCheck(32000, 1))
        await made.close()

    asyncio.run(scenario())
    assert "cannot answer health checks of default/web on port 32000: Address already in use" in caplog.text


def test_encoded_answer() -> None:
    assert encode(Answer(503, {"a": 1}, {"X-Load-Balancing-Endpoint-Weight": "0"})) == (
        b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nX-Content-Type-Options: nosniff\r\n"
        b'X-Load-Balancing-Endpoint-Weight: 0\r\nContent-Length: 8\r\nConnection: close\r\n\r\n{"a": 1}'
    )


async def _get(port: int) -> tuple[int, Object]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /healthz?x HTTP/1.1\r\nHost: x\r\n\r\n")
    head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()
    return int(head.split()[1]), json.loads(body)
