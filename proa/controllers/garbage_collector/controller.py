"""The garbage collector: watches the metadata of every deletable resource, and starts collecting once it has seen all of them.

New kinds are noticed when a CRD or APIService changes, and by a look at discovery every five minutes.
"""

import asyncio
import logging
from collections.abc import Sequence

from proa.api import meta
from proa.api.errors import ApiError
from proa.api.kinds import API_SERVICES, CUSTOM_RESOURCE_DEFINITIONS
from proa.api.meta import Object
from proa.api.resource import ResourceId
from proa.client.discovery import discover
from proa.client.interface import Client, WatchEvent
from proa.client.reflector import Reflector
from proa.controllers.context import ControllerContext
from proa.controllers.garbage_collector.collector import Collector
from proa.lib.clock import Clock
from proa.lib.tasks import TaskSet, cancel_and_wait
from proa.runtime.controller import Controller

_log = logging.getLogger(__name__)

REDISCOVER_SECONDS = 300.0
INITIAL_SYNC_SECONDS = 30.0
SETTLE_SECONDS = 1.0
WORKERS = 20
_IGNORED = {("", "events"), ("events.k8s.io", "events")}
_NEWS_OF_KINDS = {(each.group, each.plural) for each in (CUSTOM_RESOURCE_DEFINITIONS, API_SERVICES)}


def build(context: ControllerContext) -> "GarbageCollector":
    return GarbageCollector(context)


class _Monitor:
    """The sink of one resource's reflector."""

    def __init__(self, resource: ResourceId, collector: Collector, news: asyncio.Event) -> None:
        self._resource, self._collector, self._news = resource, collector, news
        self._tells_kinds = (resource.group, resource.plural) in _NEWS_OF_KINDS
        self.synced = asyncio.Event()

    def replace(self, items: Sequence[Object]) -> None:
        present = {meta.uid(obj) for obj in items}
        for uid in self._collector.graph.of_resource(self._resource):
            if uid not in present:
                self._collector.enqueue(self._collector.graph.remove(uid))
        for obj in items:
            self._collector.enqueue(self._collector.graph.observe(self._resource, obj))
        self.synced.set()

    def apply(self, event: WatchEvent) -> None:
        graph = self._collector.graph
        gone = event.type == "DELETED"
        self._collector.enqueue(graph.remove(meta.uid(event.object)) if gone else graph.observe(self._resource, event.object))
        if self._tells_kinds:
            self._news.set()


class GarbageCollector:
    """`run()` works until cancelled."""

    def __init__(self, context: ControllerContext) -> None:
        self._client: Client = context.client
        self._clock: Clock = context.clock
        self._collector = Collector(context.client, context.recorder, context.clock)
        self._controller: Controller = context.controller(self._collector, self._collector.queue, WORKERS)
        self._monitors: dict[ResourceId, tuple[_Monitor, asyncio.Task[None]]] = {}
        self._tasks = TaskSet()
        self._news, self._discovered = asyncio.Event(), asyncio.Event()

    async def run(self) -> None:
        try:
            self._tasks.spawn(self._follow_discovery(), "garbage collector discovery")
            await self._discovered.wait()
            await self._until_synced()
            await self._controller.run()
        finally:
            await self._tasks.cancel()

    async def _until_synced(self) -> None:
        """A kind whose extension server is down must not keep all others from being collected."""
        synced = asyncio.ensure_future(self._all_synced())
        late = asyncio.ensure_future(self._clock.sleep(INITIAL_SYNC_SECONDS))
        try:
            await asyncio.wait({synced, late}, return_when=asyncio.FIRST_COMPLETED)
            if not synced.done():
                _log.warning("not all kinds could be read; those that could are collected")
        finally:
            await cancel_and_wait(synced, late)

    async def _all_synced(self) -> None:
        for monitor, _ in list(self._monitors.values()):
            await monitor.synced.wait()

    async def _follow_discovery(self) -> None:
        while True:
            try:
                await self._discover()
            except (ApiError, OSError) as error:
                _log.info("discovery failed: %s", error)
                await self._clock.sleep(SETTLE_SECONDS)
                continue
            self._discovered.set()
            await self._until_news()

    async def _until_news(self) -> None:
        """A new kind is served a moment after its definition changed."""
        news = asyncio.ensure_future(self._news.wait())
        period = asyncio.ensure_future(self._clock.sleep(REDISCOVER_SECONDS))
        try:
            await asyncio.wait({news, period}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await cancel_and_wait(news, period)
        self._news.clear()
        await self._clock.sleep(SETTLE_SECONDS)

    async def _discover(self) -> None:
        discovered = await discover(self._client)
        self._collector.kinds.learn(list(discovered.resources))
        watched = {each for each in discovered.with_verbs("list", "watch", "delete") if (each.group, each.plural) not in _IGNORED}
        if not discovered.failures:
            for resource in set(self._monitors) - watched:
                self._stop(resource)
        for resource in watched - set(self._monitors):
            self._start(resource)

    def _start(self, resource: ResourceId) -> None:
        monitor = _Monitor(resource, self._collector, self._news)
        reflector = Reflector(self._client, resource, monitor, metadata_only=True, clock=self._clock)
        task = self._tasks.spawn(reflector.run(), f"garbage collector {resource.group_resource}")
        self._monitors[resource] = (monitor, task)

    def _stop(self, resource: ResourceId) -> None:
        """Its kind is no longer served, so none of its objects exist."""
        _, task = self._monitors.pop(resource)
        task.cancel()
        for uid in self._collector.graph.of_resource(resource):
            self._collector.enqueue(self._collector.graph.remove(uid))
