"""Pods, containers and what a runtime would say about them, for tests of the node agent's decisions."""

from typing import Any

from proa.api.meta import Object
from proa.kubelet.cri.runtime import Container, Sandbox
from proa.kubelet.pod_runtime import PodRuntime

SECOND = 10**9
NOW = 1_893_456_000


def container(name: str = "c", **fields: Any) -> Object:
    return {"name": name, "image": "busybox:1"} | fields


def pod(*containers: Object, init: tuple[Object, ...] = (), status: Object | None = None, **spec: Any) -> Object:
    made: Object = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p", "namespace": "n", "uid": "u1"},
        "spec": {"containers": list(containers) or [container()]} | ({"initContainers": list(init)} if init else {}) | spec,
    }
    return made | ({"status": status} if status else {})


def sandbox(attempt: int = 0, *, ready: bool = True, ips: tuple[str, ...] = ("10.0.0.1",), host: bool = False) -> Sandbox:
    return Sandbox(f"s{attempt}", "p", "n", "u1", attempt, ready, NOW * SECOND + attempt, ips if ready else (), {}, {}, host)


def running(name: str = "c", attempt: int = 0, in_sandbox: int = 0, **more: Any) -> Container:
    fields: dict[str, Any] = {"created_at": NOW * SECOND, "started_at": NOW * SECOND, "image": "busybox:1"} | more
    return Container(f"{name}-{attempt}", name, attempt, f"s{in_sandbox}", "RUNNING", **fields)


def exited(name: str = "c", code: int = 0, attempt: int = 0, in_sandbox: int = 0, finished: int = 0, **more: Any) -> Container:
    fields: dict[str, Any] = {
        "created_at": NOW * SECOND, "started_at": NOW * SECOND, "finished_at": (NOW + finished) * SECOND, "exit_code": code,
        "reason": "Completed" if code == 0 else "Error", "image": "busybox:1",
    } | more  # fmt: skip
    return Container(f"{name}-{attempt}", name, attempt, f"s{in_sandbox}", "EXITED", **fields)


def seen(*containers: Container, sandboxes: tuple[Sandbox, ...] | None = None) -> PodRuntime:
    return PodRuntime((sandbox(),) if sandboxes is None else sandboxes, containers)
