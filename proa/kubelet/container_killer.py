"""Ends containers in the documented way: preStop within the grace period, the stop signal, SIGKILL. Sidecars end after the others."""

import asyncio
import json

from proa.api import meta
from proa.api.meta import Object
from proa.kubelet import pod_spec
from proa.kubelet.container_config import ANNOTATION_PRE_STOP
from proa.kubelet.cri.runtime import Container
from proa.kubelet.lifecycle import HookFailure, run_hook
from proa.kubelet.node_context import NodeContext
from proa.kubelet.pod_runtime import PodRuntime

MINIMUM_SECONDS = 2


class ContainerKiller:
    """Remembers which preStop hooks ran, so that a shortened grace period does not run them again."""

    def __init__(self, context: NodeContext) -> None:
        self._context = context
        self._hooked: set[str] = set()
        self._announced: set[str] = set()

    async def kill_all(self, pod: Object, runtime: PodRuntime, grace: int) -> None:
        """Returns when no container of the pod runs."""
        sidecars = [each["name"] for each in pod_spec.sidecars(pod)]
        regular = [each for each in runtime.running if each.name not in sidecars]
        begun = self._context.clock.monotonic()
        await asyncio.gather(*(self.kill(pod, each, runtime, f"Stopping container {each.name}", grace) for each in regular))
        for name in reversed(sidecars):
            left = max(grace - int(self._context.clock.monotonic() - begun), 0)
            own = [each for each in runtime.running if each.name == name]
            await asyncio.gather(*(self.kill(pod, each, runtime, f"Stopping container {name}", left) for each in own))

    async def kill(self, pod: Object, container: Container, runtime: PodRuntime, message: str, grace: int) -> None:
        if container.id not in self._announced:
            self._announced.add(container.id)
            path = pod_spec.field_path(pod, container.name)
            self._context.recorder.event(pod, "Normal", "Killing", message, field_path=path)
        begun = self._context.clock.monotonic()
        if grace > 0:
            await self._pre_stop(pod, container, runtime, grace)
        left = grace - int(self._context.clock.monotonic() - begun)
        # Even after a hook that used up everything a process gets a moment to end by itself, unless none was granted at all.
        await self._context.runtime.stop_container(container.id, max(left, MINIMUM_SECONDS) if grace > 0 else 0)

    async def _pre_stop(self, pod: Object, container: Container, runtime: PodRuntime, grace: int) -> None:
        spec = pod_spec.container(pod, container.name) or {"name": container.name}
        hook = (spec.get("lifecycle") or {}).get("preStop") or json.loads(container.annotations.get(ANNOTATION_PRE_STOP, "null"))
        if not hook or container.id in self._hooked or not container.is_running:
            return
        ip = self._context.facts.host_ips[0] if pod_spec.is_host_network(pod) else next(iter(runtime.pod_ips), "")
        try:
            await asyncio.wait_for(run_hook(hook, spec, container.id, ip, self._context.runtime, self._context.clock), grace)
        except (HookFailure, TimeoutError):
            path = pod_spec.field_path(pod, container.name)
            self._context.recorder.event(pod, "Warning", "FailedPreStopHook", "PreStopHook failed", field_path=path)
        self._hooked.add(container.id)


def shortened_grace(old: Object, new: Object) -> bool:
    """Whether a second deletion grants less time than the first."""
    if not (meta.is_terminating(old) and meta.is_terminating(new)):
        return False
    return pod_spec.grace_seconds(new) < pod_spec.grace_seconds(old)
