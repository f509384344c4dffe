"""Deployments under traffic: a lost pod, scaling, and a new version."""

import threading
import time
import urllib.error
import urllib.request
from types import TracebackType

from tests.e2e.real_cluster import RealCluster, wait_for


class Traffic:
    """Requests to a URL at a steady rate from threads of their own, while the test does something else."""

    def __init__(self, url: str, per_second: float = 10.0) -> None:
        self.failures: list[str] = []
        self.answers: list[str] = []
        self._url, self._interval = url, 1.0 / per_second
        self._end = threading.Event()
        self._pacer = threading.Thread(target=self._pace)

    def __enter__(self) -> "Traffic":
        self._pacer.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._end.set()
        self._pacer.join()

    def _pace(self) -> None:
        requests: list[threading.Thread] = []
        while not self._end.wait(self._interval):
            requests.append(threading.Thread(target=self._ask))
            requests[-1].start()
        for request in requests:
            request.join()

    def _ask(self) -> None:
        try:
            with urllib.request.urlopen(self._url, timeout=5) as answer:
                self.answers.append(answer.read().decode())
        except (OSError, urllib.error.HTTPError) as error:
            self.failures.append(repr(error))


def _backend_addresses(cluster: RealCluster) -> set[str]:
    subsets = cluster.get("endpoints", "backend", "-n", "test-ns-1").get("subsets") or []
    return {address["ip"] for subset in subsets for address in subset.get("addresses") or []}


def _backend_pods(cluster: RealCluster) -> dict[str, str]:
    """Running, not terminating: name -> address."""
    pods = cluster.get("pods", "-n", "test-ns-1", "-l", "app=backend")["items"]
    return {
        pod["metadata"]["name"]: pod["status"].get("podIP", "")
        for pod in pods
        if pod["status"]["phase"] == "Running" and "deletionTimestamp" not in pod["metadata"]
    }


def _cluster_ip(cluster: RealCluster) -> str:
    return str(cluster.get("service", "backend", "-n", "test-ns-1")["spec"]["clusterIP"])


def _expose_backend(cluster: RealCluster) -> str:
    """A node port for the backend itself, so that traffic can be made from this machine."""
    expose = ("expose", "deployment", "backend", "-n", "test-ns-1", "--name=backend-outside", "--type=NodePort", "--port=5000")
    cluster.kubectl(*expose, check=False)
    port = cluster.get("service", "backend-outside", "-n", "test-ns-1")["spec"]["ports"][0]["nodePort"]
    url = f"http://{cluster.address_of_node(cluster.node_names()[0])}:{port}/"

    def answers() -> bool:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return True
        except OSError:
            return False

    wait_for(answers, f"{url} does not answer")
    return url


def test_a_deleted_pod_is_replaced_under_load(shop: RealCluster) -> None:
    url, cluster_ip = _expose_backend(shop), _cluster_ip(shop)
    victim, address = next(iter(_backend_pods(shop).items()))
    with Traffic(url) as traffic:
        time.sleep(1)
        shop.kubectl("delete", "pod", victim, "-n", "test-ns-1")
        wait_for(
            lambda: len(_backend_pods(shop)) == 3 and _backend_addresses(shop) == set(_backend_pods(shop).values()),
            "endpoints do not follow",
        )
        time.sleep(1)
    assert address not in _backend_addresses(shop)
    assert len(traffic.failures) <= 1, traffic.failures
    assert len(traffic.answers) > 20
    assert _cluster_ip(shop) == cluster_ip


def test_endpoints_follow_the_scale(shop: RealCluster) -> None:
    for replicas in (10, 1, 3):
        shop.kubectl("scale", "deployment/backend", "-n", "test-ns-1", f"--replicas={replicas}")
        shop.wait_for_rollout("deployment/backend", "test-ns-1")
        wait_for(lambda wanted=replicas: len(_backend_addresses(shop)) == wanted, f"not {replicas} endpoints")  # type: ignore[misc]


def test_a_new_version_rolls_out_without_a_failed_request_and_back(shop: RealCluster) -> None:
    url = _expose_backend(shop)
    with Traffic(url) as traffic:
        time.sleep(0.5)
        shop.kubectl("set", "image", "deployment/backend", "backend=example.com/shop:v2", "-n", "test-ns-1")
        shop.wait_for_rollout("deployment/backend", "test-ns-1")
        wait_for(lambda: "backend v2" in traffic.answers[-1], "version 2 does not answer")
        shop.kubectl("rollout", "undo", "deployment/backend", "-n", "test-ns-1")
        shop.wait_for_rollout("deployment/backend", "test-ns-1")
        wait_for(lambda: "backend v1" in traffic.answers[-1], "version 1 does not answer again")
    assert traffic.failures == []
    assert {answer.split(",")[0] for answer in traffic.answers} == {"backend v1", "backend v2"}
    history = shop.kubectl("rollout", "history", "deployment/backend", "-n", "test-ns-1").stdout
    assert [line.split()[0] for line in history.splitlines()[2:] if line] == ["2", "3"]
