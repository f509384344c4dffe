"""One thread that does all writing: what has queued up while one commit was under way goes into the next one together.

A commit costs the disk's flush, whatever the number of rows, so under load the flush is shared and alone nobody waits for company. Each
batch is answered in the event loop with a single wake-up, its writes in the order in which they were put.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from queue import Empty, SimpleQueue

from proa.storage.backends.write_batch import Write

BATCH = 64
TURN_EVERY = 0.001
TURN = 0.00002
"""Seconds. A loop that never rests gives the interpreter lock up only for moments that are too short for another thread to wake up in,
and starves it for seconds (measured: 60 writes/s instead of 10,000). So after a millisecond in which writes wait and none was answered, the
loop stands back for as long as the kernel's shortest sleep takes (about 0.1 ms)."""

Job = Callable[[], None]


class GroupCommit:
    """`commit` is called in the thread with each batch and returns what is then to be called in the event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop, commit: Callable[[Sequence[Write]], Job]) -> None:
        self._loop = loop
        self._commit = commit
        self._queue: SimpleQueue[Write | Job | None] = SimpleQueue()
        self._ended: asyncio.Future[None] = loop.create_future()
        self._thread = threading.Thread(target=self._work, name="store-writer", daemon=True)
        self._waiting = 0
        self._moving = False
        self._turns: asyncio.TimerHandle | None = None

    def start(self) -> None:
        self._thread.start()

    def put(self, item: Write | Job) -> None:
        self._queue.put(item)
        self._waiting += 1
        if self._turns is None:
            self._turns = self._loop.call_later(TURN_EVERY, self._give_turn)

    async def run(self, job: Job) -> None:
        """Run something else in the thread, between batches."""
        done: asyncio.Future[None] = self._loop.create_future()
        self.put(lambda: self._in_loop(partial(self._answer, 1, _outcome(job, done))))
        await done

    async def stop(self) -> None:
        """Everything that was put before is done; then the thread ends."""
        self._queue.put(None)
        await self._ended
        self._thread.join()
        if self._turns is not None:
            self._turns.cancel()

    def _give_turn(self) -> None:
        if not self._waiting:
            self._turns = None
            return
        if not self._moving:
            time.sleep(TURN)
        self._moving = False
        self._turns = self._loop.call_later(TURN_EVERY, self._give_turn)

    def _answer(self, count: int, job: Job) -> None:
        self._waiting -= count
        self._moving = True
        job()

    def _work(self) -> None:
        items: list[Write | Job | None] = []
        while None not in items:
            items = self._take()
            writes = [item for item in items if isinstance(item, Write)]
            if writes:
                self._in_loop(partial(self._answer, len(writes), self._commit(writes)))
            for item in items:
                if item is not None and not isinstance(item, Write):
                    item()
        self._in_loop(lambda: self._ended.set_result(None))

    def _take(self) -> list[Write | Job | None]:
        """Wait for one item, then take what else is there."""
        items = [self._queue.get()]
        try:
            while len(items) < BATCH:
                items.append(self._queue.get_nowait())
        except Empty:
            pass
        return items

    def _in_loop(self, job: Job) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(job)


def _outcome(job: Job, done: "asyncio.Future[None]") -> Job:
    """Do the job now; what to tell the one who waits for it, later in the event loop."""
    failure: Exception | None = None
    try:
        job()
    except Exception as error:
        failure = error

    def tell() -> None:
        if done.done():
            return
        if failure is None:
            done.set_result(None)
        else:
            done.set_exception(failure)

    return tell
