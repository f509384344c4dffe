"""Noticing what happens in the runtime: containerd's events at once, and a full look every few seconds in case one was lost.

The event of an exit comes before the CRI plugin has recorded it, so the container is asked until it says that it has ended.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable

from proa.kubelet.cri.errors import RuntimeFailure
from proa.kubelet.cri.runtime import RuntimeEvent, RuntimeService
from proa.lib.clock import Clock
from proa.lib.tasks import TaskSet

_FIRST_LOOK_SECONDS = 0.002
_LAST_LOOK_SECONDS = 1.0

Fingerprints = dict[str, frozenset[tuple[str, str]]]
"""Pod uid -> (id, state) of its sandboxes and containers."""


class PodLifecycleEvents:
    """`changed(uid)` for each pod in which something happened; `seen(uids)` after each full look, with all pods that the runtime has."""

    def __init__(
        self,
        runtime: RuntimeService,
        clock: Clock,
        relist_period: float,
        changed: Callable[[str], None],
        seen: Callable[[Iterable[str]], None],
    ) -> None:
        self._runtime, self._clock, self._period, self._changed, self._seen = runtime, clock, relist_period, changed, seen
        self._owners: dict[str, str] = {}
        self._last: Fingerprints = {}
        self._tasks = TaskSet()
        self.last_relist = 0.0

    async def run(self) -> None:
        async for event in self._runtime.events():
            if event.type == "resync":
                self._tasks.spawn(self._relist_safely(), "relist")
            elif event.type == "exit":
                self._tasks.spawn(self._exited(event), f"exit of {event.container_id[:12]}")

    async def relist_forever(self) -> None:
        while True:
            await self._relist_safely()
            await self._clock.sleep(self._period)

    async def close(self) -> None:
        await self._tasks.cancel()

    def learn(self, uid: str, ids: Iterable[str]) -> None:
        """Which pod a sandbox or container belongs to; what is not known costs a look when it ends."""
        for each in ids:
            self._owners[each] = uid

    async def _relist_safely(self) -> None:
        try:
            await self.relist()
        except RuntimeFailure:
            return

    async def relist(self) -> None:
        """Raises RuntimeFailure."""
        sandboxes, containers = await asyncio.gather(self._runtime.list_pod_sandboxes(), self._runtime.list_containers())
        states: dict[str, set[tuple[str, str]]] = defaultdict(set)
        for sandbox in sandboxes:
            states[sandbox.uid].add((sandbox.id, "READY" if sandbox.ready else "NOTREADY"))
        for container in containers:
            states[container.pod_uid].add((container.id, container.state))
        fingerprints = {uid: frozenset(each) for uid, each in states.items() if uid}
        self._owners = {id_: uid for uid, each in fingerprints.items() for id_, _ in each}
        last, self._last = self._last, fingerprints
        self.last_relist = self._clock.monotonic()
        for uid in {*last, *fingerprints}:
            if last.get(uid) != fingerprints.get(uid):
                self._changed(uid)
        self._seen(list(fingerprints))

    async def _exited(self, event: RuntimeEvent) -> None:
        wait = _FIRST_LOOK_SECONDS
        while wait < _LAST_LOOK_SECONDS and not await self._has_ended(event.container_id):
            await self._clock.sleep(wait)
            wait *= 2
        if uid := self._owners.get(event.container_id):
            self._changed(uid)

    async def _has_ended(self, id_: str) -> bool:
        try:
            container = await self._runtime.container_status(id_)
            self._owners[id_] = container.pod_uid
            return container.is_exited
        except RuntimeFailure:
            pass
        try:
            return not (await self._runtime.pod_sandbox_status(id_)).ready
        except RuntimeFailure:
            return True
