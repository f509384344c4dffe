"""Says what happened to an object, as core/v1 Events that `kubectl describe` shows.

Recording never blocks nor fails the caller: events wait in a bounded queue, one writer per recorder sends them, and what the API refuses
is dropped with a log line. An unreachable API is tried 12 times, as upstream does, the second time at once.
"""

import logging
from collections import deque
from typing import Any, Protocol

from proa.api import meta
from proa.api.errors import ApiError, NotFound
from proa.api.kinds import EVENTS
from proa.api.meta import Object
from proa.client.interface import MERGE_PATCH, Client
from proa.lib.backoff import Backoff
from proa.lib.clock import Clock, SystemClock, format_time
from proa.lib.tasks import TaskSet
from proa.runtime.event_series import Correlated, EventSeries, Written

_log = logging.getLogger(__name__)

QUEUE_LIMIT = 1000
TRIES = 12
RETRY_SECONDS = (0.1, 10.0)


class Recorder(Protocol):
    """What components take, so that tests may give a list."""

    def event(self, obj: Object, type_: str, reason: str, message: str, *, field_path: str = "") -> None: ...


class EventRecorder:
    """`type_` is Normal or Warning; `obj` carries apiVersion and kind; `field_path` names a container (`spec.containers{web}`)."""

    def __init__(self, client: Client, component: str, clock: Clock | None = None, *, host: str = "") -> None:
        self._client, self._component, self._host = client, component, host
        self._clock: Clock = clock or SystemClock()
        self._series = EventSeries()
        self._waiting: deque[Object] = deque()
        self._tasks = TaskSet()
        self._last_stamp = 0

    def event(self, obj: Object, type_: str, reason: str, message: str, *, field_path: str = "") -> None:
        if len(self._waiting) >= QUEUE_LIMIT:
            _log.warning("too many events, dropped: %s %s %s", meta.key(obj), reason, message)
            return
        self._waiting.append(self._event(obj, type_, reason, message, field_path))
        if not len(self._tasks):
            self._tasks.spawn(self._write_all(), f"events of {self._component}")

    async def flush(self) -> None:
        """Return when everything recorded so far is written or dropped."""
        await self._tasks.wait()

    async def close(self) -> None:
        await self._tasks.cancel()

    def _event(self, obj: Object, type_: str, reason: str, message: str, field_path: str) -> Object:
        now = format_time(self._clock.now())
        involved = {
            "kind": obj.get("kind", ""),
            "namespace": meta.namespace(obj),
            "name": meta.name(obj),
            "uid": meta.uid(obj),
            "apiVersion": obj.get("apiVersion", ""),
            "resourceVersion": meta.resource_version(obj),
            "fieldPath": field_path,
        }
        source = {"component": self._component} | ({"host": self._host} if self._host else {})
        return {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": self._unique_name(obj), "namespace": meta.namespace(obj) or "default"},
            "involvedObject": {key: value for key, value in involved.items() if value},
            "type": type_,
            "reason": reason,
            "message": message[:1024],
            "source": source,
            "firstTimestamp": now,
            "lastTimestamp": now,
            "eventTime": None,
            "count": 1,
            "reportingComponent": self._component,
            "reportingInstance": self._host,
        }

    def _unique_name(self, obj: Object) -> str:
        self._last_stamp = max(self._last_stamp + 1, int(self._clock.now().timestamp() * 1_000_000_000))
        return f"{meta.name(obj)}.{self._last_stamp:x}"

    async def _write_all(self) -> None:
        while self._waiting:
            event = self._waiting.popleft()
            correlated = self._series.correlate(event, self._clock.monotonic())
            if correlated is not None:
                await self._write_with_retry(correlated)

    async def _write_with_retry(self, correlated: Correlated) -> None:
        backoff = Backoff(*RETRY_SECONDS, factor=10)
        for _ in range(TRIES):
            try:
                await self._write(correlated)
                return
            except ApiError as error:
                if error.status_code < 500 and error.status_code != 429:
                    _log.info("event refused: %s", error)
                    return
                failure: Exception = error
            except OSError as error:
                failure = error
            _log.debug("event not written: %s", failure)
            await self._clock.sleep(backoff.next())

    async def _write(self, correlated: Correlated) -> None:
        event, previous = correlated.event, correlated.previous
        if previous is None or not await self._count(event, previous, correlated):
            await self._client.create(EVENTS, event)
            written = Written(event["metadata"]["name"], 1, event["firstTimestamp"])
            self._series.remember(correlated.key, written)

    async def _count(self, event: Object, previous: Written, correlated: Correlated) -> bool:
        """Raise the count of the event that is there; False if it is gone."""
        count = previous.count + 1
        patch: dict[str, Any] = {"count": count, "lastTimestamp": event["lastTimestamp"], "message": event["message"]}
        try:
            await self._client.patch(EVENTS, previous.name, patch, event["metadata"]["namespace"], patch_type=MERGE_PATCH)
        except NotFound:
            return False
        self._series.remember(correlated.key, Written(previous.name, count, previous.first_timestamp))
        return True
