"""How a backend tells its watchers: each `Stream` first hands out the log's history, then what the backend has published since it was
opened.

A stream is registered before its history is read and the history ends at the revision of that moment, so there is neither a gap nor a
duplicate between the two.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable

from proa.storage.interface import Change


class Stream:
    """One watch of one prefix."""

    def __init__(
        self,
        prefix: str,
        after_revision: int,
        with_previous: bool,
        history: AsyncGenerator[Change, None],
        on_close: Callable[["Stream"], None],
    ) -> None:
        self.prefix = prefix
        self.with_previous = with_previous
        self._after_revision = after_revision
        self._history: AsyncGenerator[Change, None] | None = history
        self._on_close = on_close
        self._live: deque[Change] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._closed = False

    def __aiter__(self) -> AsyncIterator[Change]:
        return self

    async def __anext__(self) -> Change:
        if self._history is not None:
            async for change in self._history:
                return change
            self._history = None
        while not self._live:
            if self._closed:
                raise StopAsyncIteration
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        return self._live.popleft()

    def offer(self, change: Change) -> None:
        if change.revision > self._after_revision:
            self._live.append(change)
            self._wake()

    async def aclose(self) -> None:
        self.end()
        self._live.clear()
        if self._history is not None:
            await self._history.aclose()
            self._history = None

    def end(self) -> None:
        """No more will come; what is there can still be read."""
        self._closed = True
        self._on_close(self)
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
        self._waiter = None


class Streams:
    """All open watches of a backend."""

    def __init__(self) -> None:
        self._open: dict[Stream, None] = {}

    def __bool__(self) -> bool:
        return bool(self._open)

    def open(self, prefix: str, after_revision: int, with_previous: bool, history: AsyncGenerator[Change, None]) -> Stream:
        stream = Stream(prefix, after_revision, with_previous, history, self._close)
        self._open[stream] = None
        return stream

    def publish(self, bare: Change, complete: Callable[[], Change]) -> None:
        """Give a change to all who watch its key; `complete` makes the form with `previous`, for who asked for it."""
        key = bare.record.key
        full: Change | None = None
        for stream in self._open:
            if not key.startswith(stream.prefix):
                continue
            if stream.with_previous:
                full = full or complete()
                stream.offer(full)
            else:
                stream.offer(bare)

    def end_all(self) -> None:
        for stream in list(self._open):
            stream.end()

    def _close(self, stream: Stream) -> None:
        self._open.pop(stream, None)
