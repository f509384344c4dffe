"""Nodes closed, emptied and tainted with kubectl, and what the scheduler says about it."""

from collections.abc import Iterator

import pytest

from tests.e2e.namespace import Namespace, container, deployment, pod
from tests.e2e.real_cluster import wait_for


@pytest.fixture
def node(space: Namespace) -> Iterator[str]:
    """The first node; afterwards it is open again."""
    name = str(space.get("nodes")["items"][0]["metadata"]["name"])
    yield name
    space.run("uncordon", name)
    space.run("taint", "node", name, "only-")


def _nodes_of(space: Namespace) -> set[str]:
    pods = space.get("pods", "-l", "app=web")["items"]
    return {each["spec"].get("nodeName", "") for each in pods if "deletionTimestamp" not in each["metadata"]}


def test_a_cordoned_node_gets_no_new_pods(space: Namespace, node: str) -> None:
    assert space.out("cordon", node) == f"node/{node} cordoned\n"
    assert space.out("cordon", node) == f"node/{node} already cordoned\n"
    assert space.out("get", "node", node, "--no-headers").split()[1] == "Ready,SchedulingDisabled"
    assert [taint["key"] for taint in space.get("node", node)["spec"]["taints"]] == ["node.kubernetes.io/unschedulable"]
    space.apply(deployment("web", 4))
    space.out("rollout", "status", "deployment/web", "--timeout=60s")
    assert node not in _nodes_of(space)
    assert space.out("uncordon", node) == f"node/{node} uncordoned\n"
    wait_for(lambda: not space.get("node", node)["spec"].get("taints"), "the taint stays")


def test_drain_evicts_what_is_replaced_elsewhere_and_refuses_the_rest(space: Namespace, node: str) -> None:
    space.apply(deployment("web", 4))
    space.out("rollout", "status", "deployment/web", "--timeout=60s")
    assert len(_nodes_of(space)) == 2
    mine = "--pod-selector=app=web"
    done = space.out("drain", node, "--ignore-daemonsets", "--timeout=60s", mine)
    assert done.splitlines()[0] == f"node/{node} cordoned"
    assert done.splitlines()[-1] == f"node/{node} drained"
    wait_for(lambda: node not in _nodes_of(space) and "" not in _nodes_of(space), "pods stay on the drained node")
    space.out("uncordon", node)
    space.apply(pod("alone", nodeName=node))
    space.ready("alone")
    refused = space.fails("drain", node, "--timeout=5s", "--pod-selector=app=alone")
    assert f"cannot delete Pods that declare no controller (use --force to override): {space.name}/alone" in refused


def test_taints_keep_pods_away_and_throw_them_off(space: Namespace, node: str) -> None:
    space.apply(pod("stays", nodeName=node, tolerations=[{"key": "only", "operator": "Exists"}]), pod("goes", nodeName=node))
    space.ready("stays", "goes")
    assert space.out("taint", "node", node, "only=me:NoSchedule") == f"node/{node} tainted\n"
    assert "already has only taint(s) with same effect(s) and --overwrite is false" in space.fails(
        "taint", "node", node, "only=you:NoSchedule"
    )
    space.apply(pod("misfit", nodeSelector={"kubernetes.io/hostname": node}))
    message = space.wait_for_event("misfit", "FailedScheduling")
    assert message.startswith(
        "0/2 nodes are available: 1 node(s) didn't match Pod's node affinity/selector, 1 node(s) had untolerated taint"
    )
    condition = space.get("pod", "misfit")["status"]["conditions"][0]
    assert (condition["type"], condition["status"], condition["reason"]) == ("PodScheduled", "False", "Unschedulable")
    assert space.out("taint", "node", node, "only=me:NoExecute") == f"node/{node} tainted\n"
    space.out("wait", "--for=delete", "pod/goes", "--timeout=30s")
    assert space.out("taint", "node", node, "only-") == f"node/{node} untainted\n"
    space.ready("misfit", "stays")


def test_a_pod_that_fits_nowhere_says_why(space: Namespace) -> None:
    space.apply(pod("huge", container(resources={"requests": {"cpu": "1000"}})))
    assert space.wait_for_event("huge", "FailedScheduling").startswith("0/2 nodes are available: 2 Insufficient cpu.")
