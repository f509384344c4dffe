"""Protects the node: says when memory, disk or process ids run short, ends pods that use more than they may, then those of least worth.

Signals and thresholds are upstream's hard defaults. Decisions are pure.
"""

import asyncio
import logging
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from proa.api import meta
from proa.api.meta import Object
from proa.api.quantity import ZERO, parse
from proa.kubelet import machine, pod_spec
from proa.kubelet.config import KubeletConfiguration
from proa.kubelet.cri.errors import RuntimeFailure
from proa.kubelet.cri.runtime import LABEL_POD_UID, RuntimeService
from proa.kubelet.node_object import Pressure
from proa.kubelet.pod_status import Verdict
from proa.kubelet.resources import pod_requests
from proa.lib.clock import Clock
from proa.runtime.event_recorder import Recorder

_log = logging.getLogger(__name__)

_PID_SHARE = 0.95
_TRANSITION_SECONDS = 300.0
_CRITICAL_PRIORITY = 2_000_000_000


def rank_for_memory(pods: Iterable[Object], usage: Mapping[str, int]) -> list[Object]:
    """Whom to evict first: above its request, of low priority, furthest above."""

    def order(pod: Object) -> tuple[bool, int, int]:
        asked = pod_requests(pod).get("memory", ZERO).value
        used = usage.get(meta.uid(pod), 0)
        return used <= asked, int(pod["spec"].get("priority") or 0), asked - used

    return sorted((each for each in pods if int(each["spec"].get("priority") or 0) < _CRITICAL_PRIORITY), key=order)


def memory_verdict(pod: Object, used: int, available: int, threshold: int) -> Verdict:
    asked, name = pod_requests(pod).get("memory", ZERO), pod_spec.containers(pod)[0]["name"]
    message = (
        f"The node was low on resource: memory. Threshold quantity: {threshold // 1024}Ki, available: {available // 1024}Ki. "
        f"Container {name} was using {used // 1024}Ki, request is {asked}, has larger consumption of memory. "
    )
    return evicted(message)


def evicted(message: str) -> Verdict:
    target = {"type": "DisruptionTarget", "status": "True", "reason": "TerminationByKubelet", "message": message}
    return Verdict("Evicted", message, (target,))


def empty_dir_verdict(pod: Object, sizes: Mapping[str, int]) -> Verdict | None:
    """`sizes`: bytes used by each emptyDir volume on disk."""
    for volume in pod["spec"].get("volumes") or []:
        limit = (volume.get("emptyDir") or {}).get("sizeLimit")
        if limit and parse(limit).nano and sizes.get(volume["name"], 0) > parse(limit).value:
            return evicted(f'Usage of EmptyDir volume "{volume["name"]}" exceeds the limit "{limit}". ')
    return None


class EvictionManager:
    """`pods()` are the pods that run here, `end(uid, verdict)` ends one."""

    def __init__(
        self,
        configuration: KubeletConfiguration,
        runtime: RuntimeService,
        recorder: Recorder,
        clock: Clock,
        pods: Callable[[], Sequence[Object]],
        end: Callable[[str, Verdict], None],
    ) -> None:
        self._configuration, self._runtime, self._recorder, self._clock = configuration, runtime, recorder, clock
        self._pods, self._end = pods, end
        self._under_since: dict[str, float] = {}

    def pressure(self) -> Pressure:
        """Pressure is said to last five minutes longer than it does, so that the scheduler does not swing."""
        configuration = self._configuration
        memory = machine.memory_info()["MemAvailable"] < configuration.eviction_memory_available
        node, images = machine.filesystem(configuration.root_directory), machine.filesystem(configuration.container_runtime_root)
        disk = (
            node.available < node.size * configuration.eviction_nodefs_available_percent / 100
            or node.inodes_free < node.inodes * configuration.eviction_nodefs_inodes_free_percent / 100
            or images.available < images.size * configuration.eviction_imagefs_available_percent / 100
        )
        limit, used = machine.process_limit()
        return Pressure(self._lasting("memory", memory), self._lasting("disk", disk), self._lasting("pids", used > limit * _PID_SHARE))

    def _lasting(self, name: str, now: bool) -> bool:
        if now:
            self._under_since[name] = self._clock.monotonic()
        last = self._under_since.get(name)
        return last is not None and self._clock.monotonic() - last < _TRANSITION_SECONDS

    async def run(self) -> None:
        while True:
            await self._clock.sleep(self._configuration.eviction_monitoring_period)
            try:
                await self.look()
            except (RuntimeFailure, OSError) as error:
                _log.warning("eviction: %s", error)

    async def look(self) -> None:
        """At most one pod is ended for the node's sake in one look."""
        for pod in self._pods():
            sizes = await asyncio.to_thread(self._empty_dir_sizes, pod)
            if verdict := empty_dir_verdict(pod, sizes):
                self._evict(pod, verdict)
        available, threshold = machine.memory_info()["MemAvailable"], self._configuration.eviction_memory_available
        if available < threshold:
            usage = await self._memory_usage()
            running = [each for each in self._pods() if not pod_spec.is_finished(each) and not meta.is_terminating(each)]
            for pod in rank_for_memory(running, usage)[:1]:
                self._evict(pod, memory_verdict(pod, usage.get(meta.uid(pod), 0), available, threshold))

    def _evict(self, pod: Object, verdict: Verdict) -> None:
        self._recorder.event(pod, "Warning", "Evicted", verdict.message)
        self._end(meta.uid(pod), verdict)

    def _empty_dir_sizes(self, pod: Object) -> dict[str, int]:
        root = self._configuration.pod_directory(meta.uid(pod)) / "volumes" / "kubernetes.io~empty-dir"
        limited = [each["name"] for each in pod["spec"].get("volumes") or [] if (each.get("emptyDir") or {}).get("sizeLimit")]
        return {name: directory_size(root / name) for name in limited}

    async def _memory_usage(self) -> dict[str, int]:
        usage: dict[str, int] = {}
        for stats in await self._runtime.list_container_stats():
            uid = stats.labels.get(LABEL_POD_UID, "")
            usage[uid] = usage.get(uid, 0) + (stats.usage.memory_working_set_bytes or 0)
        return usage


def directory_size(path: Path) -> int:
    """Bytes that the files take on disk."""
    total = 0
    for directory, _, files in os.walk(path):
        for name in files:
            try:
                total += os.lstat(os.path.join(directory, name)).st_blocks * 512
            except OSError:
                continue
    return total
