"""The Node as it is registered and reported."""

from typing import Any

import pytest

from proa.kubelet.config import KubeletConfiguration
from proa.kubelet.cri.runtime import Condition, Image, RuntimeStatus
from proa.kubelet.node_object import (
    NodeObservation,
    Pressure,
    allocatable,
    build_node_conditions,
    build_node_status,
    label_patch,
    new_node,
    node_images,
    status_changed,
)  # fmt: skip

CONFIGURATION = KubeletConfiguration("n1", node_labels={"zone": "a"}, register_taints=[{"key": "k", "effect": "NoSchedule"}])
UP = RuntimeStatus((Condition("RuntimeReady", True), Condition("NetworkReady", True)))
NO_NETWORK = RuntimeStatus((Condition("RuntimeReady", True), Condition("NetworkReady", False, "NetworkPluginNotReady", "no cni")))


def observation(runtime: RuntimeStatus | None = UP, **more: Any) -> NodeObservation:
    return NodeObservation({"cpu": "2"}, {"cpu": "2"}, {"kubeletVersion": "v1.37.0"}, [("InternalIP", "1.1.1.1")], runtime=runtime, **more)


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (observation(), ("True", "KubeletReady", "kubelet is posting ready status")),
        (observation(None, runtime_error="gone"), ("False", "KubeletNotReady", "container runtime is down: gone")),
        (observation(NO_NETWORK), ("False", "KubeletNotReady",
            "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:no cni")),
    ],
)  # fmt: skip
def test_readiness(seen: NodeObservation, expected: tuple[str, str, str]) -> None:
    ready = build_node_conditions(seen, [], "now")[-1]
    assert (ready["status"], ready["reason"], ready["message"]) == expected


def test_pressure_and_transition_times() -> None:
    old = [{"type": "MemoryPressure", "status": "False", "lastTransitionTime": "then"}]
    made = build_node_conditions(observation(pressure=Pressure(disk=True)), old, "now")
    assert [(each["type"], each["status"], each["reason"], each["lastTransitionTime"]) for each in made] == [
        ("MemoryPressure", "False", "KubeletHasSufficientMemory", "then"), ("DiskPressure", "True", "KubeletHasDiskPressure", "now"),
        ("PIDPressure", "False", "KubeletHasSufficientPID", "now"), ("Ready", "True", "KubeletReady", "now"),
    ]  # fmt: skip


def test_registration_and_reconciliation() -> None:
    node = new_node(CONFIGURATION, "amd64", {})
    assert node["metadata"]["labels"] == {
        "kubernetes.io/hostname": "n1", "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64", "beta.kubernetes.io/os": "linux",
        "beta.kubernetes.io/arch": "amd64", "zone": "a",
    }  # fmt: skip
    assert node["spec"] == {"taints": [{"key": "k", "effect": "NoSchedule"}]}
    assert label_patch(node, CONFIGURATION, "amd64") is None
    node["metadata"]["labels"]["zone"] = "b"
    assert label_patch(node, CONFIGURATION, "amd64") == {"metadata": {"labels": {"zone": "a"}}}


def test_allocatable_leaves_room_for_the_system() -> None:
    configuration = KubeletConfiguration("n1", system_reserved={"cpu": "500m"}, kube_reserved={"memory": "156Mi"})
    capacity = {"cpu": "2", "memory": "1Gi", "ephemeral-storage": "1000Ki", "pods": "110"}
    assert allocatable(capacity, configuration) == {"cpu": "1500m", "memory": "768Mi", "ephemeral-storage": "900Ki", "pods": "110"}


def test_heartbeats_alone_are_no_change() -> None:
    status = build_node_status(observation(), CONFIGURATION, {}, "now")
    assert not status_changed(status, build_node_status(observation(), CONFIGURATION, status, "later"))
    assert status_changed(status, build_node_status(observation(NO_NETWORK), CONFIGURATION, status, "later"))


def test_the_largest_images_are_told() -> None:
    images = [Image("a", ("a:1",), ("a@d",), 10), Image("b", ("b:1",), (), 20), Image("c", size=30)]
    assert node_images(images) == [{"names": ["b:1"], "sizeBytes": 20}, {"names": ["a@d", "a:1"], "sizeBytes": 10}]
