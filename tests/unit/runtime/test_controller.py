"""Controllers retry what failed and requeue what asks for it."""

import asyncio

import pytest

from proa.client.work_queue import WorkQueue
from proa.lib.clock import VirtualClock
from proa.runtime.controller import Controller
from proa.runtime.reconciler import Result


class Scripted:
    """Answers with the next result, or raises it."""

    def __init__(self, clock: VirtualClock, *script: Result | Exception) -> None:
        self.clock, self.script = clock, list(script)
        self.calls: list[tuple[float, str]] = []

    async def reconcile(self, key: str) -> Result:
        self.calls.append((round(self.clock.monotonic(), 3), key))
        outcome = self.script.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


@pytest.mark.parametrize(
    ("script", "calls"),
    [
        ((Result(),), [(0, "k")]),
        ((OSError("x"), OSError("y"), Result()), [(0, "k"), (0.005, "k"), (0.015, "k")]),
        ((Result(5), Result()), [(0, "k"), (5, "k")]),
    ],
)
def test_outcomes(script: tuple[Result | Exception, ...], calls: list[tuple[float, str]]) -> None:
    async def main() -> None:
        clock = VirtualClock()
        reconciler = Scripted(clock, *script)
        queue: WorkQueue[str] = WorkQueue(clock)
        measured: list[bool] = []
        controller = Controller("c", reconciler, queue, 2, observe=lambda name, seconds, ok: measured.append(ok), clock=clock)
        running = asyncio.ensure_future(controller.run())
        queue.add("k")
        await clock.advance(60)
        assert reconciler.calls == calls
        assert measured == [not isinstance(each, Exception) for each in script]
        running.cancel()

    asyncio.run(main())
