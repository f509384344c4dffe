"""What of a pod is kept in memory."""

from typing import Any

from proa.controllers import pods

POD: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {
        "name": "p", "namespace": "n", "uid": "u", "resourceVersion": "1", "labels": {"app": "x"}, "managedFields": [{}],
        "annotations": {"controller.kubernetes.io/pod-deletion-cost": "5", "other": "y"},
    },
    "spec": {
        "nodeName": "a",
        "volumes": [{}],
        "tolerations": [{"operator": "Exists"}],
        "containers": [{"name": "c", "image": "i", "ports": [{"name": "web", "containerPort": 80}]}, {"name": "d"}],
        "initContainers": [
            {"name": "init", "ports": [{"containerPort": 1}]},
            {"name": "sidecar", "restartPolicy": "Always", "ports": [{"name": "s", "containerPort": 2}]},
        ],
    },
    "status": {
        "phase": "Running",
        "podIP": "10.0.0.1",
        "podIPs": [{"ip": "10.0.0.1"}],
        "conditions": [{"type": "Initialized", "status": "True"}, {"type": "Ready", "status": "True", "lastProbeTime": None}],
        "containerStatuses": [{"restartCount": 2, "name": "c"}, {"restartCount": 7, "name": "d"}],
    },
}  # fmt: skip


def test_only_what_controllers_read_is_kept() -> None:
    assert pods.slim(POD) == {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": "p", "namespace": "n", "uid": "u", "resourceVersion": "1", "labels": {"app": "x"},
            "annotations": {"controller.kubernetes.io/pod-deletion-cost": "5"},
        },
        "spec": {
            "nodeName": "a",
            "containers": [{"name": "c", "ports": [{"name": "web", "containerPort": 80}]}],
            "initContainers": [{"name": "sidecar", "restartPolicy": "Always", "ports": [{"name": "s", "containerPort": 2}]}],
            "tolerations": [{"operator": "Exists"}],
        },
        "status": {
            "phase": "Running",
            "podIP": "10.0.0.1",
            "conditions": [{"type": "Ready", "status": "True"}],
            "containerStatuses": [{"restartCount": 7}],
        },
    }  # fmt: skip


def test_siblings_share_what_they_have_in_common() -> None:
    one = pods.slim(POD)
    other = pods.slim({**POD, "metadata": {**POD["metadata"], "name": "q", "labels": {"app": "x"}}})
    assert one["metadata"]["labels"] is other["metadata"]["labels"]
