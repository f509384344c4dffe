"""Which pod comes next. Waiting pods are in one of three places: ready (by priority, then by age), backing off after a failure, or
unschedulable until something happens that may help them.

A pod that was refused comes back when an event touches what refused it, as the plugins' hints say, and at the latest after five minutes.
Its back-off doubles from 1 s to 10 s; if nothing is ready, a pod that an event has brought back need not sit it out.
"""

import asyncio
import heapq
import itertools
from collections.abc import Callable
from dataclasses import field

from proa.lib.clock import Clock
from proa.lib.dataclass import dataclass
from proa.scheduler.framework.events import ClusterEvent
from proa.scheduler.pod_info import PodInfo

INITIAL_BACKOFF, MAXIMUM_BACKOFF = 1.0, 10.0
UNSCHEDULABLE_SECONDS = 300.0
TICK_SECONDS = 1.0
MayHelp = Callable[[PodInfo, set[str], ClusterEvent], bool]


@dataclass(slots=True)
class QueuedPod:
    """`plugins` are those that refused it last; `gated` pods only come back by a change of their own."""

    pod: PodInfo
    added: float
    attempts: int = 0
    tried: float = 0.0
    plugins: set[str] = field(default_factory=set)
    gated: bool = False
    failed_by_error: bool = False
    ticket: int = 0
    """Of its one valid entry in a heap; older entries are skipped."""

    def backoff_ends(self) -> float:
        if not self.attempts:
            return 0.0
        return self.tried + min(INITIAL_BACKOFF * (1 << min(self.attempts - 1, 10)), MAXIMUM_BACKOFF)


class SchedulingQueue:
    """`run()` moves pods on by the clock; `pop()` waits for one that is ready."""

    def __init__(self, clock: Clock, may_help: MayHelp, gate: Callable[[PodInfo], bool]) -> None:
        self._clock, self._may_help, self._gate = clock, may_help, gate
        self._tickets = itertools.count()
        self._active: list[tuple[int, float, int, str]] = []
        self._backing_off: dict[bool, list[tuple[float, int, str]]] = {False: [], True: []}
        self._ready: dict[str, QueuedPod] = {}
        self._waiting: dict[str, QueuedPod] = {}
        self._unschedulable: dict[str, QueuedPod] = {}
        self._changed = asyncio.Event()

    # Pods come and go.

    def add(self, pod: PodInfo) -> None:
        self.delete(pod.key)
        self._enqueue(QueuedPod(pod, self._clock.monotonic()))

    def update(self, pod: PodInfo) -> None:
        """The pod itself changed in a way that may matter."""
        for place in (self._ready, self._waiting):
            if pod.key in place:
                queued = place[pod.key]
                queued.pod = pod
                if place is self._ready:
                    self._push_active(queued)
                return
        known = self._unschedulable.pop(pod.key, None)
        back = known or QueuedPod(pod, self._clock.monotonic())
        back.pod, back.gated = pod, False
        self._enqueue(back)

    def refresh(self, pod: PodInfo) -> None:
        """The pod changed in no way that matters: remember the new object."""
        for place in (self._ready, self._waiting, self._unschedulable):
            if pod.key in place:
                place[pod.key].pod = pod

    def delete(self, key: str) -> None:
        for place in (self._ready, self._waiting, self._unschedulable):
            if key in place:
                del place[key]

    def failed(self, queued: QueuedPod, plugins: set[str]) -> None:
        """It was refused; with no plugins, by an error, and is tried again after its back-off."""
        queued.plugins, queued.failed_by_error = plugins, not plugins
        queued.tried = self._clock.monotonic()
        if plugins:
            self._unschedulable[queued.pod.key] = queued
        else:
            self._to_backoff(queued)

    def knows(self, key: str) -> bool:
        return key in self._ready or key in self._waiting or key in self._unschedulable

    def __len__(self) -> int:
        return len(self._ready) + len(self._waiting) + len(self._unschedulable)

    def happened(self, event: ClusterEvent) -> None:
        """Bring back whom the event may help."""
        for key, queued in list(self._unschedulable.items()):
            if not queued.gated and self._may_help(queued.pod, queued.plugins, event):
                del self._unschedulable[key]
                self._enqueue(queued)

    # They are taken.

    async def pop(self) -> QueuedPod:
        while (queued := self.pop_ready()) is None:
            self._changed.clear()
            await self._changed.wait()
        return queued

    def pop_ready(self) -> QueuedPod | None:
        while self._active:
            *_, ticket, key = heapq.heappop(self._active)
            queued = self._ready.get(key)
            if queued is not None and queued.ticket == ticket:
                del self._ready[key]
                return _taken(queued)
        return self._pop_early()

    def _pop_early(self) -> QueuedPod | None:
        """Who backs off least long; those that an error stopped sit it out."""
        heap = self._backing_off[False]
        while heap:
            _, ticket, key = heapq.heappop(heap)
            queued = self._waiting.get(key)
            if queued is not None and queued.ticket == ticket:
                del self._waiting[key]
                return _taken(queued)
        return None

    # Time passes.

    async def run(self) -> None:
        """Looks as often as the shortest back-off is long, while anybody waits."""
        while True:
            await self._clock.sleep(TICK_SECONDS)
            self.flush()

    def flush(self) -> None:
        now = self._clock.monotonic()
        for heap in self._backing_off.values():
            while heap and heap[0][0] <= now:
                _, ticket, key = heapq.heappop(heap)
                queued = self._waiting.get(key)
                if queued is not None and queued.ticket == ticket:
                    del self._waiting[key]
                    self._push_active(queued)
        for key, queued in list(self._unschedulable.items()):
            if not queued.gated and now - queued.tried >= UNSCHEDULABLE_SECONDS:
                del self._unschedulable[key]
                self._enqueue(queued)

    def _enqueue(self, queued: QueuedPod) -> None:
        if self._gate(queued.pod):
            queued.gated = True
            self._unschedulable[queued.pod.key] = queued
        elif queued.backoff_ends() > self._clock.monotonic():
            self._to_backoff(queued)
        else:
            self._push_active(queued)

    def _push_active(self, queued: QueuedPod) -> None:
        queued.ticket = next(self._tickets)
        self._ready[queued.pod.key] = queued
        heapq.heappush(self._active, (-queued.pod.priority, queued.added, queued.ticket, queued.pod.key))
        self._changed.set()

    def _to_backoff(self, queued: QueuedPod) -> None:
        queued.ticket = next(self._tickets)
        self._waiting[queued.pod.key] = queued
        heapq.heappush(self._backing_off[queued.failed_by_error], (queued.backoff_ends(), queued.ticket, queued.pod.key))
        self._changed.set()


def _taken(queued: QueuedPod) -> QueuedPod:
    queued.attempts += 1
    return queued
