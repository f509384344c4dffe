"""Deletes every instance of a custom resource, as a client would, so that finalizers and watchers get their due; waits for the last."""

import asyncio

from proa.api.errors import NotFound
from proa.api.resource import ResourceId
from proa.apiserver.interface import ObjectWriter
from proa.lib.clock import Clock
from proa.storage.interface import Collection

ROUND_SECONDS = 5.0
"""An instance may be held by a finalizer for long; what came since is deleted in the next round."""


async def drain(collection: Collection, resource: ResourceId, writer: ObjectWriter, clock: Clock) -> None:
    """Returns when there is no instance left. Raises ApiError."""
    changed = asyncio.Event()
    collection.observe(lambda event: changed.set())
    while keys := [entry.key for entry in collection.current()]:
        changed.clear()
        for namespace in sorted({key.rpartition("/")[0] for key in keys}):
            try:
                await writer.request("DELETE", resource.path(namespace))
            except NotFound:
                continue
        if any(True for _ in collection.current()):
            await _either(changed, clock)


async def _either(changed: asyncio.Event, clock: Clock) -> None:
    """A change, or a while."""
    waits = [asyncio.create_task(changed.wait()), asyncio.create_task(_sleep(clock))]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()


async def _sleep(clock: Clock) -> None:
    await clock.sleep(ROUND_SECONDS)
