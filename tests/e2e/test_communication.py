"""Who reaches whom, by which name, and which address the other side sees."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from proa.lib.netlink import sysctl
from proa.lib.netlink.namespaces import NetworkNamespace
from proa.lib.netlink.network import Network, Route
from tests.e2e.real_cluster import RealCluster, busybox_pod

NAMES = ("backend", "backend.test-ns-1", "backend.test-ns-1.svc.cluster.local")
INTERNET = "203.0.113.10"


@pytest.fixture(scope="module")
def tools(shop: RealCluster) -> Iterator[RealCluster]:
    """Pods to call from: two on the first node and one on the second, in test-ns-1; one in namespace elsewhere."""
    first, second = shop.node_names()[:2]
    shop.apply("apiVersion: v1\nkind: Namespace\nmetadata: {name: elsewhere}")
    for name, node, namespace in (
        ("one", first, "test-ns-1"), ("two", second, "test-ns-1"), ("stranger", second, "elsewhere"),
    ):  # fmt: skip
        shop.apply(busybox_pod(name, node=node, namespace=namespace))
    server = ("httpd", "-f", "-v", "-p", "8000", "-h", "/srv/backend")
    shop.apply(busybox_pod("server", node=first, namespace="test-ns-1", command=server))
    shop.kubectl("wait", "--for=condition=Ready", "pod/one", "pod/two", "pod/server", "-n", "test-ns-1", "--timeout=60s")
    shop.kubectl("wait", "--for=condition=Ready", "pod/stranger", "-n", "elsewhere", "--timeout=60s")
    yield shop
    shop.kubectl("delete", "pod", "one", "two", "server", "-n", "test-ns-1", "--grace-period=0", "--force")
    shop.kubectl("delete", "namespace", "elsewhere")


@pytest.mark.parametrize("name", NAMES)
def test_a_service_answers_by_short_and_long_names_in_its_namespace(tools: RealCluster, name: str) -> None:
    assert "backend v1, pod backend-" in tools.execute("one", "timeout", "5", "wget", "-qO-", f"http://{name}:5000/", namespace="test-ns-1")


def test_from_another_namespace_only_names_with_the_namespace_answer(tools: RealCluster) -> None:
    for name in NAMES[1:]:
        assert "pod backend-" in tools.execute("stranger", "timeout", "5", "wget", "-qO-", f"http://{name}:5000/", namespace="elsewhere")
    short = tools.kubectl("exec", "-n", "elsewhere", "stranger", "--", "timeout", "5", "wget", "-qO-", "http://backend:5000/", check=False)
    assert short.returncode != 0
    assert "bad address" in short.stderr


@pytest.mark.parametrize("client", ["one", "two"], ids=["on the same node", "on another node"])
def test_a_pod_sees_the_other_pods_own_address(tools: RealCluster, client: str) -> None:
    pods = {pod["metadata"]["name"]: pod["status"]["podIP"] for pod in tools.get("pods", "-n", "test-ns-1")["items"]}
    answer = tools.execute(client, "timeout", "5", "wget", "-qO-", f"http://{pods['server']}:8000/", namespace="test-ns-1")
    assert f"asked by {pods[client]}" in answer


@pytest.fixture
def internet(tools: RealCluster) -> Iterator[str]:
    """A server outside of the cluster, in a network namespace that plays the internet; answers with its client's address."""
    namespace = NetworkNamespace("proa-test-internet")
    namespace.create()
    machine_side = "proatestnet"
    try:
        with Network() as network:
            network.add_veth(machine_side, "eth0", peer_namespace=namespace.path)
            network.add_address(machine_side, "203.0.113.1/24")
            network.set_up(machine_side)
        sysctl.write(f"net/ipv4/conf/{machine_side}/forwarding", 1)
        namespace.run_inside(_wire_internet)
        server = namespace.run_inside(lambda: HTTPServer((INTERNET, 80), _EchoAddress))
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield INTERNET
        finally:
            server.shutdown()
            thread.join()
            server.server_close()
    finally:
        with Network() as network:
            network.delete_link(machine_side)
        namespace.delete()


def _wire_internet() -> None:
    with Network() as network:
        network.add_address("eth0", f"{INTERNET}/24")
        network.set_up("eth0")
        network.replace_route(Route("0.0.0.0/0", gateway="203.0.113.1"))


class _EchoAddress(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = f"asked by {self.client_address[0]}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        pass


def test_outside_of_the_cluster_a_pod_is_seen_with_its_nodes_address(tools: RealCluster, internet: str) -> None:
    answer = tools.execute("one", "timeout", "5", "wget", "-qO-", f"http://{internet}/", namespace="test-ns-1")
    assert answer.strip() == f"asked by {tools.address_of_node(tools.node_names()[0])}"
