"""The proxies of pods, services and nodes with a real backend: every method, both schemes, links, large bodies, upgrades, failures."""

import base64
import hashlib
import json
from collections.abc import Iterator

import pytest

from proa.lib.pki import create_authority
from tests.e2e.access import Access
from tests.e2e.namespace import Namespace, container, pod
from tests.e2e.real_cluster import REPOSITORY, RealCluster

BACKEND = (REPOSITORY / "tests/testdata/connect/backend.py").read_text()
PORTS = [{"name": "http", "containerPort": 8080}, {"name": "https", "containerPort": 8443}]


@pytest.fixture(scope="module")
def space(cluster: RealCluster, python: str) -> Iterator[Namespace]:
    """With a pod `backend`, a Service of the same name, and one whose selector matches nothing."""
    space = Namespace(cluster, "proxies")
    cluster.kubectl("create", "namespace", space.name)
    certificate, key = create_authority("backend").issue("backend", server=True)
    secret = {"tls.crt": base64.b64encode(certificate).decode(), "tls.key": base64.b64encode(key).decode()}
    mounts = [{"name": "code", "mountPath": "/code"}, {"name": "tls", "mountPath": "/tls"}]
    main = container(image=python, ports=PORTS, volumeMounts=mounts, readinessProbe={"tcpSocket": {"port": 8080}, "periodSeconds": 1})
    main["command"] = ["/bin/python3.11", "/code/backend.py"]
    volumes = [{"name": "code", "configMap": {"name": "code"}}, {"name": "tls", "secret": {"secretName": "tls"}}]
    ports = [{"name": "plain", "port": 80, "targetPort": "http"}, {"name": "secure", "port": 443, "targetPort": "https"}]
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "backend"},
        "spec": {"selector": {"app": "backend"}, "ports": ports},
    }
    space.apply(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "code"}, "data": {"backend.py": BACKEND}},
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "tls"}, "data": secret},
        pod("backend", main, volumes=volumes),
        service,
        service | {"metadata": {"name": "empty"}, "spec": {"selector": {"app": "nobody"}, "ports": ports}},
    )
    space.ready("backend")
    space.out("wait", "--for=jsonpath={.subsets[0].addresses[0].ip}", "endpoints/backend", "--timeout=30s")
    yield space
    cluster.kubectl("delete", "namespace", space.name, "--wait=false")


@pytest.fixture(scope="module")
def access(space: Namespace, tmp_path_factory: pytest.TempPathFactory) -> Access:
    return Access(space, tmp_path_factory.mktemp("access"))


def _proxy(space: Namespace, what: str) -> str:
    return f"/api/v1/namespaces/{space.name}/{what}/proxy"


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"])
def test_every_method_reaches_pods_services_and_nodes(space: Namespace, access: Access, method: str) -> None:
    for what, secure in (("pods/backend", False), ("pods/https:backend:8443", True), ("services/backend:plain", False),
                         ("services/backend:80", False), ("services/https:backend:secure", True)):  # fmt: skip
        answer = access.ask(method, f"{_proxy(space, what)}/some%20path/?a=b&a=%2Fc", b"body" if method != "HEAD" else None, x_mine="1")
        assert (answer.status, answer.headers["x-method"]) == (200, method), (what, answer)
        if method == "HEAD":
            continue
        seen = json.loads(answer.body)
        assert {name: seen[name] for name in ("method", "target", "secure", "size")} == {
            "method": method, "target": "/some%20path/?a=b&a=%2Fc", "secure": secure, "size": 4,
        }  # fmt: skip
        headers = seen["headers"]
        assert (headers["x-mine"], headers["host"], "authorization" in headers) == ("1", access.address.netloc, False)
        assert headers["x-forwarded-uri"] == f"{_proxy(space, what)}/some%20path/"
    node = access.ask(method, f"/api/v1/nodes/{space.cluster.node_names()[0]}/proxy/healthz")
    assert node.status == (200 if method in ("GET", "HEAD") else 405)


def test_redirects_links_and_strange_answers(space: Namespace, access: Access) -> None:
    base = _proxy(space, "pods/backend:8080")
    assert access.ask("GET", f"{base}/moved").headers["location"] == f"{base}/elsewhere?a=b"
    links = (f"{base}/own/", f"{base}/root", "beside", "https://elsewhere.example/")
    assert access.ask("GET", f"{base}/page").body.decode() == "".join(f'<a href="{link}">x</a>' for link in links)
    bare = access.ask("GET", f"{base}?a=b")
    assert (bare.status, bare.headers["location"]) == (301, f"{base}/?a=b")
    teapot = access.ask("DELETE", f"{base}/teapot")
    assert (teapot.status, teapot.body) == (418, b"short and stout")


def test_bodies_pass_whatever_their_size_and_as_they_come(space: Namespace, access: Access) -> None:
    large = bytes(range(256)) * (40 << 10)
    for what in ("pods/backend:8080", "services/https:backend:secure"):
        for body in (large, iter([large[:1000], large[1000:]])):
            seen = json.loads(access.ask("POST", f"{_proxy(space, what)}/", body).body)
            assert (seen["size"], seen["digest"]) == (len(large), hashlib.sha256(large).hexdigest())
    connection = access.connection()
    connection.putrequest("POST", f"{_proxy(space, 'pods/backend:8080')}/echo-pieces")
    connection.putheader("transfer-encoding", "chunked")
    connection.endheaders()
    for number, piece in enumerate((b"one", b"two", b"three")):
        connection.send(b"%x\r\n%s\r\n" % (len(piece), piece))
        if number == 0:
            answer = connection.getresponse()
        assert answer.read(len(piece)) == piece.upper()
    connection.send(b"0\r\n\r\n")
    assert (answer.status, answer.read()) == (200, b"")
    connection.close()


@pytest.mark.parametrize("protocol", ["websocket", "SPDY/3.1", "shouting"])
def test_upgrades_pass_untouched(space: Namespace, access: Access, protocol: str) -> None:
    for what in ("pods/backend:8080", "services/https:backend:secure"):
        with access.upgraded("GET", f"{_proxy(space, what)}/any", upgrade=protocol) as upgraded:
            assert (upgraded.status, upgraded.headers["upgrade"]) == (101, protocol)
            upgraded.sock.sendall(b"hello")
            assert upgraded.read() == b"HELLO"


def test_what_can_not_be_reached_is_told(space: Namespace, access: Access) -> None:
    ip = space.get("pod", "backend")["status"]["podIP"]
    unreachable = f"error trying to reach service: dial tcp {ip}:9: connect: connection refused"
    refused = (503, "ServiceUnavailable", unreachable)
    assert access.ask("GET", f"{_proxy(space, 'pods/backend:9')}/").refusal == refused
    nobody = 'no endpoints available for service "{}"'
    assert access.ask("GET", f"{_proxy(space, 'services/empty:80')}/").refusal == (503, "ServiceUnavailable", nobody.format("empty:80"))
    assert access.ask("GET", f"{_proxy(space, 'services/backend:none')}/").refusal == (
        503, "ServiceUnavailable", nobody.format("backend:none"),
    )  # fmt: skip
    assert access.ask("GET", f"{_proxy(space, 'services/backend:81')}/").refusal == (
        503, "ServiceUnavailable", 'no service port 81 found for service "backend"',
    )  # fmt: skip
    tls = access.ask("GET", f"{_proxy(space, 'pods/https:backend:8080')}/")
    assert tls.refusal[:2] == (503, "ServiceUnavailable"), tls
    with access.upgraded("GET", f"{_proxy(space, 'pods/backend:9')}/", upgrade="websocket") as failed:
        assert failed.status == 500
        assert f"dial tcp {ip}:9: connect: connection refused".encode() in failed.read()
