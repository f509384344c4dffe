"""A node that loses its power, and a node that comes and goes."""

from tests.e2e.real_cluster import RealCluster, wait_for

PATIENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: mover}
spec:
  replicas: 2
  selector: {matchLabels: {app: mover}}
  template:
    metadata: {labels: {app: mover}}
    spec:
      terminationGracePeriodSeconds: 1
      tolerations:
        - {key: node.kubernetes.io/unreachable, operator: Exists, effect: NoExecute, tolerationSeconds: 3}
        - {key: node.kubernetes.io/not-ready, operator: Exists, effect: NoExecute, tolerationSeconds: 3}
      containers:
        - {name: main, image: "example.com/shop:v1", command: [sleep, inf]}
"""


def _ready(cluster: RealCluster, node: str) -> str:
    conditions = cluster.get("node", node)["status"]["conditions"]
    return str(next(condition["status"] for condition in conditions if condition["type"] == "Ready"))


def _running_on(cluster: RealCluster) -> list[str]:
    pods = cluster.get("pods", "-l", "app=mover")["items"]
    return sorted(
        pod["spec"]["nodeName"] for pod in pods if pod["status"]["phase"] == "Running" and "deletionTimestamp" not in pod["metadata"]
    )


def test_pods_of_a_node_without_power_are_replaced_elsewhere_and_the_node_comes_back(cluster: RealCluster) -> None:
    first, second = cluster.node_names()[:2]
    cluster.apply(PATIENT)
    cluster.wait_for_rollout("deployment/mover")
    assert _running_on(cluster) == [first, second]
    cluster.proa("node", "stop", second, "--cluster", "e2e")
    try:
        wait_for(lambda: _ready(cluster, second) == "Unknown", f"{second} is still Ready", patience=90)
        taints = {taint["key"] for taint in cluster.get("node", second)["spec"]["taints"]}
        assert "node.kubernetes.io/unreachable" in taints
        wait_for(lambda: _running_on(cluster) == [first, first], "pods are not replaced elsewhere", patience=60)
    finally:
        cluster.proa("node", "start", second, "--cluster", "e2e")
    assert _ready(cluster, second) == "True"
    wait_for(lambda: not cluster.get("node", second)["spec"].get("taints"), "taints stay")
    wait_for(lambda: len(cluster.get("pods", "-l", "app=mover")["items"]) == 2, "lost pods are not cleaned up")
    cluster.kubectl("delete", "deployment", "mover")


def test_a_node_is_added_takes_pods_and_is_removed(cluster: RealCluster) -> None:
    cluster.proa("node", "add", "extra", "--cluster", "e2e")
    try:
        assert _ready(cluster, "extra") == "True"
    finally:
        cluster.proa("node", "remove", "extra", "--cluster", "e2e")
    assert "extra" not in cluster.node_names()
    assert "extra" not in cluster.proa("image", "list", "--cluster", "e2e").stdout
