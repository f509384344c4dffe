"""The whole agent over a scripted runtime and an API in memory, on a virtual clock."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import pytest

from proa.api.errors import NotFound
from proa.api.kinds import LEASES, NODES, PODS
from proa.api.meta import Object
from proa.client.fake import FakeClient
from proa.kubelet.agent import Agent
from proa.kubelet.cgroups import PodCgroups
from proa.kubelet.config import KubeletConfiguration
from proa.kubelet.cri.errors import RuntimeFailure
from proa.kubelet.cri.fake import FakeRuntime
from proa.lib.clock import VirtualClock
from tests.unit.kubelet.objects import container, pod

IMAGE = "docker.io/library/busybox:1"
T = TypeVar("T")


class Recorded:
    """A recorder that only remembers."""

    def __init__(self) -> None:
        self.events: list[tuple[str, str]] = []

    def event(self, obj: Object, type_: str, reason: str, message: str, *, field_path: str = "") -> None:
        self.events.append((reason, message))

    def reasons(self) -> list[str]:
        return [reason for reason, _ in self.events]


class Threads(ThreadPoolExecutor):
    """The event loop's threads, which know whether they are at work."""

    def __init__(self) -> None:
        super().__init__()
        self._at_work = 0

    def submit(self, function: Callable[..., T], /, *arguments: Any, **named: Any) -> "Future[T]":
        self._at_work += 1
        loop = asyncio.get_running_loop()
        future = super().submit(function, *arguments, **named)
        future.add_done_callback(lambda _: loop.call_soon_threadsafe(self._finished))
        return future

    def _finished(self) -> None:
        self._at_work -= 1

    async def idle(self) -> None:
        """Return when nothing is left to do but to wait for the clock."""
        turns = 0
        while turns < 5:
            await asyncio.sleep(0.001)
            turns = 0 if self._at_work else turns + 1


class Stage:
    def __init__(self, directory: Path) -> None:
        self.threads = Threads()
        asyncio.get_running_loop().set_default_executor(self.threads)
        self.clock = VirtualClock()
        self.client = FakeClient(clock=self.clock)
        self.runtime = FakeRuntime(IMAGE, clock=self.clock)
        self.recorder = Recorded()
        self.configuration = KubeletConfiguration(
            "n1", node_ip="1.1.1.1", root_directory=str(directory / "kubelet"), pod_log_directory=str(directory / "logs"),
            container_log_directory=str(directory / "links"), cgroup_root="t",
            resolv_conf=str(directory / "none"), capacity={"cpu": "4", "memory": "8Gi"},
        )  # fmt: skip
        for controller in ("cpu", "memory", "pids"):
            (directory / "cgroup" / controller).mkdir(parents=True, exist_ok=True)
        self.cgroups = PodCgroups(self.configuration.kubepods_cgroup, directory / "cgroup")
        self.agent = self.new_agent()

    def new_agent(self) -> Agent:
        return Agent(
            self.configuration, self.client, self.runtime, self.runtime, clock=self.clock, recorder=self.recorder, cgroups=self.cgroups
        )

    async def settle(self, seconds: float = 0.0) -> None:
        """Let everything run; file work in threads takes real time."""
        for _ in range(5):
            await self.threads.idle()
            await self.clock.advance(seconds / 5)
        await self.threads.idle()

    async def create(self, given: Object) -> None:
        await self.client.create(PODS, given | {"spec": given["spec"] | {"nodeName": "n1"}})
        await self.settle(0.5)

    async def pod(self) -> Object:
        return await self.client.get(PODS, "p", "n")

    async def container_status(self) -> Object:
        status: Object = (await self.pod())["status"]["containerStatuses"][0]
        return status


def play(directory: Path, scene: Callable[[Stage], Awaitable[None]]) -> None:
    async def main() -> None:
        stage = Stage(directory)
        starting = asyncio.ensure_future(stage.agent.start())
        await stage.settle()
        await starting
        try:
            await scene(stage)
        finally:
            await stage.agent.stop()

    asyncio.run(main())


def test_the_node_is_registered_and_reported(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        await stage.settle(1)
        node = await stage.client.get(NODES, "n1")
        ready = next(each for each in node["status"]["conditions"] if each["type"] == "Ready")
        assert (ready["status"], ready["reason"]) == ("True", "KubeletReady")
        assert node["status"]["capacity"] | {"cpu": "4", "memory": "8Gi", "pods": "110"} == node["status"]["capacity"]
        assert {"Starting", "NodeReady"} <= set(stage.recorder.reasons())
        first = (await stage.client.get(LEASES, "n1", "kube-node-lease"))["spec"]["renewTime"]
        await stage.settle(21)
        assert (await stage.client.get(LEASES, "n1", "kube-node-lease"))["spec"]["renewTime"] > first
        stage.runtime.network_ready = False
        await stage.settle(11)
        node = await stage.client.get(NODES, "n1")
        assert node["status"]["conditions"][-1]["reason"] == "KubeletNotReady"

    play(tmp_path, scene)


def test_an_advertised_resource_becomes_allocatable_and_goes_again(tmp_path: Path) -> None:
    """The task "Advertise Extended Resources for a Node": whoever advertises writes the capacity alone; upstream's preemption tests do."""

    async def scene(stage: Stage) -> None:
        async def write(status: Object) -> Object:
            await stage.client.patch(NODES, "n1", {"status": status}, subresource="status")
            await stage.settle(11)
            return dict((await stage.client.get(NODES, "n1"))["status"])

        await stage.settle(1)
        before = (await stage.client.get(NODES, "n1"))["status"]
        status = await write({"capacity": {"example.com/dongle": "3", "cpu": "1"}})
        assert status["capacity"] == before["capacity"] | {"example.com/dongle": "3"}
        assert status["allocatable"] == before["allocatable"] | {"example.com/dongle": "3"}
        status = await write({"capacity": {"example.com/dongle": None}})
        assert (status["capacity"], status["allocatable"]) == (before["capacity"], before["allocatable"])

    play(tmp_path, scene)


def test_a_pod_runs_and_is_deleted(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        await stage.create(pod())
        found = await stage.pod()
        assert (found["status"]["phase"], found["status"]["containerStatuses"][0]["ready"]) == ("Running", True)
        assert stage.recorder.reasons()[-3:] == ["Pulled", "Created", "Started"]
        await stage.client.delete(PODS, "p", "n")
        await stage.settle(1)
        with pytest.raises(NotFound):
            await stage.pod()
        assert (stage.runtime.sandboxes, stage.runtime.containers) == ({}, {})
        assert list(stage.configuration.pods_directory.iterdir()) == []

    play(tmp_path, scene)


def test_a_crashing_container_backs_off(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.runtime.exit_codes["c"] = 1
        await stage.create(pod())
        status, uid = await stage.container_status(), (await stage.pod())["metadata"]["uid"]
        message = f"back-off 10s restarting failed container=c pod=p_n({uid})"
        assert (status["restartCount"], status["state"]) == (1, {"waiting": {"reason": "CrashLoopBackOff", "message": message}})
        del stage.runtime.exit_codes["c"]
        await stage.settle(9)
        assert (await stage.container_status())["restartCount"] == 1
        await stage.settle(2)
        status = await stage.container_status()
        assert (status["restartCount"], "running" in status["state"]) == (2, True)

    play(tmp_path, scene)


def test_an_exit_is_noticed_by_its_event(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        await stage.create(pod(restartPolicy="Never"))
        stage.runtime.exit(stage.runtime.running("c").id, 7)
        await stage.settle(0.1)
        found = await stage.pod()
        assert (found["status"]["phase"], found["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"]) == ("Failed", 7)

    play(tmp_path, scene)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (container(image="none:1", imagePullPolicy="Never"), "ErrImageNeverPull"),
        (container(image="none:1"), "ImagePullBackOff"),
        (container(image="No Name"), "InvalidImageName"),
        (container(env=[{"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}]), "CreateContainerConfigError"),
        (container(securityContext={"runAsNonRoot": True}), "CreateContainerConfigError"),
    ],
)
def test_what_keeps_a_container_from_starting_is_said(tmp_path: Path, given: dict[str, Any], reason: str) -> None:
    async def scene(stage: Stage) -> None:
        await stage.create(pod(given))
        await stage.settle(2)
        assert (await stage.container_status())["state"]["waiting"]["reason"] == reason

    play(tmp_path, scene)


def test_a_sandbox_that_fails_is_tried_again(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.runtime.fail("run_pod_sandbox", RuntimeFailure("no network"))
        await stage.create(pod())
        message = "Failed to create pod sandbox: rpc error: code = Unknown desc = no network"
        assert ("FailedCreatePodSandBox", message) in stage.recorder.events
        await stage.settle(3)
        assert (await stage.pod())["status"]["phase"] == "Running"

    play(tmp_path, scene)


def test_an_unsupported_pod_fails_and_starts_nothing(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        await stage.create(pod(hostUsers=False))
        found = await stage.pod()
        assert (found["status"]["phase"], found["status"]["reason"]) == ("Failed", "UnsupportedField")
        assert stage.runtime.sandboxes == {}
        await stage.client.delete(PODS, "p", "n")
        await stage.settle(1)
        with pytest.raises(NotFound):
            await stage.pod()

    play(tmp_path, scene)


def test_a_label_that_the_scheduler_knows_first_counts(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        await stage.client.patch(NODES, "n1", {"metadata": {"labels": {"disk": "ssd"}}})
        await stage.create(pod(nodeSelector={"disk": "ssd"}))
        assert (await stage.pod())["status"]["phase"] == "Running"

    play(tmp_path, scene)


def test_a_pod_for_another_node_fails(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        await stage.create(pod(nodeSelector={"disk": "ssd"}))
        status = (await stage.pod())["status"]
        assert (status["phase"], status["reason"]) == ("Failed", "NodeAffinity")

    play(tmp_path, scene)


def test_a_new_agent_takes_over(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        await stage.create(pod())
        before = set(stage.runtime.containers)
        await stage.agent.stop()
        stage.agent = stage.new_agent()
        starting = asyncio.ensure_future(stage.agent.start())
        await stage.settle(1)
        await starting
        await stage.settle(10)
        assert set(stage.runtime.containers) == before
        assert (await stage.container_status())["restartCount"] == 0
        assert stage.recorder.reasons().count("Started") == 1

    play(tmp_path, scene)


def test_a_deadline_ends_the_pod(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        await stage.create(pod(activeDeadlineSeconds=10))
        await stage.settle(11)
        found = await stage.pod()
        assert (found["status"]["phase"], found["status"]["reason"]) == ("Failed", "DeadlineExceeded")

    play(tmp_path, scene)
