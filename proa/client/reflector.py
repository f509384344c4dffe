"""Keeps a sink equal to what the API holds: list once, then watch, resuming from the last version whenever the connection breaks.

Only `Expired` (410) makes it list again, so a restarted API server costs its clients a new watch and not a new list. Failures back off
from 0.05 s to 30 s with jitter, but only to 1 s while nobody listens: asking then costs no server anything, and whoever waited longer would
sleep on after the server is back. A watch that brought something resets the back-off.
"""

import logging
import random
from collections.abc import Sequence
from typing import Protocol

from proa.api.errors import ApiError, Expired
from proa.api.meta import Object, resource_version
from proa.api.resource import ResourceId
from proa.client.interface import Client, ObjectList, WatchEvent
from proa.lib.backoff import Backoff
from proa.lib.clock import Clock, SystemClock

_log = logging.getLogger(__name__)

WATCH_SECONDS = (300, 600)
PAGE_SIZE = 2000
_NOBODY_LISTENS = (ConnectionRefusedError, FileNotFoundError)


class Sink(Protocol):
    """What a reflector fills."""

    def replace(self, items: Sequence[Object]) -> None:
        """These are all objects now."""
        ...

    def apply(self, event: WatchEvent) -> None:
        """ADDED, MODIFIED or DELETED."""
        ...


class Reflector:
    """`run()` never returns; cancel it to stop."""

    def __init__(
        self,
        client: Client,
        resource: ResourceId,
        sink: Sink,
        *,
        namespace: str = "",
        label_selector: str = "",
        field_selector: str = "",
        metadata_only: bool = False,
        clock: Clock | None = None,
    ) -> None:
        self._client, self._resource, self._sink = client, resource, sink
        self._namespace, self._label_selector, self._field_selector = namespace, label_selector, field_selector
        self._metadata_only = metadata_only
        self._clock = clock or SystemClock()
        self._backoff = Backoff(0.05, 30.0, jitter=1.0)
        self._until_started = Backoff(0.05, 1.0, jitter=1.0)
        self._version = ""
        self._list_from = "0"
        self._failing = False

    async def run(self) -> None:
        while True:
            backoff = self._backoff
            try:
                if not self._version:
                    await self._list()
                received = await self._watch()
            except Expired as error:
                _log.debug("%s: %s; listing again", self._resource.group_resource, error.message)
                self._version, self._list_from, received = "", "", False
            except (ApiError, OSError) as error:
                self._tell(error)
                if isinstance(error, ApiError) and error.status_code == 404 and not self._version:
                    self._sink.replace([])  # the kind isn't served, so there is none of it
                received = False
                backoff = self._until_started if isinstance(error, _NOBODY_LISTENS) else backoff
            if not received:
                await self._clock.sleep(backoff.next())

    def _tell(self, error: Exception) -> None:
        """Once per outage."""
        level = logging.DEBUG if self._failing else logging.INFO
        self._failing = True
        _log.log(level, "%s: %s: %s", self._resource.group_resource, type(error).__name__, error)

    async def _list(self) -> None:
        items: list[Object] = []
        page = await self._list_page("")
        items += page.items
        while page.continue_token:
            page = await self._list_page(page.continue_token)
            items += page.items
        self._sink.replace(items)
        self._version = page.resource_version

    async def _list_page(self, continue_token: str) -> ObjectList:
        return await self._client.list(
            self._resource,
            self._namespace,
            label_selector=self._label_selector,
            field_selector=self._field_selector,
            resource_version="" if continue_token else self._list_from,
            limit=PAGE_SIZE,
            continue_token=continue_token,
            metadata_only=self._metadata_only,
        )

    async def _watch(self) -> bool:
        """Until the server ends the watch; whether anything arrived."""
        received = False
        seconds = random.randint(*WATCH_SECONDS)
        events = self._client.watch(
            self._resource,
            self._namespace,
            resource_version=self._version,
            label_selector=self._label_selector,
            field_selector=self._field_selector,
            timeout_seconds=seconds,
            metadata_only=self._metadata_only,
        )
        async for event in events:
            if not received:
                received, self._failing = True, False
                self._backoff.reset()
                self._until_started.reset()
            if event.type != "BOOKMARK":
                self._sink.apply(event)
            self._version = resource_version(event.object)
        return received
