"""What the server does by itself while it runs: forgets history that is older than the compaction interval."""

import logging

from proa.lib.clock import Clock
from proa.storage.interface import Compacted, FutureRevision, Unavailable
from proa.storage.store import Store

log = logging.getLogger(__name__)


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
