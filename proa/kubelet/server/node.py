"""What the server needs of the node agent, so that each can be tried without the other."""

from collections.abc import Sequence
from typing import Protocol

from proa.api.meta import Object
from proa.kubelet.cri.runtime import Container, ContainerStats, RuntimeService, Sandbox, SandboxStats
from proa.lib.clock import Clock


class FoundContainer(Protocol):
    """A container of a pod's spec. `status` is its newest attempt, None while it never ran."""

    @property
    def pod(self) -> Object: ...

    @property
    def status(self) -> Container | None: ...


class Node(Protocol):
    """`proa.kubelet.agent.Agent` is one."""

    @property
    def clock(self) -> Clock: ...

    @property
    def runtime(self) -> RuntimeService: ...

    @property
    def pods(self) -> Sequence[Object]:
        """All pods bound here, with the newest status."""
        ...

    @property
    def is_healthy(self) -> bool: ...

    def find_pod(self, namespace: str, name: str, uid: str = "") -> Object | None: ...

    async def find_container(self, namespace: str, pod: str, container: str, uid: str = "") -> FoundContainer | None: ...

    def sandbox_of(self, pod: Object) -> Sandbox | None: ...

    async def container_stats(self) -> Sequence[ContainerStats]: ...

    async def sandbox_stats(self) -> Sequence[SandboxStats]: ...
