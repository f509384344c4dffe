"""One thread that does all writing: what has queued up while one commit was under way goes into the next one together.

A commit costs the disk's flush, whatever the number of rows, so under load the flush is shared and alone nobody waits for company. Each
batch is answered in the event loop with a single wake-up, its writes in the order in which they were put.
"""

import asyncio
import threading
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue

from proa.storage.backends.write_batch import Write

BATCH = 64

Job = Callable[[], None]


class GroupCommit:
    """`commit` is called in the thread with each batch and returns what is then to be called in the event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop, commit: Callable[[Sequence[Write]], Job]) -> None:
        self._loop = loop
        self._commit = commit
        self._queue: SimpleQueue[Write | Job | None] = SimpleQueue()
        self._ended: asyncio.Future[None] = loop.create_future()
        self._thread = threading.Thread(target=self._work, name="store-writer", daemon=True)
        self.put: Callable[[Write], None] = self._queue.put

    def start(self) -> None:
        self._thread.start()

    async def run(self, job: Job) -> None:
        """Run something else in the thread, between batches."""
        done: asyncio.Future[None] = self._loop.create_future()
        self._queue.put(lambda: self._in_loop(_outcome(job, done)))
        await done

    async def stop(self) -> None:
        """Everything that was put before is done; then the thread ends."""
        self._queue.put(None)
        await self._ended
        self._thread.join()

    def _work(self) -> None:
        items: list[Write | Job | None] = []
        while None not in items:
            items = self._take()
            writes = [item for item in items if isinstance(item, Write)]
            if writes:
                self._in_loop(self._commit(writes))
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
