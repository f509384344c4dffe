"""An extension API server for tests: a second API server behind TLS that believes only the front proxy, and remembers who it was told asks.

It serves flunders of wardle.example.com/v1alpha1, as upstream's sample does; its Service has one endpoint, which is on loopback and
therefore written past the API's validation.
"""

import asyncio
import base64
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from proa.apiserver.config import ApiServerConfig
from proa.apiserver.server import ApiServer, build
from proa.lib import pki
from proa.lib.clock import VirtualClock
from proa.lib.http.message import AnyResponse, Connection, Request, Response, UpgradeResponse
from proa.lib.http.server import HttpServer
from proa.lib.http.tls import server_context
from tests.integration.conftest import Api

GROUP, VERSION, NAME = "wardle.example.com", "v1alpha1", "v1alpha1.wardle.example.com"
FLUNDERS = f"/apis/{GROUP}/{VERSION}/namespaces/default/flunders"
API_SERVICES = "/apis/apiregistration.k8s.io/v1/apiservices"
NAMESPACE, SERVICE, PORT = "sample-system", "sample-api", 7443

Scenario = Callable[[Api, "ExtensionServer"], Awaitable[None]]
RunExtended = Callable[[Scenario], None]
Handler = Callable[[Request], Awaitable[AnyResponse]]


class ExtensionServer:
    """`answers` by path come before the server's own; `requests` are those that were not for its documents."""

    def __init__(self, server: ApiServer, directory: Path, authority: pki.CertificateAuthority) -> None:
        self.server, self.directory = server, directory
        self.bundle = base64.b64encode(authority.certificate).decode()
        self.requests: list[Request] = []
        self.answers: dict[str, Handler | Response] = {}
        self.knows_aggregated_discovery = True
        self.port = 0
        self._http = HttpServer(self)

    async def __call__(self, request: Request) -> AnyResponse:
        if request.certificate is None:
            return Response(401)
        if request.headers["x-remote-user"] != "system:kube-aggregator":
            self.requests.append(request)
        answer = self.answers.get(request.path)
        if isinstance(answer, Response):
            return replace(answer, headers=dict(answer.headers))
        if answer is not None:
            return await answer(request)
        if request.path.startswith("/openapi"):
            return Response(404)
        headers = dict(request.headers)
        if not self.knows_aggregated_discovery and "as=" in headers.get("accept", ""):
            headers["accept"] = "application/json"
        return await self.server.handler(replace(request, peer="unix", headers=headers))

    async def listen(self) -> None:
        tls = server_context(self.directory / "extension.crt", self.directory / "extension.key", self.directory / "front-proxy-ca.crt")
        self._http = HttpServer(self)
        self.port = await self._http.listen("127.0.0.1", self.port, tls)

    async def stop(self) -> None:
        await self._http.stop(0)

    def api_service(self, **spec: Any) -> dict[str, Any]:
        service = {"namespace": NAMESPACE, "name": SERVICE, "port": PORT}
        base = {"group": GROUP, "version": VERSION, "groupPriorityMinimum": 2000, "versionPriority": 200, "service": service}
        whole = base | {"caBundle": self.bundle} | spec
        return {"metadata": {"name": NAME}, "spec": {key: value for key, value in whole.items() if value is not None}}


FLUNDER_DEFINITION = {
    "metadata": {"name": f"flunders.{GROUP}"},
    "spec": {
        "group": GROUP, "scope": "Namespaced",
        "names": {"plural": "flunders", "singular": "flunder", "kind": "Flunder", "shortNames": ["fl"]},
        "versions": [{
            "name": VERSION, "served": True, "storage": True, "subresources": {"status": {}},
            "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
        }],
    },
}  # fmt: skip


@asynccontextmanager
async def extension(directory: Path, key: Path) -> AsyncIterator[ExtensionServer]:
    """Listening, with a certificate of an authority of its own."""
    nowhere = Path("/nonexistent")
    config = ApiServerConfig(
        data_directory=directory, listen=(), unix_socket=None, certificate=nowhere, private_key=nowhere, client_ca=key,
        service_account_key=key, advertise_address="10.0.0.9", storage="memory",
    )  # fmt: skip
    server = await build(config, clock=VirtualClock())
    await server.start(listen=False)
    authority = pki.create_authority("extension")
    issued = authority.issue("sample-api", dns_names=[f"{SERVICE}.{NAMESPACE}.svc"], server=True)
    for suffix, data in zip(("crt", "key"), issued, strict=True):
        (directory / f"extension.{suffix}").write_bytes(data)
    made = ExtensionServer(server, directory, authority)
    api = Api(server, VirtualClock(), None)  # type: ignore[arg-type]
    await api("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", FLUNDER_DEFINITION)
    await until(api, lambda: (GROUP, VERSION, "flunders") in server.context.served)
    await made.listen()
    try:
        yield made
    finally:
        await made.stop()
        await server.stop(0)


async def until(api: Api, holds: Callable[[], Any], seconds: float = 10) -> None:
    """Let both clocks go on until something holds."""
    async with asyncio.timeout(seconds):
        while True:
            found = holds()
            if await found if isinstance(found, Awaitable) else found:
                return
            await asyncio.sleep(0.005)
            await api.clock.advance(0.05)


async def make_service(api: Api, port: int, *, endpoint: bool = True) -> None:
    await api("POST", "/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})
    ports = [{"name": "https", "port": PORT, "protocol": "TCP"}]
    service = {"metadata": {"name": SERVICE}, "spec": {"ports": ports}}
    assert (await api("POST", f"/api/v1/namespaces/{NAMESPACE}/services", service)).status == 201
    if endpoint:
        await make_endpoint(api, port)


async def make_endpoint(api: Api, port: int, *, ready: bool = True) -> None:
    labels = {"kubernetes.io/service-name": SERVICE}
    metadata = {"name": f"{SERVICE}-1", "namespace": NAMESPACE, "uid": "e", "labels": labels, "creationTimestamp": "2030-01-01T00:00:00Z"}
    obj = {
        "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": metadata, "addressType": "IPv4",
        "endpoints": [{"addresses": ["127.0.0.1"], "conditions": {"ready": ready}}],
        "ports": [{"name": "https", "port": port, "protocol": "TCP"}],
    }  # fmt: skip
    await api.server.context.served["discovery.k8s.io", "v1", "endpointslices"].objects.create(f"{NAMESPACE}/{SERVICE}-1", obj)


async def available(api: Api) -> dict[str, Any]:
    """The Available condition as it is now."""
    answer = await api("GET", f"{API_SERVICES}/{NAME}")
    conditions: list[dict[str, Any]] = (answer.body.get("status") or {}).get("conditions") or []
    return next((each for each in conditions if each["type"] == "Available"), {})


async def comes_up(api: Api, extension_server: ExtensionServer, **spec: Any) -> None:
    """Service, endpoint and APIService are there and the condition is true."""
    await make_service(api, extension_server.port)
    made = await api("POST", API_SERVICES, extension_server.api_service(**spec))
    assert made.status == 201, made.body
    await wait_for_reason(api, "Passed")


async def wait_for_reason(api: Api, reason: str) -> None:
    async def reached() -> bool:
        return (await available(api)).get("reason") == reason

    await until(api, reached)


async def shout(request: Request) -> AnyResponse:
    """An upgrade to a protocol that nobody in between knows."""

    async def run(connection: Connection) -> None:
        while data := await connection.read():
            await connection.write(data.upper())

    return UpgradeResponse(run, {"connection": "Upgrade", "upgrade": request.headers["upgrade"]})
