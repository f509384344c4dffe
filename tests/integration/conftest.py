"""A whole API server in this process, without sockets, over the memory backend and a virtual clock."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import orjson
import pytest

if TYPE_CHECKING:
    from tests.integration.extension_server import RunExtended
    from tests.integration.extension_server import Scenario as ExtendedScenario

from proa.apiserver.config import ApiServerConfig
from proa.apiserver.server import ApiServer, build
from proa.lib import pki
from proa.lib.clock import VirtualClock
from proa.lib.http.message import AnyResponse, Request, Response, StreamResponse
from proa.lib.pki import load_or_create_private_key
from proa.storage.backends.memory import MemoryBackend

TYPES = {
    "merge": "application/merge-patch+json",
    "json": "application/json-patch+json",
    "strategic": "application/strategic-merge-patch+json",
    "apply": "application/apply-patch+yaml",
}


class Answer:
    """A whole answer, decoded."""

    def __init__(self, response: AnyResponse) -> None:
        assert isinstance(response, Response)
        self.status = response.status
        self.headers = response.headers
        self.warnings = [value for name, value in response.repeated_headers if name == "warning"]
        self.raw = response.body if isinstance(response.body, bytes) else b"".join(response.body)

    @property
    def body(self) -> Any:
        return orjson.loads(self.raw)

    @property
    def summary(self) -> tuple[int, str, str]:
        """(code, reason, message) of a Status."""
        return self.status, self.body.get("reason", ""), self.body.get("message", "")


async def collected(response: StreamResponse) -> Response:
    """What came in pieces, as one."""
    pieces: list[bytes] = []

    class Collector:
        async def write(self, data: bytes) -> None:
            pieces.append(data)

        async def wait_closed(self) -> None:
            await asyncio.Event().wait()

    await asyncio.wait_for(response.run(Collector()), 10)
    return Response(response.status, response.headers, b"".join(pieces), response.repeated_headers)


class Watch:
    """The reading side of a stream."""

    def __init__(self, response: StreamResponse) -> None:
        self._lines: asyncio.Queue[Any] = asyncio.Queue()
        self._closed = asyncio.Event()
        self._task = asyncio.create_task(self._run(response))

    async def _run(self, response: StreamResponse) -> None:
        await response.run(self)
        await self._lines.put(None)

    async def write(self, data: bytes) -> None:
        for line in data.splitlines():
            await self._lines.put(orjson.loads(line))

    async def wait_closed(self) -> None:
        await self._closed.wait()

    async def next(self) -> Any:
        """The next event; None at the end of the stream."""
        return await asyncio.wait_for(self._lines.get(), 5)

    async def take(self, count: int) -> list[tuple[str, str]]:
        """(type, name) of the next events."""
        events = [await self.next() for _ in range(count)]
        return [(event["type"], event["object"]["metadata"].get("name", "")) for event in events]

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


class Api:
    """Requests to the server as root on its Unix socket, or as who `user` names."""

    def __init__(self, server: ApiServer, clock: VirtualClock, backend: MemoryBackend) -> None:
        self.server = server
        self.clock = clock
        self.backend = backend
        self._watches: list[Watch] = []

    async def send(
        self, method: str, target: str, body: Any = None, *, content_type: str = "application/json", user: str = "", **headers: str
    ) -> AnyResponse:
        path, _, query = target.partition("?")
        data = body if isinstance(body, bytes) else b"" if body is None else orjson.dumps(body)
        identity = {"x-remote-user": user, "x-remote-group": "system:authenticated"} if user else {}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        all_headers = {"content-type": content_type, "user-agent": "test/1", **identity, **named}
        request = Request(method, path, parse_qs(query, keep_blank_values=True), all_headers, data, path, query, "unix")
        response = await self.server.handler(request)
        await asyncio.sleep(0)  # an answer leaves at the end of a turn, as it does on a socket
        return response

    async def __call__(self, method: str, target: str, body: Any = None, **more: str) -> Answer:
        response = await self.send(method, target, body, **more)
        return Answer(await collected(response) if isinstance(response, StreamResponse) else response)

    async def patch(self, kind: str, target: str, body: Any, **more: str) -> Answer:
        return await self("PATCH", target, body, content_type=TYPES[kind], **more)

    async def watch(self, target: str, **more: str) -> Watch:
        response = await self.send("GET", target, **more)
        assert isinstance(response, StreamResponse), Answer(response).raw
        watch = Watch(response)
        self._watches.append(watch)
        return watch

    async def restart(self) -> None:
        """Another server over the same stored history."""
        await self.close()
        await self.server.stop(0)
        self.server = await build(self.server.config, clock=self.clock, backend=self.backend)
        await self.server.start(listen=False)

    async def close(self) -> None:
        for watch in self._watches:
            await watch.close()


@pytest.fixture(scope="session")
def signing_key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "sa.key"
    load_or_create_private_key(path)
    return path


Scenario = Callable[[Api], Awaitable[None]]
Run = Callable[[Scenario], None]


@asynccontextmanager
async def running(key: Path, directory: Path, **more: Any) -> AsyncIterator[Api]:
    """`more` are fields of the configuration."""
    nowhere = Path("/nonexistent")
    config = ApiServerConfig(
        data_directory=directory, listen=(), unix_socket=None, certificate=nowhere, private_key=nowhere, client_ca=key,
        service_account_key=key, advertise_address="10.0.0.9", storage="memory",
    )  # fmt: skip
    config = replace(config, **more)
    clock = VirtualClock()
    backend = MemoryBackend()
    server = await build(config, clock=clock, backend=backend)
    await server.start(listen=False)
    api = Api(server, clock, backend)
    try:
        account = {"metadata": {"name": "default"}}
        await api("POST", "/api/v1/namespaces/default/serviceaccounts", account)
        yield api
    finally:
        await api.close()
        await api.server.stop(0)


@pytest.fixture
def run(signing_key: Path, tmp_path: Path) -> Run:
    """Runs a scenario against a fresh server."""

    def run_scenario(scenario: Scenario) -> None:
        async def main() -> None:
            async with running(signing_key, tmp_path) as api:
                await scenario(api)

        asyncio.run(main())

    return run_scenario


@pytest.fixture
def run_extended(signing_key: Path, tmp_path: Path) -> "RunExtended":
    """Runs a scenario with a server that has a front-proxy certificate, and an extension server that trusts its authority."""
    from tests.integration.extension_server import extension

    def run_scenario(scenario: "ExtendedScenario") -> None:
        front_proxy = pki.CertificateAuthority.load_or_create(tmp_path, "front-proxy-ca")
        for suffix, data in zip(("crt", "key"), front_proxy.issue("front-proxy-client", client=True), strict=True):
            (tmp_path / f"client.{suffix}").write_bytes(data)
        identity = {
            "proxy_client_certificate": tmp_path / "client.crt", "proxy_client_key": tmp_path / "client.key",
            "requestheader_client_ca": tmp_path / "front-proxy-ca.crt", "requestheader_allowed_names": ("front-proxy-client",),
        }  # fmt: skip

        async def main() -> None:
            async with running(signing_key, tmp_path, **identity) as api, extension(tmp_path, signing_key) as other:
                await scenario(api, other)

        asyncio.run(main())

    return run_scenario
