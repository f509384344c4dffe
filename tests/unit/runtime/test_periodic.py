"""Loops by the clock."""

import asyncio

from proa.lib.clock import VirtualClock
from proa.runtime.periodic import Periodic


def test_it_acts_at_once_then_every_period_whatever_fails() -> None:
    moments: list[float] = []

    async def main() -> None:
        clock = VirtualClock()

        async def act() -> None:
            moments.append(clock.monotonic())
            if len(moments) == 2:
                raise OSError("down")
            if len(moments) == 3:
                raise ValueError("a mistake")

        running = asyncio.ensure_future(Periodic("p", 10, act, clock).run())
        await clock.advance(35)
        running.cancel()

    asyncio.run(main())
    assert moments == [0, 10, 20, 30]
