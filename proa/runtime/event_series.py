"""Decides what becomes of an event: written, counted onto an earlier one, combined with similar ones, or dropped as spam.

Upstream's correlation, as plain state: the same event again within ten minutes of its kin raises `count`; more than ten events of one
object that differ only in their message share one "(combined from similar events)"; one source may say 25 things about one object at
once and then one in five minutes.
"""

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import field
from typing import Generic, TypeVar

from proa.api.meta import Object
from proa.lib.dataclass import dataclass

MAX_SIMILAR = 10
SIMILAR_SECONDS = 600.0
SPAM_BURST = 25
SPAM_REFILL_SECONDS = 300.0
CACHE_SIZE = 4096

Value = TypeVar("Value")


class _Recent(OrderedDict[Hashable, Value], Generic[Value]):
    """The most recently used entries."""

    def touch(self, key: Hashable, value: Value) -> Value:
        self[key] = value
        self.move_to_end(key)
        if len(self) > CACHE_SIZE:
            self.popitem(last=False)
        return value


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


@dataclass(slots=True)
class _Similar:
    messages: set[str] = field(default_factory=set)
    at: float = 0.0


@dataclass(slots=True)
class Written:
    """An Event that the API holds: its name, first timestamp and how often it happened."""

    name: str
    count: int
    first_timestamp: str


@dataclass(frozen=True, slots=True)
class Correlated:
    """Write `event`; if `previous` is there, patch that one instead."""

    event: Object
    key: Hashable
    previous: Written | None


class EventSeries:
    def __init__(self) -> None:
        self._buckets: _Recent[_Bucket] = _Recent()
        self._similar: _Recent[_Similar] = _Recent()
        self._written: _Recent[Written] = _Recent()

    def correlate(self, event: Object, now: float) -> Correlated | None:
        """What to write for an event at monotonic time `now`; None if its source talks too much."""
        event, key = self._aggregate(event, now)
        if self._is_spam(event, now):
            return None
        return Correlated(event, key, self._written.get(key))

    def remember(self, key: Hashable, written: Written) -> None:
        self._written.touch(key, written)

    def _aggregate(self, event: Object, now: float) -> tuple[Object, Hashable]:
        kin = (*_about(event), event["type"], event["reason"], event["reportingComponent"])
        similar = self._similar.get(kin)
        if similar is None or now - similar.at > SIMILAR_SECONDS:
            similar = _Similar()
        similar.at = now
        if len(similar.messages) <= MAX_SIMILAR:
            similar.messages.add(event["message"])
        self._similar.touch(kin, similar)
        if len(similar.messages) <= MAX_SIMILAR:
            return event, (*kin, event["message"])
        return event | {"message": f"(combined from similar events): {event['message']}"}, kin

    def _is_spam(self, event: Object, now: float) -> bool:
        source = (*_about(event), event["reportingComponent"])
        bucket = self._buckets.get(source) or _Bucket(SPAM_BURST, now)
        bucket.tokens = min(SPAM_BURST, bucket.tokens + (now - bucket.at) / SPAM_REFILL_SECONDS)
        bucket.at = now
        self._buckets.touch(source, bucket)
        if bucket.tokens < 1:
            return True
        bucket.tokens -= 1
        return False


def _about(event: Object) -> tuple[str, ...]:
    involved = event["involvedObject"]
    return tuple(str(involved.get(each, "")) for each in ("kind", "namespace", "name", "uid", "apiVersion", "fieldPath"))
