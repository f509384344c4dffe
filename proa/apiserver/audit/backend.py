"""How events leave the server, whatever takes them: at once, at once and strictly, or in batches from a bounded buffer.

`batch` never holds up a request; what does not fit into the buffer is lost and counted. `blocking` overlooks failures, but no answer leaves
before its events have: the events of one turn of the event loop leave together, ahead of that turn's answers. `blocking-strict` fails a
request whose first event can't be stored.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

import orjson

from proa.apiserver.audit.policy import LEVELS, REQUEST
from proa.apiserver.audit.record import AuditFailed, Pending
from proa.lib.clock import Clock
from proa.lib.dataclass import dataclass

log = logging.getLogger(__name__)

BATCH, BLOCKING, STRICT = "batch", "blocking", "blocking-strict"
MODES = (BATCH, BLOCKING, STRICT)
TRUNCATED = "audit.k8s.io/truncated"


@dataclass(frozen=True, slots=True)
class BatchOptions:
    """Sizes in events, times in seconds; `throttle_qps` is batches per second."""

    buffer_size: int = 10_000
    max_size: int = 400
    max_wait: float = 30.0
    throttle: bool = True
    throttle_qps: float = 10.0
    throttle_burst: int = 15


@dataclass(frozen=True, slots=True)
class Truncation:
    """In bytes; off by default."""

    enabled: bool = False
    max_event_size: int = 100 * 1024
    max_batch_size: int = 10 * 1024 * 1024


class Target(Protocol):
    """Where encoded events go."""

    name: str
    immediate: bool
    """What is delivered has arrived when `deliver` returns."""

    def encode(self, event: dict[str, Any]) -> bytes: ...

    def deliver(self, events: Sequence[bytes]) -> Pending:
        """Raises OSError, at once or when awaited."""
        ...

    async def close(self) -> None: ...


class Backend:
    """One target in one mode. `failed` counts events that were lost."""

    def __init__(
        self, target: Target, mode: str, clock: Clock, failed: Callable[[str, int], None], options: BatchOptions, truncation: Truncation
    ) -> None:  # fmt: skip
        self._target, self._mode, self._failed, self._truncation = target, mode, failed, truncation
        self._buffer = Buffer(options, clock, self._deliver_batch) if mode == BATCH else None
        self._joined = mode == BLOCKING and target.immediate
        self._turn: list[bytes] = []

    def take(self, event: dict[str, Any]) -> Pending:
        """Raises AuditFailed in strict mode."""
        encoded = self._encode(event)
        if encoded is None:
            return None
        if self._buffer is not None:
            if not self._buffer.add(encoded):
                self._failed(self._target.name, 1)
            return None
        if self._joined:
            if not self._turn:
                asyncio.get_running_loop().call_soon(self._end_turn)
            self._turn.append(encoded)
            return None
        return self._deliver((encoded,))

    def _end_turn(self) -> None:
        events, self._turn = self._turn, []
        if events:
            self._deliver(events)

    def _deliver(self, events: Sequence[bytes]) -> Pending:
        """Raises AuditFailed in strict mode, at once or when awaited."""
        try:
            pending = self._target.deliver(events)
        except OSError as error:
            self._lost(error, len(events))
            return None
        return None if pending is None else self._finish(pending, len(events))

    async def _finish(self, pending: Awaitable[None], count: int) -> None:
        try:
            await pending
        except OSError as error:
            self._lost(error, count)

    def _lost(self, error: OSError, count: int) -> None:
        self._failed(self._target.name, count)
        log.error("audit backend %s: %d event(s) lost: %s", self._target.name, count, error)
        if self._mode == STRICT:
            raise AuditFailed(str(error))

    def _encode(self, event: dict[str, Any]) -> bytes | None:
        encoded = self._target.encode(event)
        limit = self._truncation.max_event_size
        if not self._truncation.enabled or len(encoded) <= limit:
            return encoded
        if LEVELS[event["level"]] >= REQUEST:
            encoded = self._target.encode(truncated(event))
        if len(encoded) <= limit:
            return encoded
        self._failed("truncate", 1)
        log.error("audit event %s is too large even after truncating", event["auditID"])
        return None

    async def _deliver_batch(self, events: Sequence[bytes]) -> None:
        limit = self._truncation.max_batch_size if self._truncation.enabled else 0
        for part in in_batches(events, limit):
            if (pending := self._deliver(part)) is not None:
                await pending

    def start(self) -> None:
        if self._buffer is not None:
            self._buffer.start()

    async def stop(self) -> None:
        """What is in the buffer is delivered first."""
        if self._buffer is not None:
            await self._buffer.stop()
        self._end_turn()
        await self._target.close()


def truncated(event: dict[str, Any]) -> dict[str, Any]:
    """Without the objects, and with a word about it."""
    kept = {key: value for key, value in event.items() if key not in ("requestObject", "responseObject")}
    return kept | {"annotations": {**event.get("annotations", {}), TRUNCATED: "true"}}


def in_batches(events: Sequence[bytes], limit: int) -> list[Sequence[bytes]]:
    """Split so that no part is larger than that; 0 is no limit."""
    if not limit:
        return [events]
    parts: list[Sequence[bytes]] = []
    part: list[bytes] = []
    size = 0
    for event in events:
        if part and size + len(event) > limit:
            parts.append(part)
            part, size = [], 0
        part.append(event)
        size += len(event)
    return [*parts, part] if part else parts


class Buffer:
    """Collects events until there are enough or the oldest has waited long enough."""

    def __init__(self, options: BatchOptions, clock: Clock, deliver: Callable[[Sequence[bytes]], Any]) -> None:
        self._options, self._clock, self._deliver = options, clock, deliver
        self._events: deque[bytes] = deque()
        self._filled, self._full = asyncio.Event(), asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._tokens, self._refilled = float(options.throttle_burst), clock.monotonic()

    def add(self, event: bytes) -> bool:
        """False if there is no room."""
        if len(self._events) >= self._options.buffer_size:
            return False
        self._events.append(event)
        self._filled.set()
        if len(self._events) >= self._options.max_size:
            self._full.set()
        return True

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run(), name="audit-batches")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        while self._events:
            await self._deliver(self._take())

    async def _run(self) -> None:
        while True:
            await self._filled.wait()
            if len(self._events) < self._options.max_size:
                await self._collect()
            await self._throttle()
            await self._deliver(self._take())

    async def _collect(self) -> None:
        """Until the batch is full or the time is over."""
        self._full.clear()
        timer = asyncio.ensure_future(self._clock.sleep(self._options.max_wait))
        full = asyncio.ensure_future(self._full.wait())
        try:
            await asyncio.wait((timer, full), return_when=asyncio.FIRST_COMPLETED)
        finally:
            timer.cancel()
            full.cancel()

    async def _throttle(self) -> None:
        options = self._options
        if not options.throttle:
            return
        now = self._clock.monotonic()
        self._tokens = min(float(options.throttle_burst), self._tokens + (now - self._refilled) * options.throttle_qps)
        self._refilled = now
        self._tokens -= 1
        if self._tokens < 0:
            await self._clock.sleep(-self._tokens / options.throttle_qps)

    def _take(self) -> list[bytes]:
        batch = [self._events.popleft() for _ in range(min(len(self._events), self._options.max_size))]
        if not self._events:
            self._filled.clear()
        return batch


def encode_json(event: dict[str, Any]) -> bytes:
    return orjson.dumps(event)
