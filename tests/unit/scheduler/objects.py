"""Nodes and pods for the scheduler's tests, as short as the cases need them."""

from typing import Any

from proa.api.meta import Object
from proa.scheduler.node_info import NodeInfo
from proa.scheduler.pod_info import PodInfo


def node(name: str, cpu: str = "4", memory: str = "8Gi", pods: int = 110, labels: dict[str, str] | None = None, **spec: Any) -> Object:
    images = spec.pop("images", [])
    allocatable = {"cpu": cpu, "memory": memory, "pods": str(pods), **spec.pop("allocatable", {})}
    metadata = {"name": name, "labels": {"kubernetes.io/hostname": name, **(labels or {})}}
    return {
        "apiVersion": "v1", "kind": "Node", "metadata": metadata, "spec": spec, "status": {"allocatable": allocatable, "images": images},
    }  # fmt: skip


def pod(name: str, cpu: str = "", memory: str = "", on: str = "", labels: dict[str, str] | None = None, **spec: Any) -> Object:
    requests = {key: value for key, value in (("cpu", cpu), ("memory", memory)) if value}
    requests |= spec.pop("requests", {})
    metadata = {"name": name, "namespace": spec.pop("namespace", "default"), "uid": f"uid-{name}", "labels": labels or {}}
    container: Object = {"name": "c", "image": spec.pop("image", "app:1"), "resources": {"requests": requests}}
    if ports := spec.pop("ports", None):
        container["ports"] = ports
    status = spec.pop("status", {})
    if on:
        spec["nodeName"] = on
    return {
        "apiVersion": "v1", "kind": "Pod", "metadata": metadata,
        "spec": {"containers": [container], "schedulerName": "default-scheduler", **spec}, "status": {"phase": "Pending", **status},
    }  # fmt: skip


def pod_info(name: str = "p", **arguments: Any) -> PodInfo:
    return PodInfo(pod(name, **arguments))


def node_info(name: str = "n", *pods: Object, **arguments: Any) -> NodeInfo:
    info = NodeInfo(name)
    info.set_node(node(name, **arguments))
    for each in pods:
        info.add_pod(PodInfo(each))
    return info
