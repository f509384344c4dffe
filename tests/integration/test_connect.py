"""Subresources that stream, proxy or act on a pod, through the front door: the node's kubelet is an HTTPS server on loopback."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from proa.lib import pki
from proa.lib.http.message import AnyResponse, Request, Response, StreamResponse, UpgradeResponse, Writer
from proa.lib.http.server import HttpServer
from proa.lib.http.tls import server_context
from tests.integration.conftest import Api, Run, running
from tests.integration.extension_server import shout
from tests.integration.test_aggregation import Loop

PODS = "/api/v1/namespaces/default/pods"
NODE = "/api/v1/nodes/n1"


class Kubelet:
    """Says what it was asked; logs come in pieces, commands shout."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.port = 0

    async def __call__(self, request: Request) -> AnyResponse:
        self.requests.append(request)
        head = request.path.split("/")[1]
        if head == "containerLogs":
            return StreamResponse(_lines, headers={"content-type": "text/plain"})
        if head in ("exec", "attach", "portForward"):
            return await shout(request)
        if head == "page":
            return Response(200, {"content-type": "text/html"}, b'<a href="/x/">x</a> <a href="https://elsewhere/">y</a>')
        if head == "moved":
            return Response(302, {"location": "/elsewhere?a=b"})
        return Response(200, {"x-method": request.method, "set-cookie": "a=1"}, request.body, (("set-cookie", "b=2"),))


async def _lines(writer: Writer) -> None:
    await writer.write(b"one\n")
    await writer.write(b"two\n")


RunWithNode = Callable[[Callable[[Api, Kubelet], Awaitable[None]]], None]


@pytest.fixture
def run_with_node(signing_key: Path, tmp_path: Path) -> RunWithNode:
    """A server, a node n1 and a running pod p (containers a and b, init container i) on it."""

    def run_scenario(scenario: Callable[[Api, Kubelet], Awaitable[None]]) -> None:
        authority = pki.CertificateAuthority.load_or_create(tmp_path, "ca")
        for name in ("kubelet", "client"):
            issued = authority.issue(name, ip_addresses=["127.0.0.1"], server=name == "kubelet", client=name == "client")
            for suffix, data in zip(("crt", "key"), issued, strict=True):
                (tmp_path / f"{name}.{suffix}").write_bytes(data)
        more = {
            "client_ca": tmp_path / "ca.crt", "kubelet_client_certificate": tmp_path / "client.crt",
            "kubelet_client_key": tmp_path / "client.key",
        }  # fmt: skip

        async def main() -> None:
            kubelet = Kubelet()
            server = HttpServer(kubelet)
            tls = server_context(tmp_path / "kubelet.crt", tmp_path / "kubelet.key", tmp_path / "ca.crt")
            kubelet.port = await server.listen("127.0.0.1", 0, tls)
            try:
                async with running(signing_key, tmp_path, **more) as api:
                    await make_node_and_pod(api, kubelet.port)
                    await scenario(api, kubelet)
            finally:
                await server.stop(0)

        asyncio.run(main())

    return run_scenario


async def make_node_and_pod(api: Api, port: int) -> None:
    status = {
        "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": port}},
    }
    await api("POST", "/api/v1/nodes", {"metadata": {"name": "n1"}, "status": status})
    containers = [{"name": name, "image": "i"} for name in ("a", "b")]
    spec = {"containers": containers, "initContainers": [{"name": "i", "image": "i"}], "nodeName": "n1"}
    made = await api("POST", PODS, {"metadata": {"name": "p", "labels": {"x": "1"}}, "spec": spec})
    assert made.status == 201, made.body
    ready = {"status": {"phase": "Running", "podIP": "127.0.0.1", "conditions": [{"type": "Ready", "status": "True"}]}}
    await api.patch("merge", f"{PODS}/p/status", ready)
    await api("POST", PODS, {"metadata": {"name": "unscheduled"}, "spec": {"containers": [{"name": "a", "image": "i"}]}})


METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


@pytest.mark.parametrize("method", METHODS)
def test_a_proxy_passes_every_method_with_its_body_and_path(run_with_node: RunWithNode, method: str) -> None:
    async def scenario(api: Api, kubelet: Kubelet) -> None:
        root = {"x-remote-user": "root", "x-remote-group": "system:masters", "authorization": "Bearer secret"}
        answer = await api(method, f"{NODE}/proxy/some/path/?a=b&a=c", b"foo", **root)
        assert (answer.status, answer.headers["x-method"], answer.raw) == (200, method, b"foo")
        (seen,) = kubelet.requests
        assert (seen.raw_path, seen.raw_query, "authorization" in seen.headers) == ("/some/path/", "a=b&a=c", False)
        assert seen.headers["x-forwarded-uri"] == f"{NODE}/proxy/some/path/"

    run_with_node(scenario)


def test_a_proxy_answers_head_redirects_to_its_root_and_keeps_cookies_apart(run_with_node: RunWithNode) -> None:
    async def scenario(api: Api, kubelet: Kubelet) -> None:
        answer = await api("HEAD", f"{NODE}/proxy/x")
        assert (answer.status, answer.headers["x-method"]) == (200, "HEAD")
        response = await api.send("GET", f"{NODE}/proxy/x")
        assert isinstance(response, StreamResponse | Response)
        assert response.repeated_headers == (("set-cookie", "a=1"), ("set-cookie", "b=2"))
        for method in ("GET", "HEAD"):
            moved = await api(method, f"{NODE}/proxy?a=b")
            assert (moved.status, moved.headers["location"]) == (301, f"{NODE}/proxy/?a=b")
        assert (await api("POST", f"{NODE}/proxy", b"x")).headers["x-method"] == "POST"

    run_with_node(scenario)


def test_a_proxy_keeps_links_and_redirects_below_itself(run_with_node: RunWithNode) -> None:
    async def scenario(api: Api, kubelet: Kubelet) -> None:
        page = await api("GET", f"{NODE}/proxy/page")
        assert page.raw == f'<a href="{NODE}/proxy/x/">x</a> <a href="https://elsewhere/">y</a>'.encode()
        assert (await api("GET", f"{NODE}/proxy/moved")).headers["location"] == f"{NODE}/proxy/elsewhere?a=b"

    run_with_node(scenario)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (f"{NODE}x/proxy/", (404, "NotFound", 'nodes "n1x" not found')),
        ("/api/v1/nodes/ftp:n1:1/proxy/", (400, "BadRequest", 'invalid node request "ftp:n1:1"')),
        (f"{PODS}/q/proxy/", (404, "NotFound", 'pods "q" not found')),
        (f"{PODS}/a:b:c:d/proxy/", (400, "BadRequest", 'invalid pod request "a:b:c:d"')),
        (f"{PODS}/p:80/proxy/", (400, "BadRequest", "address not allowed")),
        ("/api/v1/namespaces/default/services/s/proxy/", (404, "NotFound", 'services "s" not found')),
        (
            "/api/v1/namespaces/default/services/http:svc:81/proxy/",
            (503, "ServiceUnavailable", 'no service port 81 found for service "svc"'),
        ),
        (
            "/api/v1/namespaces/default/services/https:svc:web/proxy/",
            (503, "ServiceUnavailable", 'no endpoints available for service "https:svc:web"'),
        ),
    ],
)
def test_a_proxy_that_leads_nowhere(run_with_node: RunWithNode, path: str, expected: tuple[int, str, str]) -> None:
    async def scenario(api: Api, kubelet: Kubelet) -> None:
        service = {"metadata": {"name": "svc"}, "spec": {"ports": [{"name": "web", "port": 80}]}}
        await api("POST", "/api/v1/namespaces/default/services", service)
        empty = {
            "metadata": {"name": "svc"},
            "subsets": [{"notReadyAddresses": [{"ip": "10.1.1.1"}], "ports": [{"name": "web", "port": 8}]}],
        }
        await api("POST", "/api/v1/namespaces/default/endpoints", empty)
        assert (await api("GET", path)).summary == expected

    run_with_node(scenario)


def test_a_log_comes_from_the_node_as_it_is_written(run_with_node: RunWithNode) -> None:
    async def scenario(api: Api, kubelet: Kubelet) -> None:
        answer = await api(
            "GET", f"{PODS}/p/log?container=a&follow=true&tailLines=5&timestamps=true&sinceSeconds=3&limitBytes=9&previous=false"
        )
        assert (answer.raw, answer.headers["content-type"]) == (b"one\ntwo\n", "text/plain")
        (seen,) = kubelet.requests
        assert seen.path == "/containerLogs/default/p/a"
        assert seen.query == {
            "follow": ["true"], "tailLines": ["5"], "timestamps": ["true"], "sinceSeconds": ["3"], "limitBytes": ["9"],
        }  # fmt: skip
        for more in ("insecureSkipTLSVerifyBackend=true", "stream=Stderr", "sinceTime=2030-01-01T00:00:00Z"):
            assert (await api("GET", f"{PODS}/p/log?container=b&{more}")).raw == b"one\ntwo\n"
        assert (await api("GET", f"{PODS}/unscheduled/log")).raw == b""

    run_with_node(scenario)


@pytest.mark.parametrize(
    ("target", "code", "message"),
    [
        ("p/log", 400, "a container name must be specified for pod p, choose one of: [i a b]"),
        ("p/log?container=x", 400, "container x is not valid for pod p"),
        ("q/log", 404, 'pods "q" not found'),
        (
            "p/log?tailLines=-1&limitBytes=0", 422,
            'PodLogOptions "p" is invalid: [tailLines: Invalid value: -1: must be greater than or equal to 0, '
            "limitBytes: Invalid value: 0: must be greater than 0]",
        ),
        ("p/log?container=a&sinceTime=x", 400, 'parsing time "x" as "2006-01-02T15:04:05Z07:00": cannot parse "x" as "2006"'),
        ("p/log?container=a&tailLines=x", 400, 'strconv.ParseInt: parsing "x": invalid syntax'),
        (
            "p/log?container=a&stream=Stdout&tailLines=1", 422,
            'PodLogOptions "p" is invalid: []: Forbidden: `tailLines` and specific `stream` are mutually exclusive for now',
        ),
        (
            "p/log?container=a&stream=stdout", 422,
            'PodLogOptions "p" is invalid: stream: Unsupported value: "stdout": supported values: "All", "Stderr", "Stdout"',
        ),
        ("p/exec?command=x", 400, "a container name must be specified for pod p, choose one of: [i a b]"),
        ("p/exec?command=x&container=x", 400, "container x is not valid for pod p"),
        ("p/attach?container=a", 400, "Upgrade request required"),
        ("unscheduled/exec?command=x", 400, "pod unscheduled does not have a host assigned"),
        ("unscheduled/portforward", 400, "pod unscheduled does not have a host assigned"),
        ("q/portforward", 404, 'pods "q" not found'),
    ],
)  # fmt: skip
def test_streams_that_can_not_begin(run_with_node: RunWithNode, target: str, code: int, message: str) -> None:
    async def scenario(api: Api, kubelet: Kubelet) -> None:
        answer = await api("GET" if "/log" in target else "POST", f"{PODS}/{target}")
        assert (answer.status, answer.body["message"]) == (code, message)

    run_with_node(scenario)


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        ("exec?container=a&command=ls&command=-l&stdout=true&stderr=1", "/exec/default/p/a", "output=1&error=1&command=ls&command=-l"),
        ("attach?container=b&stdin=true&stdout=true&tty=true", "/attach/default/p/b", "input=1&output=1&tty=1"),
        ("portforward", "/portForward/default/p", ""),
    ],
)
def test_commands_are_joined_with_the_node(run_with_node: RunWithNode, target: str, path: str, query: str) -> None:
    async def scenario(api: Api, kubelet: Kubelet) -> None:
        asked = {"connection": "Upgrade", "upgrade": "SPDY/3.1", "x-stream-protocol-version": "v4.channel.k8s.io"}
        response = await api.send("POST", f"{PODS}/p/{target}", **asked)
        assert isinstance(response, UpgradeResponse), response
        client = Loop(b"hello")
        await asyncio.wait_for(response.run(client), 5)
        assert client.sent == b"HELLO"
        (seen,) = kubelet.requests
        assert (seen.path, seen.raw_query, seen.headers["x-stream-protocol-version"]) == (path, query, "v4.channel.k8s.io")

    run_with_node(scenario)


BUDGETS = "/apis/policy/v1/namespaces/default/poddisruptionbudgets"
EVICTION = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "p"}}
VIOLATES = "Cannot evict pod as it would violate the pod's disruption budget."


async def make_budget(api: Api, status: dict[str, Any], policy: str | None = None, name: str = "b") -> None:
    spec: dict[str, Any] = {"minAvailable": 1, "selector": {"matchLabels": {"x": "1"}}}
    if policy:
        spec["unhealthyPodEvictionPolicy"] = policy
    made = await api("POST", BUDGETS, {"metadata": {"name": name}, "spec": spec})
    whole = {"observedGeneration": 1, "currentHealthy": 1, "desiredHealthy": 1, "expectedPods": 1, "disruptionsAllowed": 0} | status
    assert (await api("PUT", f"{BUDGETS}/{name}/status", made.body | {"status": whole})).status == 200


UNREADY = {"status": {"conditions": [{"type": "Ready", "status": "False"}]}}
STILL = "The disruption budget b is still being processed by the server."


@pytest.mark.parametrize(
    ("status", "policy", "ready", "expected", "cause", "retry"),
    [
        ({}, None, True, 429, "The disruption budget b needs 1 healthy pods and has 1 currently", None),
        ({"observedGeneration": 0}, None, True, 429, STILL, "10"),
        (
            {"conditions": [{"type": "DisruptionAllowed", "status": "False", "reason": "SyncFailed", "message": "no scale",
                             "lastTransitionTime": "2030-01-01T00:00:00Z"}]},
            None, True, 429, "The disruption budget b does not allow evicting pods currently because it failed sync: no scale", None,
        ),
        ({"disruptionsAllowed": 1}, None, True, 201, "", None),
        ({}, None, False, 201, "", None),
        ({"currentHealthy": 0}, None, False, 429, "The disruption budget b needs 1 healthy pods and has 0 currently", None),
        ({"currentHealthy": 0}, "IfHealthyBudget", False, 429, "The disruption budget b needs 1 healthy pods and has 0 currently", None),
        ({"currentHealthy": 0}, "AlwaysAllow", False, 201, "", None),
    ],
)  # fmt: skip
def test_what_a_budget_lets_go(
    run_with_node: RunWithNode, status: dict[str, Any], policy: str | None, ready: bool, expected: int, cause: str, retry: str | None
) -> None:  # fmt: skip
    async def scenario(api: Api, kubelet: Kubelet) -> None:
        await make_budget(api, status, policy)
        if not ready:
            await api.patch("merge", f"{PODS}/p/status", UNREADY)
        answer = await api("POST", f"{PODS}/p/eviction", EVICTION)
        assert (answer.status, answer.headers.get("retry-after")) == (expected, retry), answer.body
        if cause:
            assert answer.body["message"] == VIOLATES
            assert answer.body["details"]["causes"] == [{"reason": "DisruptionBudget", "message": cause}]

    run_with_node(scenario)


def test_an_evicted_pod_says_why_it_goes(run_with_node: RunWithNode) -> None:
    async def scenario(api: Api, kubelet: Kubelet) -> None:
        await make_budget(api, {"disruptionsAllowed": 1})
        dry = await api("POST", f"{PODS}/p/eviction?dryRun=All", EVICTION)
        assert dry.status == 201
        before = (await api("GET", f"{PODS}/p")).body
        assert [each["type"] for each in before["status"]["conditions"]] == ["Ready"]
        assert (await api("POST", f"{PODS}/p/eviction", EVICTION)).status == 201
        pod = (await api("GET", f"{PODS}/p")).body
        told = {key: pod["status"]["conditions"][1][key] for key in ("type", "status", "reason", "message")}
        assert told == {
            "type": "DisruptionTarget",
            "status": "True",
            "reason": "EvictionByEvictionAPI",
            "message": "Eviction API: evicting",
        }
        assert pod["metadata"]["deletionTimestamp"]
        budget = (await api("GET", f"{BUDGETS}/b")).body["status"]
        assert (budget["disruptionsAllowed"], list(budget["disruptedPods"])) == (0, ["p"])
        assert budget["conditions"][0]["reason"] == "InsufficientPods"
        assert (await api("POST", f"{PODS}/p/eviction", EVICTION)).status == 201, "a pod that goes needs no budget"

    run_with_node(scenario)


def test_preconditions_names_and_several_budgets_of_an_eviction(run_with_node: RunWithNode) -> None:
    async def scenario(api: Api, kubelet: Kubelet) -> None:
        for name in ("q", None):
            metadata = {"name": name} if name else {}
            answer = await api("POST", f"{PODS}/p/eviction", EVICTION | {"metadata": metadata})
            assert answer.summary == (400, "BadRequest", "name in URL does not match name in Eviction object")
        stale = {"deleteOptions": {"preconditions": {"resourceVersion": "1"}}}
        assert (await api("POST", f"{PODS}/p/eviction", EVICTION | stale)).status == 409
        assert (await api("GET", f"{PODS}/p")).body["status"]["conditions"][0]["type"] == "Ready"
        current = (await api("GET", f"{PODS}/p")).body["metadata"]["resourceVersion"]
        await make_budget(api, {"disruptionsAllowed": 1})
        await make_budget(api, {"disruptionsAllowed": 1}, name="c")
        several = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
        assert (await api("POST", f"{PODS}/p/eviction", EVICTION)).summary == (500, "", several)
        await api("DELETE", f"{BUDGETS}/c")
        fits = {"deleteOptions": {"preconditions": {"resourceVersion": current}}}
        assert (await api("POST", f"{PODS}/p/eviction", EVICTION | fits)).status == 201

    run_with_node(scenario)


def test_binding_by_both_of_its_paths(run: Run) -> None:
    async def scenario(api: Api) -> None:
        for name in ("p", "q"):
            await api("POST", PODS, {"metadata": {"name": name}, "spec": {"containers": [{"name": "a", "image": "i"}]}})
        target = {"target": {"kind": "Node", "name": "n1"}}
        unnamed = await api("POST", f"{PODS}/p/binding", target)
        assert unnamed.summary == (400, "BadRequest", "name in URL does not match name in Binding object")
        assert (await api("POST", f"{PODS}/p/binding", target | {"metadata": {"name": "p"}})).status == 201
        assert (await api("POST", "/api/v1/namespaces/default/bindings", target | {"metadata": {"name": "q"}})).status == 201
        for name in ("p", "q"):
            pod = (await api("GET", f"{PODS}/{name}")).body
            assert (pod["spec"]["nodeName"], pod["status"]["conditions"][0]["type"]) == ("n1", "PodScheduled")
        again = await api("POST", f"{PODS}/p/binding", target | {"metadata": {"name": "p"}})
        why = 'Operation cannot be fulfilled on pods/binding "p": pod p is already assigned to node "n1"'
        assert again.summary == (409, "Conflict", why)

    run(scenario)


def test_ephemeral_containers_are_only_added_and_nothing_else_changes(run_with_node: RunWithNode) -> None:
    async def scenario(api: Api, kubelet: Kubelet) -> None:
        path = f"{PODS}/p/ephemeralcontainers"
        debug = {"name": "debug", "image": "i", "targetContainerName": "a"}
        more = {"spec": {"containers": [{"name": "a", "image": "other"}], "ephemeralContainers": [debug]}}
        spec = (await api.patch("strategic", path, more)).body["spec"]
        assert ([each["name"] for each in spec["ephemeralContainers"]], spec["containers"][0]["image"]) == (["debug"], "i")
        gone = await api.patch("merge", path, {"spec": {"ephemeralContainers": []}})
        why = 'spec.ephemeralContainers: Forbidden: existing ephemeral containers "debug" may not be removed\n'
        assert gone.summary == (422, "Invalid", f'Pod "p" is invalid: {why}')
        assert (await api("GET", path)).body["kind"] == "Pod"

    run_with_node(scenario)


OF_A = "spec.containers[0].resources"
RESOURCES = {
    "requests": {"cpu": "1", "memory": "1Gi", "ephemeral-storage": "1Gi"},
    "limits": {"cpu": "2", "ephemeral-storage": "1Gi"},
}


@pytest.mark.parametrize(
    ("containers", "message"),
    [
        ([{"name": "a", "resources": {"requests": {"cpu": "1500m"}}}], ""),
        ([{"name": "a", "resources": {"requests": {"memory": None}}}], f"{OF_A}.requests: Forbidden: resource requests cannot be removed"),
        ([{"name": "a", "resources": {"limits": {"cpu": None}}}], f"{OF_A}.limits: Forbidden: resource limits cannot be removed"),
        (
            [{"name": "a", "resources": {"limits": {"ephemeral-storage": "2Gi"}}}],
            "spec: Forbidden: only cpu and memory resources are mutable",
        ),
        ([{"name": "b", "image": "i"}], "spec.containers: Forbidden: containers may not be added or removed on resize"),
        (
            [{"name": "a", "resources": {"requests": {"cpu": "2"}, "limits": {"cpu": "2", "memory": "1Gi"}}}],
            'spec: Invalid value: "Burstable": Pod QOS Class may not change as a result of resizing',
        ),
    ],
)  # fmt: skip
def test_a_resize_changes_cpu_and_memory_and_nothing_else(run: Run, containers: list[dict[str, Any]], message: str) -> None:
    async def scenario(api: Api) -> None:
        spec = {"containers": [{"name": "a", "image": "i", "resources": RESOURCES}], "nodeName": "n1"}
        await api("POST", PODS, {"metadata": {"name": "r"}, "spec": spec})
        patch = {"metadata": {"labels": {"a": "b"}}, "spec": {"activeDeadlineSeconds": 5, "containers": containers}}
        answer = await api.patch("strategic", f"{PODS}/r/resize", patch)
        if message:
            assert answer.summary == (422, "Invalid", f'Pod "r" is invalid: {message}')
            return
        assert answer.body["spec"]["containers"][0]["resources"] == RESOURCES | {"requests": RESOURCES["requests"] | {"cpu": "1500m"}}
        assert answer.body["metadata"]["generation"] == 2
        assert not {"labels"} & set(answer.body["metadata"])
        assert "activeDeadlineSeconds" not in answer.body["spec"]

    run(scenario)
