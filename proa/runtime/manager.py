"""Starts loops in the order they need: caches first, then, once they are filled, everything that works on them."""

from collections.abc import Sequence
from typing import Protocol

from proa.client.informer import InformerFactory
from proa.lib.tasks import run_together


class Runnable(Protocol):
    async def run(self) -> None:
        """Work until cancelled."""
        ...


class Together:
    """Several runnables as one; it ends when the first ends."""

    def __init__(self, *runnables: Runnable) -> None:
        self._runnables = runnables

    async def run(self) -> None:
        await run_together(*(each.run() for each in self._runnables))


class Manager:
    """`run()` ends only when a runnable ends or fails, or when cancelled; the caches stop with it."""

    def __init__(self, informers: InformerFactory, runnables: Sequence[Runnable]) -> None:
        self._informers, self._runnables = informers, runnables

    async def run(self) -> None:
        await self._informers.start()
        try:
            await self._informers.wait_synced()
            await Together(*self._runnables).run()
        finally:
            await self._informers.stop()
