"""A process ends in order when it is told to, and fails where its work fails."""

import asyncio
import os
import signal

import pytest

from proa.runtime.standalone import run_until_signal


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_work_after_its_clean_up(number: signal.Signals) -> None:
    done: list[str] = []

    async def work() -> None:
        try:
            os.kill(os.getpid(), number)
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0)
            done.append("cleaned up")

    asyncio.run(asyncio.wait_for(run_until_signal(work()), 5))
    assert done == ["cleaned up"]


def test_work_that_ends_ends_the_process() -> None:
    async def work() -> None:
        return None

    asyncio.run(asyncio.wait_for(run_until_signal(work()), 5))


def test_a_failure_is_not_swallowed() -> None:
    async def work() -> None:
        raise RuntimeError("no store")

    with pytest.raises(RuntimeError, match="no store"):
        asyncio.run(run_until_signal(work()))
