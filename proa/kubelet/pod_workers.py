"""All workers of the node: one for each pod that the API binds here, and one for each pod that only the runtime still has."""

import asyncio
import logging
from collections.abc import Iterable

from proa.api import meta
from proa.api.meta import Object
from proa.kubelet import pod_spec
from proa.kubelet.cri.errors import RuntimeFailure
from proa.kubelet.node_context import NodeContext
from proa.kubelet.pod_runtime import PodRuntime, observe
from proa.kubelet.pod_sandbox import remove_everything, stop_sandboxes
from proa.kubelet.pod_worker import PodWorker
from proa.lib.tasks import TaskSet

_log = logging.getLogger(__name__)


class PodWorkers:
    """Pods by uid. `bind` comes before anything else: workers need a context that itself tells them of changes."""

    def __init__(self) -> None:
        self._workers: dict[str, PodWorker] = {}
        self._orphans: set[str] = set()
        self._tasks = TaskSet()
        self._context: NodeContext | None = None
        self.pods_are_known = False
        """Only once the API has told of all pods may others be taken for orphans."""

    def bind(self, context: NodeContext) -> None:
        self._context = context

    @property
    def context(self) -> NodeContext:
        if self._context is None:
            raise RuntimeError("pod workers are used before they are bound")
        return self._context

    def pods(self) -> list[Object]:
        return [worker.pod for worker in self._workers.values()]

    def workers(self) -> list[PodWorker]:
        return list(self._workers.values())

    def get(self, uid: str) -> PodWorker | None:
        return self._workers.get(uid)

    def wake(self, uid: str) -> None:
        if worker := self._workers.get(uid):
            worker.wake()

    def wake_all(self) -> None:
        for worker in self._workers.values():
            worker.wake()

    def put(self, pod: Object) -> None:
        """A pod was added or changed."""
        uid = meta.uid(pod)
        if worker := self._workers.get(uid):
            worker.update(pod)
            return
        self._workers[uid] = PodWorker(self.context, pod)
        self._tasks.spawn(self._run(uid), f"pod {meta.key(pod)}")

    def remove(self, pod: Object) -> None:
        """The API has no such pod any more."""
        if worker := self._workers.get(meta.uid(pod)):
            worker.removed()

    async def _run(self, uid: str) -> None:
        try:
            await self._workers[uid].run()
        finally:
            self.context.probes.remove(uid)
            self.context.objects.unregister(uid)
            self._workers.pop(uid, None)

    def runtime_has(self, uids: Iterable[str]) -> None:
        """Pods that were deleted while no agent looked are ended and removed."""
        if not self.pods_are_known:
            return
        for uid in set(uids) - set(self._workers) - self._orphans:
            self._orphans.add(uid)
            self._tasks.spawn(self._remove_orphan(uid), f"orphaned pod {uid}")

    async def _remove_orphan(self, uid: str) -> None:
        try:
            runtime = await observe(self.context.runtime, uid, {})
            _log.info("removing pod %s, which the API does not have", uid)
            await asyncio.gather(*(self.context.runtime.stop_container(each.id, _grace(runtime)) for each in runtime.running))
            await stop_sandboxes(self.context, runtime)
            await remove_everything(self.context, await observe(self.context.runtime, uid, {}))
            await self.remove_files(uid)
        except (RuntimeFailure, OSError) as error:
            _log.warning("orphaned pod %s: %s", uid, error)
        finally:
            self._orphans.discard(uid)

    async def remove_files(self, uid: str) -> None:
        await self.context.volumes.tear_down(uid)
        await asyncio.to_thread(self.context.cgroups.remove, uid)

    async def close(self) -> None:
        """Stop looking; containers go on."""
        await self._tasks.cancel()


def _grace(runtime: PodRuntime) -> int:
    granted = [each.annotations.get("io.kubernetes.pod.terminationGracePeriod", "") for each in runtime.running]
    return max((int(each) for each in granted if each.isdigit()), default=pod_spec.DEFAULT_GRACE_SECONDS)
