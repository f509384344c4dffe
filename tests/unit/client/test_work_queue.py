"""The work queue's promises."""

import asyncio

from proa.client.work_queue import WorkQueue
from proa.lib.clock import VirtualClock


def test_a_key_is_queued_once_and_never_at_work_twice() -> None:
    async def scenario() -> None:
        queue: WorkQueue[str] = WorkQueue()
        for key in ("a", "b", "a"):
            queue.add(key)
        first = await queue.get()
        queue.add("a")
        second = await queue.get()
        assert (first, second, len(queue)) == ("a", "b", 0)
        queue.done("a")
        assert await queue.get() == "a"

    asyncio.run(scenario())


def test_the_earlier_deadline_wins_and_later_ones_are_dropped() -> None:
    async def scenario() -> None:
        clock = VirtualClock()
        queue: WorkQueue[str] = WorkQueue(clock)
        queue.add_after("slow", 10)
        queue.add_after("fast", 1)
        queue.add_after("slow", 5)
        seen: list[tuple[float, str]] = []
        for _ in range(12):
            await clock.advance(1)
            while len(queue):
                key = await queue.get()
                assert key is not None
                seen.append((clock.monotonic(), key))
                queue.done(key)
        assert seen == [(1, "fast"), (5, "slow")]

    asyncio.run(scenario())


def test_failures_double_the_delay_until_forgotten() -> None:
    async def scenario() -> None:
        clock = VirtualClock()
        queue: WorkQueue[str] = WorkQueue(clock, base_delay=1, max_delay=5)
        delays = []
        for attempt in range(6):
            if attempt == 5:
                queue.forget("k")
            queue.add_rate_limited("k")
            started = clock.monotonic()
            while not len(queue):
                await clock.advance(1)
            delays.append(clock.monotonic() - started)
            queue.done(str(await queue.get()))
        assert delays == [1, 2, 4, 5, 5, 1]

    asyncio.run(scenario())


def test_shut_down_releases_waiting_consumers_after_the_rest() -> None:
    async def scenario() -> None:
        queue: WorkQueue[str] = WorkQueue()
        consumers = [asyncio.ensure_future(queue.get()) for _ in range(2)]
        await asyncio.sleep(0)
        queue.add("a")
        queue.shut_down()
        assert sorted(map(str, await asyncio.gather(*consumers))) == ["None", "a"]

    asyncio.run(scenario())


def test_a_cancelled_consumer_passes_its_wake_up_on() -> None:
    async def scenario() -> None:
        queue: WorkQueue[str] = WorkQueue()
        first, second = asyncio.ensure_future(queue.get()), asyncio.ensure_future(queue.get())
        await asyncio.sleep(0)
        queue.add("a")
        first.cancel()
        assert await asyncio.wait_for(second, 1) == "a"

    asyncio.run(scenario())
