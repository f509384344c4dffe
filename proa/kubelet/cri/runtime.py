"""The narrow interface through which the node agent uses a container runtime.

What is asked for travels as nested dicts with the field names of CRI v1 (`Config`), because pure functions build it and tests compare it
whole; what is observed comes back as the frozen records below. Every method raises `proa.kubelet.cri.errors.RuntimeFailure` or a subclass.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import field
from typing import Any, Literal, Protocol

from proa.lib.dataclass import dataclass

Config = dict[str, Any]

LABEL_POD_NAME = "io.kubernetes.pod.name"
LABEL_POD_NAMESPACE = "io.kubernetes.pod.namespace"
LABEL_POD_UID = "io.kubernetes.pod.uid"
LABEL_CONTAINER_NAME = "io.kubernetes.container.name"

ContainerState = Literal["CREATED", "RUNNING", "EXITED", "UNKNOWN"]


@dataclass(frozen=True, slots=True)
class Sandbox:
    """One attempt at a pod's sandbox. `created_at` is in nanoseconds since 1970; `ips` is empty for the host's network."""

    id: str
    name: str
    namespace: str
    uid: str
    attempt: int
    ready: bool
    created_at: int
    ips: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    host_network: bool = False


@dataclass(frozen=True, slots=True)
class Container:
    """One attempt at a container. Times are nanoseconds since 1970, 0 where the moment has not come.

    `image` is what was asked for, `image_ref` the digested reference in use. `log_path` is absolute.
    """

    id: str
    name: str
    attempt: int
    sandbox_id: str
    state: ContainerState
    created_at: int = 0
    started_at: int = 0
    finished_at: int = 0
    exit_code: int = 0
    reason: str = ""
    message: str = ""
    image: str = ""
    image_ref: str = ""
    image_id: str = ""
    log_path: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)

    @property
    def pod_uid(self) -> str:
        return self.labels.get(LABEL_POD_UID, "")

    @property
    def is_running(self) -> bool:
        return self.state == "RUNNING"

    @property
    def is_exited(self) -> bool:
        return self.state == "EXITED"


@dataclass(frozen=True, slots=True)
class Image:
    """`uid` and `username` say as whom the image wants to run: at most one is set, neither means root."""

    id: str
    tags: tuple[str, ...] = ()
    digests: tuple[str, ...] = ()
    size: int = 0
    uid: int | None = None
    username: str = ""
    pinned: bool = False


@dataclass(frozen=True, slots=True)
class Version:
    name: str
    version: str
    api_version: str


@dataclass(frozen=True, slots=True)
class Condition:
    """RuntimeReady or NetworkReady."""

    type: str
    status: bool
    reason: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class RuntimeHandler:
    """A named way to run a sandbox; the default handler's name is empty."""

    name: str
    recursive_read_only_mounts: bool = False
    user_namespaces: bool = False


@dataclass(frozen=True, slots=True)
class RuntimeStatus:
    conditions: tuple[Condition, ...]
    handlers: tuple[RuntimeHandler, ...] = ()


@dataclass(frozen=True, slots=True)
class ExecResult:
    exit_code: int
    stdout: bytes = b""
    stderr: bytes = b""


@dataclass(frozen=True, slots=True)
class Usage:
    """Cumulative CPU in core-nanoseconds and memory in bytes; None where the runtime does not say. Times in nanoseconds since 1970."""

    timestamp: int
    cpu_usage_core_nano_seconds: int | None = None
    cpu_usage_nano_cores: int | None = None
    memory_working_set_bytes: int | None = None
    memory_available_bytes: int | None = None
    memory_usage_bytes: int | None = None
    memory_rss_bytes: int | None = None
    memory_page_faults: int | None = None
    memory_major_page_faults: int | None = None


@dataclass(frozen=True, slots=True)
class ContainerStats:
    """`filesystem_*` is the container's writable layer."""

    id: str
    name: str
    labels: Mapping[str, str]
    usage: Usage
    filesystem_timestamp: int = 0
    filesystem_mountpoint: str = ""
    filesystem_used_bytes: int | None = None
    filesystem_inodes_used: int | None = None


@dataclass(frozen=True, slots=True)
class InterfaceUsage:
    name: str
    rx_bytes: int | None = None
    rx_errors: int | None = None
    tx_bytes: int | None = None
    tx_errors: int | None = None


@dataclass(frozen=True, slots=True)
class SandboxStats:
    id: str
    name: str
    namespace: str
    uid: str
    usage: Usage
    network_timestamp: int = 0
    interfaces: tuple[InterfaceUsage, ...] = ()
    """The default interface comes first."""
    process_count: int | None = None
    containers: tuple[ContainerStats, ...] = ()


@dataclass(frozen=True, slots=True)
class FilesystemUsage:
    mountpoint: str
    used_bytes: int
    inodes_used: int = 0


@dataclass(frozen=True, slots=True)
class RuntimeEvent:
    """Something happened to a container or sandbox of this id. `resync`: events may have been lost, look at everything."""

    type: Literal["exit", "oom", "resync"]
    container_id: str = ""


class RuntimeService(Protocol):
    """Sandboxes and containers."""

    async def version(self) -> Version: ...

    async def status(self) -> RuntimeStatus: ...

    async def set_pod_cidr(self, pod_cidr: str) -> None:
        """Tell the runtime the node's pod CIDR, for runtimes that write their own CNI configuration."""
        ...

    async def run_pod_sandbox(self, config: Config, runtime_handler: str = "") -> str:
        """PodSandboxConfig -> id of a ready sandbox."""
        ...

    async def stop_pod_sandbox(self, sandbox_id: str) -> None: ...

    async def remove_pod_sandbox(self, sandbox_id: str) -> None: ...

    async def pod_sandbox_status(self, sandbox_id: str) -> Sandbox:
        """The sandbox with its addresses."""
        ...

    async def list_pod_sandboxes(self, pod_uid: str = "") -> list[Sandbox]:
        """Without addresses; of one pod, or all."""
        ...

    async def create_container(self, sandbox_id: str, config: Config, sandbox_config: Config) -> str:
        """ContainerConfig -> container id."""
        ...

    async def start_container(self, container_id: str) -> None: ...

    async def stop_container(self, container_id: str, timeout: int) -> None:
        """Send the stop signal, kill after `timeout` seconds; returns when it has stopped. Idempotent."""
        ...

    async def remove_container(self, container_id: str) -> None: ...

    async def list_containers(self, pod_uid: str = "") -> list[Container]:
        """Without times, exit codes and log paths; of one pod, or all."""
        ...

    async def container_status(self, container_id: str) -> Container: ...

    async def update_container_resources(self, container_id: str, resources: Config) -> None:
        """LinuxContainerResources."""
        ...

    async def reopen_container_log(self, container_id: str) -> None: ...

    async def exec_sync(self, container_id: str, command: Sequence[str], timeout: int = 0) -> ExecResult:
        """Raises RuntimeTimeout after `timeout` seconds (0: none)."""
        ...

    async def exec(self, container_id: str, command: Sequence[str], *, stdin: bool, stdout: bool, stderr: bool, tty: bool) -> str:
        """The URL of the runtime's streaming server for this one session."""
        ...

    async def attach(self, container_id: str, *, stdin: bool, stdout: bool, stderr: bool, tty: bool) -> str: ...

    async def port_forward(self, sandbox_id: str, ports: Sequence[int]) -> str: ...

    async def list_container_stats(self) -> list[ContainerStats]: ...

    async def list_pod_sandbox_stats(self) -> list[SandboxStats]: ...

    def events(self) -> AsyncIterator[RuntimeEvent]:
        """Endless: reconnects by itself, and says `resync` after each connection."""
        ...


class ImageService(Protocol):
    """Images."""

    async def list_images(self) -> list[Image]: ...

    async def image_status(self, image: str) -> Image | None: ...

    async def pull_image(self, image: str, auth: Mapping[str, str] | None = None, sandbox_config: Config | None = None) -> str:
        """The reference of what was pulled. `auth` is an AuthConfig."""
        ...

    async def remove_image(self, image: str) -> None: ...

    async def image_fs_info(self) -> list[FilesystemUsage]: ...
