"""A node agent over a private containerd, with the API played by the fake client: the stage on which runtime behaviour is tested."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from proa.api.errors import NotFound
from proa.api.kinds import EVENTS, PODS
from proa.api.meta import Object
from proa.client.fake import FakeClient
from proa.kubelet.agent import Agent
from proa.kubelet.config import KubeletConfiguration
from proa.kubelet.cri.containerd import ContainerdRuntime
from tests.e2e.containerd import BUSYBOX, PrivateContainerd

NODE_IP = "10.9.9.9"
PATIENCE = 30.0


def configuration(containerd: PrivateContainerd) -> KubeletConfiguration:
    directory = containerd.directory
    return KubeletConfiguration(
        node_name="n1", node_ip=NODE_IP, root_directory=str(directory / "kubelet"), pod_log_directory=str(directory / "pods"),
        container_log_directory=str(directory / "logs"),
        containerd_socket=containerd.socket, cgroup_root=containerd.cgroup_root, cluster_dns=["10.96.0.10"],
    )  # fmt: skip


def container(name: str = "c", *command: str, **fields: Any) -> Object:
    return {"name": name, "image": BUSYBOX, "imagePullPolicy": "IfNotPresent"} | ({"command": list(command)} if command else {}) | fields


def shell(script: str, name: str = "c", **fields: Any) -> Object:
    return container(name, "sh", "-c", script, **fields)


def pod(name: str, *containers: Object, **spec: Any) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default", "labels": {"app": name}},
        "spec": {"nodeName": "n1", "containers": list(containers), "terminationGracePeriodSeconds": 2} | spec,
    }


class Node:
    """The agent and what a test asks about its pods."""

    def __init__(self, client: FakeClient, agent: Agent, runtime: ContainerdRuntime) -> None:
        self.client, self.agent, self.runtime = client, agent, runtime

    async def run(self, wanted: Object, until: Callable[[Object], bool] | None = None) -> Object:
        await self.client.create(PODS, wanted)
        return await self.wait(wanted["metadata"]["name"], until or is_ready)

    async def get(self, name: str) -> Object | None:
        try:
            return await self.client.get(PODS, name, "default")
        except NotFound:
            return None

    async def wait(self, name: str, until: Callable[[Object], bool]) -> Object:
        deadline = time.monotonic() + PATIENCE
        while True:
            found = await self.get(name)
            if found is not None and until(found):
                return found
            if time.monotonic() > deadline:
                raise AssertionError(f"{json.dumps(found, indent=1)}\n{await self.events(name)}")
            await asyncio.sleep(0.005)

    async def delete(self, name: str, **options: Any) -> None:
        await self.client.delete(PODS, name, "default", **options)
        deadline = time.monotonic() + PATIENCE
        while await self.get(name) is not None:
            assert time.monotonic() < deadline, f"pod {name} is still there: {await self.get(name)}"
            await asyncio.sleep(0.005)

    async def until_nothing_is_left(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while self.agent.pods or await self.runtime.list_pod_sandboxes():
            assert time.monotonic() < deadline, f"still in the runtime: {await self.runtime.list_pod_sandboxes()}"
            await asyncio.sleep(0.02)

    async def exec(self, name: str, script: str, container: str = "c") -> str:
        found = await self.agent.find_container("default", name, container)
        assert found is not None
        assert found.status is not None
        result = await self.runtime.exec_sync(found.status.id, ["sh", "-c", script], 10)
        return (result.stdout + result.stderr).decode().strip()

    async def events(self, name: str) -> list[tuple[str, str]]:
        await asyncio.sleep(0.05)
        found = (await self.client.list(EVENTS, "default")).items
        return [(each["reason"], each["message"]) for each in found if each["involvedObject"]["name"] == name]


async def until(question: Callable[[], Awaitable[bool]]) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        if await question():
            return
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


def is_ready(pod: Object) -> bool:
    return any(each["type"] == "Ready" and each["status"] == "True" for each in pod.get("status", {}).get("conditions", []))


def has_phase(phase: str) -> Callable[[Object], bool]:
    return lambda pod: bool(pod.get("status", {}).get("phase") == phase)


def is_waiting(reason: str) -> Callable[[Object], bool]:
    def found(pod: Object) -> bool:
        statuses = [*pod.get("status", {}).get("containerStatuses", []), *pod.get("status", {}).get("initContainerStatuses", [])]
        return any((each.get("state", {}).get("waiting") or {}).get("reason") == reason for each in statuses)

    return found


@asynccontextmanager
async def running_node(containerd: PrivateContainerd, client: FakeClient, *, clean: bool = True, **changes: Any) -> AsyncIterator[Node]:
    """The agent at work; with `clean` every pod is deleted at the end."""
    settings = configuration(containerd)
    for name, value in changes.items():
        setattr(settings, name, value)
    runtime = ContainerdRuntime(containerd.socket)
    agent = Agent(settings, client, runtime, runtime)
    node = Node(client, agent, runtime)
    try:
        await agent.start()
        yield node
    finally:
        if clean:
            names = [each["metadata"]["name"] for each in (await client.list(PODS, "default")).items]
            await asyncio.gather(*(node.delete(name, grace_period_seconds=0) for name in names))
            # The fake API counts uids from the start again: the next test's pods must not find these.
            await node.until_nothing_is_left()
        await agent.stop()
        await runtime.close()
