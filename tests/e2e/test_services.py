"""How traffic reaches the pods behind a Service, from every side."""

import re
import urllib.request
from collections import Counter

import pytest

from tests.e2e.real_cluster import RealCluster, busybox_pod, wait_for

REQUESTS = 300


def _fetch(url: str) -> str:
    with urllib.request.urlopen(url, timeout=5) as answer:
        return str(answer.read().decode())


def _pods(text: str, workload: str) -> Counter[str]:
    return Counter(re.findall(rf"pod ({workload}-[a-z0-9]+-[a-z0-9]+)", text))


def _evenly_spread(hits: Counter[str], pods: int) -> bool:
    return len(hits) == pods and sum(hits.values()) == REQUESTS and max(hits.values()) <= 2 * REQUESTS / pods


def test_requests_to_a_service_with_a_named_port_reach_every_pod(shop: RealCluster) -> None:
    shop.apply(busybox_pod("caller", namespace="test-ns-1"))
    shop.kubectl("wait", "--for=condition=Ready", "pod/caller", "-n", "test-ns-1", "--timeout=60s")
    loop = f"for i in $(seq {REQUESTS}); do wget -qO- http://catalogue:8080/; done"
    hits = _pods(shop.execute("caller", "sh", "-c", loop, namespace="test-ns-1"), "catalogue")
    shop.kubectl("delete", "pod", "caller", "-n", "test-ns-1", "--grace-period=0", "--force")
    assert _evenly_spread(hits, 5), hits


@pytest.mark.parametrize("index", [0, 1], ids=["first node", "second node"])
def test_a_node_port_answers_on_every_node(shop: RealCluster, index: int) -> None:
    port = shop.get("service", "frontend", "-n", "test-ns-1")["spec"]["ports"][0]["nodePort"]
    address = shop.address_of_node(shop.node_names()[index])
    hits = _pods("".join(_fetch(f"http://{address}:{port}/") for _ in range(REQUESTS)), "frontend")
    assert _evenly_spread(hits, 3), hits


def test_a_node_port_answers_on_localhost(shop: RealCluster) -> None:
    port = shop.get("service", "frontend", "-n", "test-ns-1")["spec"]["ports"][0]["nodePort"]
    assert "frontend v1" in wait_for(lambda: _fetch(f"http://127.0.0.1:{port}/"), "localhost does not answer")


def test_the_load_balancer_address_answers_from_this_machine(shop: RealCluster) -> None:
    def address() -> str:
        ingress = shop.get("service", "frontendlb", "-n", "test-ns-1")["status"]["loadBalancer"].get("ingress")
        return ingress[0]["ip"] if ingress else ""

    found = wait_for(address, "frontendlb has no address")
    hits = _pods("".join(_fetch(f"http://{found}/") for _ in range(REQUESTS)), "frontend")
    assert _evenly_spread(hits, 3), hits
