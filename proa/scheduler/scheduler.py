"""Gives every pod a node: takes pods from the queue one by one, decides, assumes the decision, and lets the binding run on its own.

Decisions are made one at a time and without a pause, bindings and other writes at once and side by side; after every few milliseconds of
deciding, whoever shares the event loop gets a turn.
"""

import asyncio
import logging
import random
from collections.abc import Callable

from proa.client.informer import InformerFactory
from proa.client.interface import Client
from proa.lib.clock import Clock, SystemClock
from proa.lib.tasks import TaskSet, run_together
from proa.runtime.event_recorder import Recorder
from proa.runtime.periodic import Periodic
from proa.scheduler.binding import Binding
from proa.scheduler.cache import Cache
from proa.scheduler.fit_error import fit_error
from proa.scheduler.framework.cycle_state import CycleState
from proa.scheduler.framework.interface import Diagnosis
from proa.scheduler.nominator import Nominator
from proa.scheduler.pod_info import PodInfo
from proa.scheduler.queue import QueuedPod, SchedulingQueue
from proa.scheduler.registry import build_framework
from proa.scheduler.scheduling_cycle import Decision, SchedulingCycle
from proa.scheduler.watching import DEFAULT_SCHEDULER, Watching

_log = logging.getLogger(__name__)

TURN_SECONDS = 0.005
BINDINGS_AT_ONCE = 200
EXPIRY_CHECK_SECONDS = 60.0


class Scheduler:
    """`run()` works until cancelled; `informers` must be started by whoever owns them (`proa.runtime.manager.Manager` does)."""

    def __init__(
        self,
        client: Client,
        informers: InformerFactory,
        recorder: Recorder,
        clock: Clock | None = None,
        *,
        name: str = DEFAULT_SCHEDULER,
        choose: Callable[[int], int] = random.randrange,
    ) -> None:
        self._clock = clock or SystemClock()
        self._nominator = Nominator()
        self.cache = Cache(self._clock)
        self._framework = build_framework(client, informers, self.cache, self._nominator, choose)
        self.queue = SchedulingQueue(self._clock, self._framework.may_help, self._is_gated)
        self._cycle = SchedulingCycle(self._framework, self.cache, self._nominator, choose)
        self._binding = Binding(client, self._framework, recorder, self._clock, name)
        self._bindings, self._writes = TaskSet(), TaskSet()
        self._room = asyncio.Event()
        self._watching = Watching(informers, self.cache, self.queue, self._nominator, name)

    async def run(self) -> None:
        expiry = Periodic("assumed pods", EXPIRY_CHECK_SECONDS, self._expire, self._clock)
        try:
            await run_together(self._schedule_all(), self.queue.run(), expiry.run())
        finally:
            await self._bindings.cancel()
            await self._writes.cancel()

    async def _schedule_all(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            queued: QueuedPod | None = await self.queue.pop()
            turn_ends = loop.time() + TURN_SECONDS
            while queued is not None:
                self._schedule_safely(queued)
                if len(self._bindings) >= BINDINGS_AT_ONCE:
                    self._room.clear()
                    await self._room.wait()
                elif loop.time() >= turn_ends:
                    await asyncio.sleep(0)
                    turn_ends = loop.time() + TURN_SECONDS
                queued = self.queue.pop_ready()
            await asyncio.sleep(0)

    def _schedule_safely(self, queued: QueuedPod) -> None:
        """A mistake of a plugin must cost no more than this pod's turn."""
        try:
            self._schedule(queued)
        except Exception as error:
            _log.exception("scheduling of %s failed", queued.pod.key)
            self._error(queued, f"{type(error).__name__}: {error}")

    def _schedule(self, queued: QueuedPod) -> None:
        pod = queued.pod
        decision = self._cycle.decide(pod)
        if not decision.node:
            self._refused(queued, decision)
            return
        self.cache.assume(pod, decision.node)
        refusal = self._framework.reserve(decision.state, pod, decision.node)
        refusal = refusal or self._framework.permit(decision.state, pod, decision.node)
        if refusal is not None:
            self._take_back(queued, decision.state, decision.node)
            self.queue.failed(queued, {refusal.plugin})
            self._tell(pod, "Unschedulable", refusal.message)
            return
        self._nominator.remove(pod.key)
        self._bindings.spawn(self._bind(queued, decision.state, decision.node), f"binding of {pod.key}")

    async def _bind(self, queued: QueuedPod, state: CycleState, node: str) -> None:
        try:
            failure = await self._binding.bind(state, queued.pod, node)
            if failure:
                self._take_back(queued, state, node)
                self._error(queued, failure)
            else:
                self.cache.binding_finished(queued.pod.key)
        finally:
            self._room.set()

    def _take_back(self, queued: QueuedPod, state: CycleState, node: str) -> None:
        self._framework.unreserve(state, queued.pod, node)
        self.cache.forget(queued.pod.key)

    def _error(self, queued: QueuedPod, message: str) -> None:
        """Not the pod's fault: it comes back after its back-off, if it is still there."""
        pod = self._watching.still_waiting(queued.pod)
        if pod is not None and not self.queue.knows(pod.key):
            queued.pod = pod
            self.queue.failed(queued, set())
            self._tell(pod, "SchedulerError", message)

    def _refused(self, queued: QueuedPod, decision: Decision) -> None:
        pod, result = queued.pod, decision.post_filter
        diagnosis = decision.diagnosis or Diagnosis(0)
        self.queue.failed(queued, diagnosis.plugins)
        self._nominator.add(pod, result.nominated_node)
        if result.victims:
            self._writes.spawn(self._preempt(pod, result.victims, result.nominated_node), f"preemption for {pod.key}")
        self._tell(pod, "Unschedulable", fit_error(diagnosis), result.nominated_node)

    async def _preempt(self, pod: PodInfo, victims: tuple[PodInfo, ...], node: str) -> None:
        for below in self._nominator.below(pod, node):
            self._nominator.remove(below.key)
            await self._binding.clear_nomination(below)
        if not await self._binding.preempt(pod, victims, node):
            self.queue.update(pod)

    def _tell(self, pod: PodInfo, reason: str, message: str, nominated_node: str | None = None) -> None:
        self._binding.report(pod, message)
        self._writes.spawn(self._binding.mark(pod, reason, message, nominated_node), f"status of {pod.key}")

    def _is_gated(self, pod: PodInfo) -> bool:
        status = self._framework.pre_enqueue(pod)
        if status is None:
            return False
        message = "Scheduling is blocked due to non-empty scheduling gates"
        self._writes.spawn(self._binding.mark(pod, "SchedulingGated", message), f"status of {pod.key}")
        return True

    async def _expire(self) -> None:
        for pod in self.cache.expire():
            if (waiting := self._watching.still_waiting(pod)) is not None:
                self.queue.add(waiting)
