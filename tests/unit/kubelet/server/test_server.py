"""The kubelet API by its handler: who may ask what, and the documents and refusals that they get."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest

from proa.api import meta
from proa.api.meta import Object
from proa.api.resource import ResourceId
from proa.client.fake import FakeClient
from proa.kubelet.config import KubeletConfiguration
from proa.kubelet.cri.fake import FakeRuntime
from proa.kubelet.cri.runtime import (
    Container,
    ContainerStats,
    Sandbox,
    SandboxStats,
)
from proa.kubelet.server.server import KubeletServer
from proa.lib.clock import Clock, VirtualClock
from proa.lib.http.message import Request, Response, StreamResponse
from proa.lib.pki import create_authority
from tests.unit.kubelet.objects import container, exited, pod, running, sandbox


class ReviewingClient(FakeClient):
    """Plays the API server's reviews: tokens are user names; `rights` holds (user, verb, subresource)."""

    def __init__(self, *rights: tuple[str, str, str]) -> None:
        super().__init__()
        self.rights = set(rights)
        self.reviews: list[Object] = []

    async def create(self, resource: ResourceId, obj: Object, *, name: str = "", namespace: str = "", subresource: str = "") -> Object:
        self.reviews.append(obj)
        spec = obj["spec"]
        if resource.plural == "tokenreviews":
            if spec["token"] == "wrong":
                return obj | {"status": {"error": "no such token"}}
            return obj | {"status": {"authenticated": True, "user": {"username": spec["token"], "groups": ["g"]}}}
        attributes = spec["resourceAttributes"]
        assert (attributes["resource"], attributes["name"]) == ("nodes", "node-1")
        return obj | {"status": {"allowed": (spec["user"], attributes["verb"], attributes["subresource"]) in self.rights}}


@dataclass
class Found:
    pod: Object
    status: Container | None


@dataclass
class FakeNode:
    pods: list[Object] = field(default_factory=list)
    attempts: dict[str, Container] = field(default_factory=dict)
    clock: Clock = field(default_factory=VirtualClock)
    runtime: FakeRuntime = field(default_factory=FakeRuntime)
    is_healthy: bool = True

    def find_pod(self, namespace: str, name: str, uid: str = "") -> Object | None:
        return next((each for each in self.pods if (meta.namespace(each), meta.name(each)) == (namespace, name)), None)

    async def find_container(self, namespace: str, pod: str, container: str, uid: str = "") -> Found | None:
        found = self.find_pod(namespace, pod, uid)
        return Found(found, self.attempts.get(container)) if found else None

    def sandbox_of(self, pod: Object) -> Sandbox | None:
        return sandbox()

    async def container_stats(self) -> list[ContainerStats]:
        return []

    async def sandbox_stats(self) -> list[SandboxStats]:
        return []


CONFIG = KubeletConfiguration(node_name="node-1")
ALLOWED = ReviewingClient(("admin", "get", "proxy"), ("admin", "create", "proxy"), ("admin", "get", "metrics"), ("admin", "get", "stats"))


def ask(node: FakeNode, target: str, method: str = "GET", token: str = "admin", client: ReviewingClient = ALLOWED) -> tuple[int, bytes]:
    async def main() -> tuple[int, bytes]:
        answer = await KubeletServer(CONFIG, node, client).handler(_request(target, method, token))
        if isinstance(answer, StreamResponse):
            writer = Collected()
            await answer.run(writer)
            return answer.status, writer.data
        assert isinstance(answer, Response)
        assert isinstance(answer.body, bytes)
        return answer.status, answer.body

    return asyncio.run(main())


def _request(target: str, method: str = "GET", token: str = "", certificate: bytes | None = None) -> Request:
    path, _, query = target.partition("?")
    values: dict[str, list[str]] = {}
    for pair in query.split("&") if query else []:
        name, _, value = pair.partition("=")
        values.setdefault(name, []).append(value)
    headers = {"authorization": f"Bearer {token}"} if token else {}
    return Request(method, path, values, headers, raw_path=path, raw_query=query, certificate=certificate)


class Collected:
    def __init__(self) -> None:
        self.data = b""

    async def write(self, data: bytes) -> None:
        self.data += data

    async def wait_closed(self) -> None:
        await asyncio.Event().wait()


NODE = FakeNode([pod(container("c"), container("new"), status={"containerStatuses": []})], {"c": running("c"), "old": exited("old")})
REFUSALS: list[tuple[str, str, tuple[int, bytes]]] = [
    ("GET", "/nothing", (404, b"404 page not found\n")),
    ("POST", "/pods", (405, b"405: Method Not Allowed")),
    ("POST", "/exec/n/p/c", (400, b"you must specify at least 1 of stdin, stdout, stderr")),
    ("POST", "/exec/n/gone/c?output=1", (404, b"pod does not exist")),
    ("POST", "/exec/n/p/new?output=1&command=ls", (500, b'container not found ("new")')),
    ("POST", "/exec/n/p/u1/new?output=1&command=ls", (500, b'container not found ("new")')),
    ("POST", "/exec/n/p/old?output=1&command=ls", (500, b'container not found ("old")')),
    ("POST", "/exec/n/p/c?output=1&command=ls", (400, b"Upgrade request required")),
    ("POST", "/attach/n/p/c?output=1", (400, b"Upgrade request required")),
    ("POST", "/portForward/n/gone", (404, b"pod does not exist")),
    ("GET", "/containerLogs/n/gone/c", (404, b'pod "gone" does not exist\n')),
    ("GET", "/containerLogs/n/p/nope", (404, b'container "nope" not found in pod "p"\n')),
    ("GET", "/containerLogs/n/p/new", (400, b'container "new" in pod "p" is not available')),
    ("GET", "/healthz", (200, b"ok")),
]


@pytest.mark.parametrize(("method", "target", "answer"), REFUSALS)
def test_answers_in_plain_text(method: str, target: str, answer: tuple[int, bytes]) -> None:
    assert ask(NODE, target, method) == answer


def test_an_unwell_node_says_so() -> None:
    assert ask(FakeNode(is_healthy=False), "/healthz")[0] == 500


def test_pods_come_as_a_list() -> None:
    status, body = ask(NODE, "/pods")
    assert (status, orjson.loads(body)) == (200, {"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": NODE.pods})


def test_a_log_is_streamed(tmp_path: Path) -> None:
    log = tmp_path / "0.log"
    log.write_bytes(b"2026-01-01T00:00:00Z stdout F hello\n2026-01-01T00:00:00Z stdout F world\n")
    node = FakeNode([pod(container("c"))], {"c": running("c", log_path=str(log))})
    assert ask(node, "/containerLogs/n/p/c") == (200, b"hello\nworld\n")
    assert ask(node, "/containerLogs/n/p/c?tailLines=1") == (200, b"world\n")


def test_a_log_that_is_gone_is_an_error(tmp_path: Path) -> None:
    node = FakeNode([pod(container("c"))], {"c": running("c", log_path=str(tmp_path / "gone"))})
    assert ask(node, "/containerLogs/n/p/c")[0] == 400


RIGHTS = [
    ("pods", "get", "/pods", 200),
    ("proxy", "get", "/pods", 200),
    ("stats", "get", "/pods", 403),
    ("metrics", "get", "/metrics", 200),
    ("proxy", "get", "/metrics", 403),
    ("stats", "get", "/stats/summary", 200),
    ("healthz", "get", "/healthz", 200),
    ("proxy", "create", "/pods", 403),
]


@pytest.mark.parametrize(("subresource", "verb", "path", "status"), RIGHTS)
def test_rights_are_those_on_the_nodes_subresources(subresource: str, verb: str, path: str, status: int) -> None:
    assert ask(FakeNode(), path, token="who", client=ReviewingClient(("who", verb, subresource)))[0] == status


def test_a_denial_names_everything() -> None:
    answer = ask(FakeNode(), "/pods", token="who", client=ReviewingClient())
    assert answer == (403, b"Forbidden (user=who, verb=get, resource=nodes, subresource(s)=[pods proxy])")


@pytest.mark.parametrize("token", ["", "wrong"])
def test_nobody_is_anonymous(token: str) -> None:
    assert ask(FakeNode(), "/healthz", token=token) == (401, b"Unauthorized")


def test_a_certificate_names_user_and_groups() -> None:
    authority = create_authority("ca")
    pem, _ = authority.issue("kube-apiserver-kubelet-client", ["system:masters"], client=True)
    seen = _reviewed(pem, datetime.now(UTC))
    assert (seen["user"], seen["groups"]) == ("kube-apiserver-kubelet-client", ["system:masters", "system:authenticated"])
    with pytest.raises(LookupError):
        _reviewed(pem, datetime.now(UTC) + timedelta(days=800))


def _reviewed(pem: bytes, now: datetime) -> Object:
    import ssl

    client = ReviewingClient()
    server = KubeletServer(CONFIG, FakeNode(clock=VirtualClock(now)), client)
    asyncio.run(_answered(server, _request("/healthz", certificate=ssl.PEM_cert_to_DER_cert(pem.decode()))))
    if not client.reviews:
        raise LookupError("not identified")
    spec: Object = client.reviews[0]["spec"]
    return spec


async def _answered(server: KubeletServer, request: Request) -> None:
    await server.handler(request)


def test_reviews_are_remembered_for_a_while() -> None:
    async def main() -> None:
        client, clock = ReviewingClient(("who", "get", "healthz")), VirtualClock()
        server = KubeletServer(CONFIG, FakeNode(clock=clock), client)

        async def reviews_after(seconds: float) -> list[str]:
            await clock.advance(seconds)
            client.reviews.clear()
            await server.handler(_request("/healthz", token="who"))
            return [each["kind"] for each in client.reviews]

        assert await reviews_after(0) == ["TokenReview", "SubjectAccessReview"]
        assert await reviews_after(100) == []
        assert await reviews_after(50) == ["TokenReview"]
        assert await reviews_after(200) == ["TokenReview", "SubjectAccessReview"]

    asyncio.run(main())
