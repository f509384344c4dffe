"""Background tasks are kept, watched and cancelled together."""

import asyncio
import logging

import pytest

from proa.lib.tasks import TaskSet, run_together


async def forever(ended: list[str], name: str) -> None:
    try:
        await asyncio.Event().wait()
    finally:
        ended.append(name)


async def fail() -> None:
    raise ValueError("broken")


def test_a_failure_is_logged_and_the_rest_cancelled(caplog: pytest.LogCaptureFixture) -> None:
    ended: list[str] = []

    async def main() -> None:
        tasks = TaskSet()
        tasks.spawn(fail(), "failing")
        tasks.spawn(forever(ended, "a"))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert len(tasks) == 1
        await tasks.cancel()
        assert len(tasks) == 0

    with caplog.at_level(logging.ERROR):
        asyncio.run(main())
    assert (ended, caplog.messages) == (["a"], ["task failing failed"])


def test_the_first_failure_ends_all() -> None:
    ended: list[str] = []

    async def main() -> None:
        with pytest.raises(ValueError, match="broken"):
            await run_together(forever(ended, "a"), fail())

    asyncio.run(main())
    assert ended == ["a"]
