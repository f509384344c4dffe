"""Who comes next, and when those come back that were refused."""

import asyncio

from proa.lib.clock import VirtualClock
from proa.scheduler.framework.events import ClusterEvent, NodeEvent
from proa.scheduler.pod_info import PodInfo
from proa.scheduler.queue import QueuedPod, SchedulingQueue
from tests.unit.scheduler.objects import pod, pod_info

EVENT = NodeEvent(None, {})


def may_help(pod: PodInfo, plugins: set[str], event: ClusterEvent) -> bool:
    return "Fit" in plugins


def is_gated(pod: PodInfo) -> bool:
    return bool(pod.spec.get("schedulingGates"))


class Line:
    """A queue on a virtual clock, of which tests take what is ready."""

    def __init__(self, *names: str) -> None:
        self.clock = VirtualClock()
        self.queue = SchedulingQueue(self.clock, may_help, is_gated)
        for name in names:
            self.queue.add(pod_info(name))

    def take(self) -> QueuedPod:
        queued = self.queue.pop_ready()
        assert queued is not None
        return queued

    def names(self) -> list[str]:
        taken: list[str] = []
        while (queued := self.queue.pop_ready()) is not None:
            taken.append(queued.pod.key.partition("/")[2])
        return taken

    def after(self, seconds: float) -> list[str]:
        asyncio.run(self.clock.advance(seconds))
        self.queue.flush()
        return self.names()


def test_priority_comes_first_then_age() -> None:
    line = Line("a", "b")
    line.queue.add(pod_info("vital", priority=10))
    line.queue.update(PodInfo(pod("b", priority=5)))
    assert line.names() == ["vital", "b", "a"]


def test_deleted_pods_are_not_handed_out() -> None:
    line = Line("a", "b")
    line.queue.delete("default/a")
    assert (line.names(), len(line.queue)) == (["b"], 0)


def test_a_refused_pod_waits_for_an_event_that_may_help() -> None:
    line = Line("a", "b")
    line.queue.failed(line.take(), {"Fit"})
    line.queue.failed(line.take(), {"Taints"})
    before = line.names()
    line.queue.happened(EVENT)
    assert (before, line.names()) == ([], ["a"])


def test_a_refused_pod_comes_back_after_five_minutes_at_the_latest() -> None:
    line = Line("a")
    line.queue.failed(line.take(), {"Taints"})
    assert (line.after(299), line.after(1)) == ([], ["a"])


def test_back_off_after_errors_doubles_up_to_ten_seconds() -> None:
    line = Line("a")
    waited = []
    queued = line.take()
    for _ in range(6):
        line.queue.failed(queued, set())
        started = line.clock.monotonic()
        while (back := line.queue.pop_ready()) is None:
            asyncio.run(line.clock.advance(1))
            line.queue.flush()
        queued = back
        waited.append(line.clock.monotonic() - started)
    assert waited == [1, 2, 4, 8, 10, 10]


def test_whom_an_event_brings_back_waits_behind_those_who_are_ready() -> None:
    line = Line("a")
    line.queue.failed(line.take(), {"Fit"})
    line.queue.happened(EVENT)
    line.queue.add(pod_info("fresh"))
    assert line.names() == ["fresh", "a"]


def test_a_change_of_the_pod_itself_brings_it_back() -> None:
    line = Line("a")
    line.queue.failed(line.take(), {"Taints"})
    line.queue.refresh(pod_info("a", status={"message": "still waiting"}))
    quiet = line.names()
    line.queue.update(pod_info("a", labels={"new": "label"}))
    assert (quiet, line.names()) == ([], ["a"])


def test_gated_pods_come_only_without_their_gates() -> None:
    line = Line()
    line.queue.add(pod_info("a", schedulingGates=[{"name": "g"}]))
    line.queue.happened(EVENT)
    gated = line.after(1000)
    line.queue.update(pod_info("a"))
    assert (gated, line.names()) == ([], ["a"])


def test_pop_waits_for_a_pod() -> None:
    async def main() -> str:
        queue = SchedulingQueue(VirtualClock(), may_help, is_gated)
        waiting = asyncio.ensure_future(queue.pop())
        await asyncio.sleep(0)
        queue.add(pod_info("a"))
        return (await waiting).pod.key

    assert asyncio.run(main()) == "default/a"
