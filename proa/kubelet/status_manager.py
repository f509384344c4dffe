"""Writes pod statuses: only when something changed, the newest state only, one request at a time for each pod, again after a failure."""

import asyncio
import copy
import logging
from collections.abc import Callable

from proa.api import meta
from proa.api.errors import ApiError, Conflict, NotFound
from proa.api.kinds import PODS
from proa.api.meta import Object
from proa.client.interface import STRATEGIC_MERGE_PATCH, Client
from proa.kubelet.status_patch import build_status_patch
from proa.lib.backoff import Backoff
from proa.lib.clock import Clock
from proa.lib.tasks import TaskSet

_log = logging.getLogger(__name__)


class StatusManager:
    """`set` never waits; `flush` returns when the last state is written."""

    def __init__(self, client: Client, clock: Clock, wrote: Callable[[Object], None] = lambda pod: None) -> None:
        self._client, self._clock, self._wrote = client, clock, wrote
        self._wanted: dict[str, tuple[Object, Object]] = {}
        self._written: dict[str, Object] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._all = TaskSet()

    def newest(self, pod: Object) -> Object:
        """The pod with the status that we know to be written, if the watch has not told us of it yet."""
        written = self._written.get(meta.uid(pod))
        if written is None or _version(written) <= _version(pod):
            return pod
        return {**pod, "status": written["status"]}

    def set(self, pod: Object, status: Object) -> None:
        self._wanted[meta.uid(pod)] = (pod, copy.deepcopy(status))
        task = self._tasks.get(meta.uid(pod))
        if task is None or task.done():
            self._tasks[meta.uid(pod)] = self._all.spawn(self._write(meta.uid(pod)), f"status of {meta.key(pod)}")

    async def flush(self, uid: str) -> None:
        if task := self._tasks.get(uid):
            await asyncio.shield(task)

    def forget(self, uid: str) -> None:
        self._wanted.pop(uid, None)
        self._written.pop(uid, None)
        if task := self._tasks.pop(uid, None):
            task.cancel()

    async def close(self) -> None:
        await self._all.cancel()

    async def _write(self, uid: str) -> None:
        backoff = Backoff(0.2, 10.0, jitter=0.2)
        while uid in self._wanted:
            pod, status = self._wanted.pop(uid)
            patch = build_status_patch(self.newest(pod), status)
            if patch is None:
                continue
            try:
                self._written[uid] = await self._client.patch(
                    PODS, meta.name(pod), patch, meta.namespace(pod), patch_type=STRATEGIC_MERGE_PATCH, subresource="status"
                )
                self._wrote(self._written[uid])
                backoff.reset()
            except (NotFound, Conflict):
                # The pod is gone, or another of its name is there: the watch will say so.
                return
            except (ApiError, OSError) as error:
                _log.warning("status of pod %s not written: %s", meta.key(pod), error)
                self._wanted.setdefault(uid, (pod, status))
                await self._clock.sleep(backoff.next())


def _version(pod: Object) -> int:
    version = meta.resource_version(pod)
    return int(version) if version.isdigit() else 0
