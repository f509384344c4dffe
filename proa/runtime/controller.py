"""Runs a reconciler over a work queue: workers side by side, rate-limited retry of failures, a measurement per try."""

import asyncio
import logging
from collections.abc import Callable

from proa.api.errors import ApiError, Conflict, NotFound
from proa.client.work_queue import WorkQueue
from proa.lib.clock import Clock, SystemClock
from proa.lib.tasks import cancel_and_wait
from proa.runtime.reconciler import Reconciler

_log = logging.getLogger(__name__)

Observe = Callable[[str, float, bool], None]
"""(controller, seconds, succeeded) of each reconciliation."""


class Controller:
    """`run()` works until cancelled."""

    def __init__(
        self,
        name: str,
        reconciler: Reconciler,
        queue: WorkQueue[str],
        workers: int = 1,
        *,
        observe: Observe | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.name = name
        self.queue = queue
        self._reconciler, self._workers, self._observe = reconciler, workers, observe
        self._clock = clock or SystemClock()

    async def run(self) -> None:
        workers = [asyncio.ensure_future(self._work()) for _ in range(self._workers)]
        try:
            await asyncio.gather(*workers)
        finally:
            self.queue.shut_down()
            await cancel_and_wait(*workers)

    async def _work(self) -> None:
        while (key := await self.queue.get()) is not None:
            try:
                await self._reconcile(key)
            finally:
                self.queue.done(key)

    async def _reconcile(self, key: str) -> None:
        started = self._clock.monotonic()
        try:
            result = await self._reconciler.reconcile(key)
        except Exception as error:
            self._failed(key, error)
            self._measure(started, False)
            return
        self.queue.forget(key)
        if result.requeue_after is not None:
            self.queue.add_after(key, result.requeue_after)
        self._measure(started, True)

    def _failed(self, key: str, error: Exception) -> None:
        expected = isinstance(error, Conflict | NotFound)  # the cache is a moment behind
        level = logging.DEBUG if expected else logging.WARNING
        _log.log(level, "%s: %s: %s: %s; will retry", self.name, key, type(error).__name__, error, exc_info=_unexpected(error))
        self.queue.add_rate_limited(key)

    def _measure(self, started: float, succeeded: bool) -> None:
        if self._observe is not None:
            self._observe(self.name, self._clock.monotonic() - started, succeeded)


def _unexpected(error: Exception) -> Exception | None:
    """A traceback is worth its lines only for our own mistakes, not for what the API or the network said."""
    return None if isinstance(error, ApiError | OSError) else error
