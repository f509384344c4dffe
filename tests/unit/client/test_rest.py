"""The verbs over real sockets and in the same process, against one scripted server."""

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from proa.api import errors
from proa.api.kinds import PODS, SERVICE_ACCOUNTS
from proa.client.interface import STRATEGIC_MERGE_PATCH, Client, WatchEvent
from proa.client.kubeconfig import ClusterAccess, resolve
from proa.client.loopback import LoopbackClient
from proa.client.rest import RestClient
from proa.client.unix import UnixClient
from proa.lib.http.message import AnyResponse, Request, Response, StreamResponse, Writer
from proa.lib.http.server import HttpServer

POD: dict[str, Any] = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "n", "resourceVersion": "5"}}


class Server:
    """Answers from a script, and remembers what was asked."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.chunks: list[bytes] = []

    async def __call__(self, request: Request) -> AnyResponse:
        self.requests.append(request)
        if request.parameter("watch"):
            return StreamResponse(self._stream)
        if request.path.endswith("/missing"):
            return _json(errors.NotFound.of("", "pods", "missing").to_status(), 404)
        if request.path.endswith("/broken"):
            return Response(502, {}, b"bad gateway")
        if request.method == "GET" and request.path.endswith("/pods"):
            item = {"metadata": POD["metadata"]}
            return _json({"kind": "PodList", "metadata": {"resourceVersion": "9", "continue": "c"}, "items": [item]})
        return _json(POD)

    async def _stream(self, writer: Writer) -> None:
        for chunk in self.chunks:
            await writer.write(chunk)


def _json(value: Any, status: int = 200) -> Response:
    return Response(status, {"content-type": "application/json"}, json.dumps(value).encode())


Scenario = Callable[[Server, Client], Awaitable[None]]


def play(making: str, tmp_path: Path, scenario: Scenario) -> None:
    async def main() -> None:
        server = Server()
        http = HttpServer(server)
        client: Client
        if making == "loopback":
            client = LoopbackClient(server, "jane", ("a", "b"))
        elif making == "unix":
            await http.listen_unix(tmp_path / "s")
            client = UnixClient(tmp_path / "s", "jane", ("a", "b"))
        else:
            client = RestClient(f"http://127.0.0.1:{await http.listen('127.0.0.1', 0)}", token="secret")
        await asyncio.wait_for(scenario(server, client), 5)
        await client.close()
        await http.stop(0)

    asyncio.run(main())


MAKINGS = pytest.mark.parametrize("making", ["rest", "unix", "loopback"])


@MAKINGS
def test_verbs_become_requests(making: str, tmp_path: Path) -> None:
    async def scenario(server: Server, client: Client) -> None:
        assert await client.get(PODS, "p", "n", subresource="status") == POD
        await client.create(PODS, POD)
        await client.create(SERVICE_ACCOUNTS, {"spec": {}}, name="sa", namespace="n", subresource="token")
        await client.update(PODS, POD, subresource="status")
        await client.patch(PODS, "p", {"a": 1}, "n", patch_type=STRATEGIC_MERGE_PATCH, field_manager="me")
        await client.delete(PODS, "p", "n", uid="u", grace_period_seconds=0, propagation_policy="Background")
        await client.list(PODS, label_selector="a in (b,c)", limit=5)
        base = "/api/v1/namespaces/n"
        assert [(each.method, each.path, each.raw_query, each.body and json.loads(each.body)) for each in server.requests] == [
            ("GET", f"{base}/pods/p/status", "", b""),
            ("POST", f"{base}/pods", "", POD),
            ("POST", f"{base}/serviceaccounts/sa/token", "", {"spec": {}}),
            ("PUT", f"{base}/pods/p/status", "", POD),
            ("PATCH", f"{base}/pods/p", "fieldManager=me", {"a": 1}),
            (
                "DELETE", f"{base}/pods/p", "",
                {
                    "kind": "DeleteOptions", "apiVersion": "v1", "preconditions": {"uid": "u"}, "gracePeriodSeconds": 0,
                    "propagationPolicy": "Background",
                },
            ),
            ("GET", "/api/v1/pods", "labelSelector=a%20in%20%28b%2Cc%29&limit=5", b""),
        ]  # fmt: skip

    play(making, tmp_path, scenario)


@MAKINGS
def test_identity_is_stated(making: str, tmp_path: Path) -> None:
    async def scenario(server: Server, client: Client) -> None:
        await client.get(PODS, "p", "n")
        headers = server.requests[0].headers
        stated = {name: headers[name] for name in ("authorization", "x-remote-user", "x-remote-group") if name in headers}
        assert stated == ({"authorization": "Bearer secret"} if making == "rest" else {"x-remote-user": "jane", "x-remote-group": "a, b"})

    play(making, tmp_path, scenario)


@MAKINGS
def test_errors_become_exceptions(making: str, tmp_path: Path) -> None:
    async def scenario(server: Server, client: Client) -> None:
        with pytest.raises(errors.NotFound, match='pods "missing" not found'):
            await client.get(PODS, "missing", "n")
        with pytest.raises(errors.ApiError, match="bad gateway") as raised:
            await client.get(PODS, "broken", "n")
        assert raised.value.status_code == 502

    play(making, tmp_path, scenario)


@MAKINGS
def test_lists_name_their_items_and_pages(making: str, tmp_path: Path) -> None:
    async def scenario(server: Server, client: Client) -> None:
        listed = await client.list(PODS, "n")
        assert (listed.items, listed.resource_version, listed.continue_token) == ([POD], "9", "c")
        partial = await client.list(PODS, "n", metadata_only=True)
        assert partial.items[0]["kind"] == "PartialObjectMetadata"
        assert "as=PartialObjectMetadataList" in server.requests[1].headers["accept"]

    play(making, tmp_path, scenario)


@MAKINGS
def test_watches_join_split_lines_and_raise_errors(making: str, tmp_path: Path) -> None:
    added = json.dumps({"type": "ADDED", "object": POD}).encode() + b"\n"
    gone = json.dumps({"type": "ERROR", "object": errors.Expired("too old resource version: 1 (7)").to_status()}).encode() + b"\n"

    async def scenario(server: Server, client: Client) -> None:
        server.chunks = [added + added[:7], added[7:20], added[20:], gone]
        events = client.watch(PODS, "n", resource_version="1", timeout_seconds=60)
        seen = [await anext(events), await anext(events)]
        with pytest.raises(errors.Expired, match="too old"):
            await anext(events)
        assert seen == [WatchEvent("ADDED", POD)] * 2
        assert server.requests[0].raw_query == "watch=true&allowWatchBookmarks=true&resourceVersion=1&timeoutSeconds=60"

    play(making, tmp_path, scenario)


@MAKINGS
def test_a_watch_that_is_left_early_frees_its_connection(making: str, tmp_path: Path) -> None:
    async def scenario(server: Server, client: Client) -> None:
        server.chunks = [json.dumps({"type": "ADDED", "object": POD}).encode() + b"\n"] * 50
        events = client.watch(PODS, "n", resource_version="1")
        assert (await anext(events)).type == "ADDED"
        await events.aclose()  # type: ignore[attr-defined]
        assert await client.get(PODS, "p", "n") == POD

    play(making, tmp_path, scenario)


def test_kubeconfig_is_resolved(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"KEY")
    config = {
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u", "namespace": "n"}}],
        "clusters": [{"name": "k", "cluster": {"server": "https://h:1", "certificate-authority-data": base64.b64encode(b"CA").decode()}}],
        "users": [
            {"name": "u", "user": {"client-certificate-data": base64.b64encode(b"CERT").decode(), "client-key": "key", "token": "t"}}
        ],
    }
    assert resolve(config, "", tmp_path) == ClusterAccess(
        server="https://h:1", ca=b"CA", certificate=b"CERT", private_key=b"KEY", token="t", namespace="n"
    )
    with pytest.raises(ValueError, match='the kubeconfig has no context "other"'):
        resolve(config, "other", tmp_path)
