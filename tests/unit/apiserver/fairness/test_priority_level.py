"""A priority level: seats, queues, fairness between flows, time-outs, seats that linger, its measurement."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from proa.apiserver.fairness.allocation import Limits
from proa.apiserver.fairness.flow import Flow, Rejected, Turn
from proa.apiserver.fairness.metrics import FairnessMetrics
from proa.apiserver.fairness.priority_level import PriorityLevel, Queuing
from proa.apiserver.fairness.work import ONE_SEAT, Work, work
from proa.apiserver.interface import RequestInfo, User
from proa.lib.clock import VirtualClock
from proa.lib.metrics import Registry

USER, INFO = User("a"), RequestInfo("get", "/")
QUEUES = Queuing(queues=4, hand_size=1, length_limit=2)


class Stage:
    """A level of some seats, flows of one queue each, and the order in which requests were started."""

    def __init__(self, limit: int, queuing: Queuing = QUEUES) -> None:
        self.clock = VirtualClock()
        self.registry = Registry()
        self.metrics = FairnessMetrics(self.registry)
        self.level = PriorityLevel("level", self.clock, self.metrics.rejected)
        self.level.configure("", queuing)
        self.level.limits = Limits(limit, limit, limit)
        self.level.set_limit(limit)
        self.started: list[str] = []
        self.turns: dict[str, Turn] = {}

    def flow(self, queue: int) -> Flow:
        hand = (queue,) if self.level.queuing.queues else ()
        return Flow(f"schema-{queue}", "", self.level, "", "", hand, self.metrics.counts("level", f"schema-{queue}"))

    def run(self, name: str, queue: int = 0, asked: Work = ONE_SEAT) -> bool:
        """Whether there was a seat at once."""
        turn = self.level.start(self.flow(queue), asked, USER, INFO)
        if turn is not None:
            self.turns[name] = turn
        return turn is not None

    async def wait(self, name: str, queue: int = 0, asked: Work = ONE_SEAT) -> "asyncio.Task[Turn]":
        async def waiting() -> Turn:
            turn = await self.level.wait(self.flow(queue), asked, USER, INFO, 15.0)
            self.started.append(name)
            self.turns[name] = turn
            return turn

        task = asyncio.create_task(waiting())
        await settle()
        return task

    async def finish(self, name: str) -> None:
        self.level.finish(self.turns.pop(name))
        await settle()


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def play(scenario: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        await scenario()

    asyncio.run(main())


def test_seats_are_given_until_there_are_none() -> None:
    stage = Stage(2)
    assert [stage.run("a"), stage.run("b"), stage.run("c")] == [True, True, False]
    stage.level.finish(stage.turns["a"])
    assert stage.run("c")
    assert (stage.level.seats_in_use, len(stage.level.turns)) == (2, 2)


def test_a_level_without_queues_rejects() -> None:
    async def scenario() -> None:
        stage = Stage(1, Queuing())
        assert stage.run("a")
        with pytest.raises(Rejected, match="concurrency-limit"):
            await stage.level.wait(stage.flow(0), ONE_SEAT, USER, INFO, 15.0)
        assert 'rejected_requests_total{priority_level="level",flow_schema="schema-0",reason="concurrency-limit"} 1' in (
            stage.registry.render().decode()
        )

    play(scenario)


def test_an_elephant_does_not_starve_a_mouse() -> None:
    async def scenario() -> None:
        stage = Stage(1, Queuing(4, 1, 50))
        assert stage.run("running", 3)
        waiting = [await stage.wait(f"elephant-{number}", 0) for number in range(4)]
        waiting += [await stage.wait(f"mouse-{number}", 1) for number in range(2)]
        for name in ("running", "elephant-0", "mouse-0", "elephant-1", "mouse-1", "elephant-2"):
            await stage.clock.advance(0.003)
            await stage.finish(name)
        assert stage.started == ["elephant-0", "mouse-0", "elephant-1", "mouse-1", "elephant-2", "elephant-3"]
        await asyncio.gather(*waiting)

    play(scenario)


def test_who_ran_when_the_queues_filled_is_charged_for_it() -> None:
    async def scenario() -> None:
        stage = Stage(3, Queuing(4, 1, 50))
        assert all([stage.run("a1", 0), stage.run("a2", 0), stage.run("b1", 1)])
        await stage.wait("a3", 0)
        await stage.wait("b2", 1)
        await stage.finish("b1")
        assert stage.started == ["b2"]

    play(scenario)


def test_a_wide_request_is_not_overtaken() -> None:
    async def scenario() -> None:
        stage = Stage(3)
        assert stage.run("a")
        assert stage.run("b")
        assert not stage.run("wide", 1, work(2))
        await stage.wait("wide", 1, work(2))
        assert not stage.run("narrow", 2)
        await stage.wait("narrow", 2)
        await stage.finish("a")
        assert stage.started[0] == "narrow", "it would be finished first"
        await stage.finish("b")
        assert stage.started == ["narrow", "wide"]

    play(scenario)


def test_a_request_wider_than_the_level_runs_alone() -> None:
    stage = Stage(2)
    assert stage.run("wide", 0, work(10))
    assert not stage.run("b")


def test_a_full_queue_rejects_and_a_long_wait_ends() -> None:
    async def scenario() -> None:
        stage = Stage(1)
        assert stage.run("a")
        first, second = await stage.wait("b"), await stage.wait("c")
        with pytest.raises(Rejected, match="queue-full"):
            await stage.level.wait(stage.flow(0), ONE_SEAT, USER, INFO, 15.0)
        await stage.clock.advance(14.9)
        assert not first.done()
        await stage.clock.advance(0.2)
        with pytest.raises(Rejected, match="time-out"):
            await first
        with pytest.raises(Rejected, match="time-out"):
            await second
        assert (stage.level.tally.rejected, stage.level.tally.timed_out, stage.level.fair.waiting) == (3, 2, 0)

    play(scenario)


def test_who_no_longer_waits_leaves_the_queue() -> None:
    async def scenario() -> None:
        stage = Stage(1)
        assert stage.run("a")
        gone, other = await stage.wait("b"), await stage.wait("c")
        gone.cancel()
        await settle()
        await stage.finish("a")
        assert stage.started == ["c"]
        await other
        assert stage.level.tally.cancelled == 1

    play(scenario)


def test_a_turn_that_came_too_late_is_given_back() -> None:
    async def scenario() -> None:
        stage = Stage(1)
        assert stage.run("a")
        gone = await stage.wait("b")
        stage.level.finish(stage.turns["a"])
        gone.cancel()
        await settle()
        assert stage.level.is_idle

    play(scenario)


def test_the_seats_of_a_write_linger_for_its_watchers() -> None:
    async def scenario() -> None:
        stage = Stage(3)
        assert stage.run("write", 0, work(1, 3, 0.005))
        await stage.finish("write")
        assert (stage.level.seats_in_use, stage.run("b")) == (3, False)
        await stage.wait("b")
        await stage.clock.advance(0.006)
        assert stage.started == ["b"]
        assert stage.level.seats_in_use == 1

    play(scenario)


def test_more_seats_are_used_at_once() -> None:
    async def scenario() -> None:
        stage = Stage(1)
        assert stage.run("a")
        await stage.wait("b")
        stage.level.set_limit(2)
        await settle()
        assert stage.started == ["b"]

    play(scenario)


def test_fewer_queues_lose_nobody() -> None:
    async def scenario() -> None:
        stage = Stage(1)
        assert stage.run("a")
        waiting = await stage.wait("b", 3)
        stage.level.configure("", Queuing(1, 1, 2))
        await stage.finish("a")
        await waiting

    play(scenario)


def test_demand_is_the_average_over_time_and_the_peak() -> None:
    async def scenario() -> None:
        stage = Stage(2)
        assert stage.run("a")
        assert stage.run("b")
        waiting = await stage.wait("c")
        await stage.clock.advance(5)
        await stage.finish("a")
        await stage.finish("b")
        await waiting
        await stage.finish("c")
        await stage.clock.advance(5)
        demand = stage.level.measured()
        assert (demand.average, demand.deviation, demand.peak) == (1.5, 1.5, 3)

    play(scenario)


def test_histograms_are_complete_when_they_are_scraped() -> None:
    stage = Stage(2)
    assert stage.run("a", 0)
    flow = stage.flow(0)
    flow.counts.one_seat_seconds.append(0.3)
    text = stage.registry.render().decode()
    labels = 'priority_level="level",flow_schema="schema-0"'
    assert f'apiserver_flowcontrol_request_execution_seconds_bucket{{{labels},type="regular",le="0.5"}} 1' in text
    assert f"apiserver_flowcontrol_work_estimated_seats_count{{{labels}}} 1" in text
    assert f"apiserver_flowcontrol_dispatched_requests_total{{{labels}}} 1" in text
