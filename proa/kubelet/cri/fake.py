"""A scripted container runtime in memory: what was called is in `calls`, what should fail is told to `fail`.

Containers run until `exit` is called; with `exit_codes[name]` they end as soon as they start. Time comes from the clock it is given.
"""

import asyncio
import dataclasses
import itertools
from collections.abc import AsyncIterator, Mapping, Sequence

from proa.kubelet.cri.errors import RuntimeFailure, RuntimeNotFound
from proa.kubelet.cri.runtime import (
    LABEL_POD_UID,
    Condition,
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
from proa.lib.clock import Clock, SystemClock


class FakeRuntime:
    """Both services. `images` are those that are there; `pullable` those that a pull brings."""

    def __init__(self, *images: str, clock: Clock | None = None) -> None:
        self.clock: Clock = clock or SystemClock()
        self.calls: list[tuple[str, str]] = []
        self.sandboxes: dict[str, Sandbox] = {}
        self.containers: dict[str, Container] = {}
        self.container_configs: dict[str, Config] = {}
        self.sandbox_configs: dict[str, Config] = {}
        self.images: dict[str, Image] = {image: Image(f"sha256:{image}", (image,), size=1000) for image in images}
        self.pullable: set[str] = set()
        self.exec_results: dict[tuple[str, ...], ExecResult] = {}
        self.exit_codes: dict[str, int] = {}
        self.network_ready = True
        self._failures: dict[str, list[RuntimeFailure]] = {}
        self._number = itertools.count(1)
        self._events: list[asyncio.Queue[RuntimeEvent]] = []

    def fail(self, method: str, *failures: RuntimeFailure) -> None:
        """The next calls of `method` raise these, one each."""
        self._failures.setdefault(method, []).extend(failures)

    def exit(self, container_id: str, exit_code: int = 0, reason: str = "") -> None:
        """The container's process ends, now."""
        self._change(
            container_id, state="EXITED", exit_code=exit_code, finished_at=self._now(),
            reason=reason or ("Completed" if exit_code == 0 else "Error"),
        )  # fmt: skip
        self._publish(RuntimeEvent("exit", container_id))

    def running(self, name: str) -> Container:
        """The running container of that name; KeyError if there is none."""
        found = [each for each in self.containers.values() if each.name == name and each.is_running]
        if not found:
            raise KeyError(name)
        return found[-1]

    def _called(self, method: str, subject: str = "") -> None:
        self.calls.append((method, subject))
        if self._failures.get(method):
            raise self._failures[method].pop(0)

    def _publish(self, event: RuntimeEvent) -> None:
        for queue in self._events:
            queue.put_nowait(event)

    def _now(self) -> int:
        return int(self.clock.now().timestamp() * 1e9)

    def _change(self, container_id: str, **changes: object) -> None:
        if container_id not in self.containers:
            raise RuntimeNotFound(f'an error occurred when try to find container "{container_id}": not found', "NOT_FOUND")
        self.containers[container_id] = dataclasses.replace(self.containers[container_id], **changes)  # type: ignore[arg-type]

    async def version(self) -> Version:
        return Version("containerd", "1.6.20", "v1")

    async def status(self) -> RuntimeStatus:
        self._called("status")
        message = "" if self.network_ready else "Network plugin returns error: cni plugin not initialized"
        reason = "" if self.network_ready else "NetworkPluginNotReady"
        return RuntimeStatus((Condition("RuntimeReady", True), Condition("NetworkReady", self.network_ready, reason, message)))

    async def set_pod_cidr(self, pod_cidr: str) -> None:
        self._called("set_pod_cidr", pod_cidr)

    async def run_pod_sandbox(self, config: Config, runtime_handler: str = "") -> str:
        meta = config["metadata"]
        self._called("run_pod_sandbox", meta["name"])
        number = next(self._number)
        host = config.get("linux", {}).get("security_context", {}).get("namespace_options", {}).get("network") == "NODE"
        sandbox = Sandbox(
            f"sandbox-{number}", meta["name"], meta["namespace"], meta["uid"], meta["attempt"], True, self._now(),
            () if host else (f"10.0.0.{number}",), config.get("labels", {}), config.get("annotations", {}), host,
        )  # fmt: skip
        self.sandboxes[sandbox.id], self.sandbox_configs[sandbox.id] = sandbox, config
        return sandbox.id

    async def stop_pod_sandbox(self, sandbox_id: str) -> None:
        self._called("stop_pod_sandbox", sandbox_id)
        if sandbox_id in self.sandboxes:
            self.sandboxes[sandbox_id] = dataclasses.replace(self.sandboxes[sandbox_id], ready=False, ips=())
        for container in list(self.containers.values()):
            if container.sandbox_id == sandbox_id and container.is_running:
                self.exit(container.id, 137)

    async def remove_pod_sandbox(self, sandbox_id: str) -> None:
        self._called("remove_pod_sandbox", sandbox_id)
        self.sandboxes.pop(sandbox_id, None)
        self.containers = {key: each for key, each in self.containers.items() if each.sandbox_id != sandbox_id}

    async def pod_sandbox_status(self, sandbox_id: str) -> Sandbox:
        if sandbox_id not in self.sandboxes:
            raise RuntimeNotFound(f'an error occurred when try to find sandbox "{sandbox_id}": not found', "NOT_FOUND")
        return self.sandboxes[sandbox_id]

    async def list_pod_sandboxes(self, pod_uid: str = "") -> list[Sandbox]:
        return [each for each in self.sandboxes.values() if pod_uid in ("", each.uid)]

    async def create_container(self, sandbox_id: str, config: Config, sandbox_config: Config) -> str:
        name, attempt = config["metadata"]["name"], config["metadata"]["attempt"]
        self._called("create_container", name)
        image = config["image"]["image"]
        container = Container(
            f"container-{next(self._number)}", name, attempt, sandbox_id, "CREATED", self._now(), image=image, image_ref=image,
            image_id=image, log_path=f"{sandbox_config['log_directory']}/{config['log_path']}", labels=config.get("labels", {}),
            annotations=config.get("annotations", {}),
        )  # fmt: skip
        self.containers[container.id], self.container_configs[container.id] = container, config
        return container.id

    async def start_container(self, container_id: str) -> None:
        name = self.containers[container_id].name
        try:
            self._called("start_container", name)
        except RuntimeFailure as failure:
            self._change(container_id, state="EXITED", exit_code=128, reason="StartError", message=failure.message, finished_at=self._now())
            raise
        self._change(container_id, state="RUNNING", started_at=self._now())
        if name in self.exit_codes:
            self.exit(container_id, self.exit_codes[name])

    async def stop_container(self, container_id: str, timeout: int) -> None:
        self._called("stop_container", f"{container_id} {timeout}")
        if container_id in self.containers and self.containers[container_id].is_running:
            self.exit(container_id, 137)

    async def remove_container(self, container_id: str) -> None:
        self._called("remove_container", container_id)
        self.containers.pop(container_id, None)

    async def list_containers(self, pod_uid: str = "") -> list[Container]:
        return [each for each in self.containers.values() if pod_uid in ("", each.labels.get(LABEL_POD_UID))]

    async def container_status(self, container_id: str) -> Container:
        if container_id not in self.containers:
            raise RuntimeNotFound(f'an error occurred when try to find container "{container_id}": not found', "NOT_FOUND")
        return self.containers[container_id]

    async def update_container_resources(self, container_id: str, resources: Config) -> None:
        self._called("update_container_resources", container_id)

    async def reopen_container_log(self, container_id: str) -> None:
        self._called("reopen_container_log", container_id)

    async def exec_sync(self, container_id: str, command: Sequence[str], timeout: int = 0) -> ExecResult:
        self._called("exec_sync", " ".join(command))
        return self.exec_results.get(tuple(command), ExecResult(0))

    async def exec(self, container_id: str, command: Sequence[str], *, stdin: bool, stdout: bool, stderr: bool, tty: bool) -> str:
        self._called("exec", container_id)
        return f"http://127.0.0.1:1/exec/{container_id}"

    async def attach(self, container_id: str, *, stdin: bool, stdout: bool, stderr: bool, tty: bool) -> str:
        self._called("attach", container_id)
        return f"http://127.0.0.1:1/attach/{container_id}"

    async def port_forward(self, sandbox_id: str, ports: Sequence[int]) -> str:
        self._called("port_forward", sandbox_id)
        return f"http://127.0.0.1:1/portforward/{sandbox_id}"

    async def list_container_stats(self) -> list[ContainerStats]:
        return []

    async def list_pod_sandbox_stats(self) -> list[SandboxStats]:
        return []

    async def list_images(self) -> list[Image]:
        return list(self.images.values())

    async def image_status(self, image: str) -> Image | None:
        return self.images.get(image)

    async def pull_image(self, image: str, auth: Mapping[str, str] | None = None, sandbox_config: Config | None = None) -> str:
        self._called("pull_image", image)
        if image not in self.pullable:
            raise RuntimeNotFound(f'failed to pull and unpack image "{image}": not found', "NOT_FOUND")
        self.images[image] = Image(f"sha256:{image}", (image,), size=1000)
        return self.images[image].id

    async def remove_image(self, image: str) -> None:
        self._called("remove_image", image)
        self.images = {key: each for key, each in self.images.items() if image not in (key, each.id)}

    async def image_fs_info(self) -> list[FilesystemUsage]:
        return [FilesystemUsage("/", 0)]

    async def events(self) -> AsyncIterator[RuntimeEvent]:
        queue: asyncio.Queue[RuntimeEvent] = asyncio.Queue()
        self._events.append(queue)
        yield RuntimeEvent("resync")
        while True:
            yield await queue.get()
