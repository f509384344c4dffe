"""What the server does by itself while it runs: forgets history older than the compaction interval, and Events an hour after a write.

The age of an Event is counted from when this server first saw its present version: no clock of any client counts, and after a restart
Events live a little longer instead of vanishing at once.
"""

import asyncio
import logging
from collections.abc import Iterable

from proa.api.meta import Object
from proa.lib.clock import Clock
from proa.storage.interface import Collection, Compacted, Entry, FutureRevision, Unavailable
from proa.storage.store import Store

log = logging.getLogger(__name__)

EVENT_LIFETIME = 3600.0
SWEEP_INTERVAL = 60.0
BATCH = 100


async def compact_forever(store: Store, clock: Clock, interval: float) -> None:
    """Every `interval` seconds forget what was already old at the round before, so watches of up to that age can resume."""
    previous = store.revision
    while True:
        await clock.sleep(interval)
        current = store.revision
        try:
            await store.compact(previous)
        except (Compacted, FutureRevision):
            log.debug("revision %d needs no compaction", previous)
        except Unavailable as error:
            log.warning("compaction of revision %d failed: %s", previous, error)
        previous = current


class Ages:
    """Since when each key is at the revision that it has."""

    def __init__(self) -> None:
        self._since: dict[str, tuple[int, float]] = {}

    def expired(self, entries: Iterable[Entry], now: float, lifetime: float) -> list[str]:
        """The keys that have not changed for `lifetime` seconds; what is gone is forgotten."""
        seen: dict[str, tuple[int, float]] = {}
        for entry in entries:
            known = self._since.get(entry.key)
            seen[entry.key] = known if known is not None and known[0] == entry.revision else (entry.revision, now)
        self._since = seen
        return [key for key, (_, since) in seen.items() if now - since >= lifetime]


async def expire_events_forever(events: Collection, clock: Clock, lifetime: float = EVENT_LIFETIME) -> None:
    """Delete what has expired, a few at a time."""
    ages = Ages()
    while True:
        await clock.sleep(SWEEP_INTERVAL)
        for number, key in enumerate(ages.expired(events.current(), clock.monotonic(), lifetime)):
            await _delete(events, key)
            if number % BATCH == BATCH - 1:
                await asyncio.sleep(0)


async def _delete(events: Collection, key: str) -> None:
    async def accept(event: Object) -> None:
        return None

    try:
        await events.delete(key, accept)
    except KeyError:
        return
    except Unavailable as error:
        log.warning("event %s could not be expired: %s", key, error)
