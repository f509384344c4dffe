"""`RuntimeService` and `ImageService` over a CRI socket, with containerd's event bus for exits.

containerd 1.6 has no GetContainerEvents, so exits come from its own event service on the same socket.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import grpc.aio

from proa.kubelet.cri import containerd_events_pb2 as events_pb2
from proa.kubelet.cri import cri_pb2, records
from proa.kubelet.cri.channel import Channel
from proa.kubelet.cri.runtime import (
    LABEL_POD_UID,
    Config,
    Container,
    ContainerStats,
    ExecResult,
    FilesystemUsage,
    Image,
    RuntimeEvent,
    RuntimeStatus,
    Sandbox,
    SandboxStats,
    Version,
)  # fmt: skip

_RUNTIME = "runtime.v1.RuntimeService"
_IMAGES = "runtime.v1.ImageService"
_EVENT_FILTERS = ['topic=="/tasks/exit"', 'topic=="/tasks/oom"']
_NAMESPACE = (("containerd-namespace", "k8s.io"),)
_RECONNECT_SECONDS = 0.5
# An operation that never ends must not hold a pod for ever; upstream's runtimeRequestTimeout is 2 minutes.
_TIMEOUT = 120.0
_SANDBOX_TIMEOUT = 240.0


class ContainerdRuntime:
    """Both services of one socket path."""

    def __init__(self, socket: str) -> None:
        self._channel = Channel(f"unix://{socket}")

    async def close(self) -> None:
        await self._channel.close()

    async def _run(self, method: str, *, limit: float | None = _TIMEOUT, **fields: Any) -> Any:
        return await self._channel.call(_RUNTIME, method, cri_pb2, limit=limit, **fields)

    async def _image(self, method: str, *, limit: float | None = _TIMEOUT, **fields: Any) -> Any:
        return await self._channel.call(_IMAGES, method, cri_pb2, limit=limit, **fields)

    async def version(self) -> Version:
        answer = await self._run("Version")
        return Version(answer.runtime_name, answer.runtime_version, answer.runtime_api_version)

    async def status(self) -> RuntimeStatus:
        return records.runtime_status(await self._run("Status"))

    async def set_pod_cidr(self, pod_cidr: str) -> None:
        await self._run("UpdateRuntimeConfig", runtime_config={"network_config": {"pod_cidr": pod_cidr}})

    async def run_pod_sandbox(self, config: Config, runtime_handler: str = "") -> str:
        answer = await self._run("RunPodSandbox", limit=_SANDBOX_TIMEOUT, config=config, runtime_handler=runtime_handler)
        return str(answer.pod_sandbox_id)

    async def stop_pod_sandbox(self, sandbox_id: str) -> None:
        await self._run("StopPodSandbox", pod_sandbox_id=sandbox_id)

    async def remove_pod_sandbox(self, sandbox_id: str) -> None:
        await self._run("RemovePodSandbox", pod_sandbox_id=sandbox_id)

    async def pod_sandbox_status(self, sandbox_id: str) -> Sandbox:
        return records.sandbox_status((await self._run("PodSandboxStatus", pod_sandbox_id=sandbox_id)).status)

    async def list_pod_sandboxes(self, pod_uid: str = "") -> list[Sandbox]:
        answer = await self._run("ListPodSandbox", filter=_of_pod(pod_uid))
        return [records.sandbox(each) for each in answer.items]

    async def create_container(self, sandbox_id: str, config: Config, sandbox_config: Config) -> str:
        answer = await self._run("CreateContainer", pod_sandbox_id=sandbox_id, config=config, sandbox_config=sandbox_config)
        return str(answer.container_id)

    async def start_container(self, container_id: str) -> None:
        await self._run("StartContainer", container_id=container_id)

    async def stop_container(self, container_id: str, timeout: int) -> None:
        await self._run("StopContainer", limit=_TIMEOUT + timeout, container_id=container_id, timeout=timeout)

    async def remove_container(self, container_id: str) -> None:
        await self._run("RemoveContainer", container_id=container_id)

    async def list_containers(self, pod_uid: str = "") -> list[Container]:
        answer = await self._run("ListContainers", filter=_of_pod(pod_uid))
        return [records.container(each) for each in answer.containers]

    async def container_status(self, container_id: str) -> Container:
        return records.container_status((await self._run("ContainerStatus", container_id=container_id)).status)

    async def update_container_resources(self, container_id: str, resources: Config) -> None:
        await self._run("UpdateContainerResources", container_id=container_id, linux=resources)

    async def reopen_container_log(self, container_id: str) -> None:
        await self._run("ReopenContainerLog", container_id=container_id)

    async def exec_sync(self, container_id: str, command: Sequence[str], timeout: int = 0) -> ExecResult:
        limit = timeout + 5.0 if timeout else None
        answer = await self._run("ExecSync", limit=limit, container_id=container_id, cmd=list(command), timeout=timeout)
        return ExecResult(answer.exit_code, answer.stdout, answer.stderr)

    async def exec(self, container_id: str, command: Sequence[str], *, stdin: bool, stdout: bool, stderr: bool, tty: bool) -> str:
        answer = await self._run(
            "Exec", container_id=container_id, cmd=list(command), stdin=stdin, stdout=stdout, stderr=stderr and not tty, tty=tty
        )
        return str(answer.url)

    async def attach(self, container_id: str, *, stdin: bool, stdout: bool, stderr: bool, tty: bool) -> str:
        answer = await self._run("Attach", container_id=container_id, stdin=stdin, stdout=stdout, stderr=stderr and not tty, tty=tty)
        return str(answer.url)

    async def port_forward(self, sandbox_id: str, ports: Sequence[int]) -> str:
        return str((await self._run("PortForward", pod_sandbox_id=sandbox_id, port=list(ports))).url)

    async def list_container_stats(self) -> list[ContainerStats]:
        return [records.container_stats(each) for each in (await self._run("ListContainerStats")).stats]

    async def list_pod_sandbox_stats(self) -> list[SandboxStats]:
        return [records.sandbox_stats(each) for each in (await self._run("ListPodSandboxStats")).stats]

    async def list_images(self) -> list[Image]:
        return [records.image(each) for each in (await self._image("ListImages")).images]

    async def image_status(self, image: str) -> Image | None:
        answer = await self._image("ImageStatus", image={"image": image})
        return records.image(answer.image) if answer.HasField("image") else None

    async def pull_image(self, image: str, auth: Mapping[str, str] | None = None, sandbox_config: Config | None = None) -> str:
        # A pull may take as long as it takes: no limit here, as upstream.
        answer = await self._image("PullImage", limit=None, image={"image": image}, auth=auth, sandbox_config=sandbox_config)
        return str(answer.image_ref)

    async def remove_image(self, image: str) -> None:
        await self._image("RemoveImage", image={"image": image})

    async def image_fs_info(self) -> list[FilesystemUsage]:
        answer = await self._image("ImageFsInfo")
        return [FilesystemUsage(each.fs_id.mountpoint, each.used_bytes.value, each.inodes_used.value) for each in answer.image_filesystems]

    async def events(self) -> AsyncIterator[RuntimeEvent]:
        request = events_pb2.SubscribeRequest(filters=_EVENT_FILTERS)
        while True:
            stream = self._channel.stream("containerd.services.events.v1.Events", "Subscribe", request, events_pb2.Envelope, _NAMESPACE)
            try:
                yield RuntimeEvent("resync")
                async for envelope in stream:
                    if (event := _event(envelope)) is not None:
                        yield event
            except grpc.aio.AioRpcError:
                await asyncio.sleep(_RECONNECT_SECONDS)
            finally:
                stream.cancel()


def _of_pod(pod_uid: str) -> dict[str, Any] | None:
    return {"label_selector": {LABEL_POD_UID: pod_uid}} if pod_uid else None


def _event(envelope: Any) -> RuntimeEvent | None:
    if envelope.topic == "/tasks/oom":
        return RuntimeEvent("oom", events_pb2.TaskOOM.FromString(envelope.event.value).container_id)
    exit_ = events_pb2.TaskExit.FromString(envelope.event.value)
    # An exec's end is a task exit too, with an id of its own.
    return RuntimeEvent("exit", exit_.container_id) if exit_.id == exit_.container_id else None
