"""What the runtime has of one pod, as decisions look at it."""

import asyncio
import dataclasses
from collections.abc import Mapping

from proa.kubelet.cri.errors import RuntimeNotFound
from proa.kubelet.cri.runtime import Container, RuntimeService, Sandbox
from proa.lib.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class PodRuntime:
    """Sandboxes and containers of one pod, newest first."""

    sandboxes: tuple[Sandbox, ...] = ()
    containers: tuple[Container, ...] = ()

    @property
    def sandbox(self) -> Sandbox | None:
        return self.sandboxes[0] if self.sandboxes else None

    @property
    def pod_ips(self) -> tuple[str, ...]:
        return self.sandbox.ips if self.sandbox and self.sandbox.ready else ()

    @property
    def running(self) -> tuple[Container, ...]:
        return tuple(each for each in self.containers if each.state in ("RUNNING", "UNKNOWN"))

    @property
    def is_gone(self) -> bool:
        """Nothing of the pod runs: no container, and no sandbox that is ready."""
        return not self.running and not any(each.ready for each in self.sandboxes)

    def attempts(self, name: str) -> tuple[Container, ...]:
        return tuple(each for each in self.containers if each.name == name)

    def latest(self, name: str) -> Container | None:
        return next((each for each in self.containers if each.name == name), None)

    def in_sandbox(self, name: str) -> Container | None:
        """The latest attempt within the newest sandbox: what an older sandbox did does not count for initialization."""
        latest = self.latest(name)
        return latest if latest and self.sandbox and latest.sandbox_id == self.sandbox.id else None


async def observe(runtime: RuntimeService, uid: str, known: Mapping[str, Container]) -> PodRuntime:
    """Ask the runtime. Exited containers do not change any more, so those in `known` are not asked for again."""
    sandboxes, containers = await asyncio.gather(runtime.list_pod_sandboxes(uid), runtime.list_containers(uid))
    sandboxes.sort(key=lambda each: (each.created_at, each.attempt), reverse=True)
    containers.sort(key=lambda each: (each.created_at, each.attempt), reverse=True)
    newest = [_with_addresses(runtime, each) if each.ready else _as_is(each) for each in sandboxes]
    return PodRuntime(
        tuple(each for each in await asyncio.gather(*newest) if each is not None),
        tuple(each for each in await asyncio.gather(*(_details(runtime, each, known) for each in containers)) if each is not None),
    )


async def _as_is(sandbox: Sandbox) -> Sandbox | None:
    return sandbox


async def _with_addresses(runtime: RuntimeService, sandbox: Sandbox) -> Sandbox | None:
    try:
        return await runtime.pod_sandbox_status(sandbox.id)
    except RuntimeNotFound:
        return None


async def _details(runtime: RuntimeService, container: Container, known: Mapping[str, Container]) -> Container | None:
    if (remembered := known.get(container.id)) is not None and remembered.is_exited:
        return remembered
    try:
        status = await runtime.container_status(container.id)
    except RuntimeNotFound:
        return None
    # Only the list says to which sandbox a container belongs.
    return dataclasses.replace(status, sandbox_id=container.sandbox_id)
