"""Shared, indexed caches of API objects that call handlers on change; one reflector per resource and selector in a process.

Handlers see every object once as `add` before any of its updates, in order, also those that are registered late. `transform` runs before
an object is cached: drop there what nobody reads, since a decoded Pod costs five times its JSON.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence

from proa.api import meta
from proa.api.meta import Object
from proa.api.resource import ResourceId
from proa.client.interface import Client, Handlers, IndexFunction, WatchEvent
from proa.client.lister import IndexedCache
from proa.client.reflector import Reflector
from proa.lib.clock import Clock
from proa.lib.tasks import TaskSet

_log = logging.getLogger(__name__)

Transform = Callable[[Object], Object]


def without_managed_fields(obj: Object) -> Object:
    """The default transform: nobody reads managedFields from a cache, and a server keeps them when an update leaves them out."""
    obj.get("metadata", {}).pop("managedFields", None)
    return obj


class Informer:
    """`lister` is what is known now; `run()` keeps it so until cancelled."""

    def __init__(
        self,
        client: Client,
        resource: ResourceId,
        *,
        namespace: str = "",
        label_selector: str = "",
        field_selector: str = "",
        indexers: Mapping[str, IndexFunction] | None = None,
        transform: Transform = without_managed_fields,
        metadata_only: bool = False,
        clock: Clock | None = None,
    ) -> None:
        self.resource = resource
        self.lister = IndexedCache(indexers)
        self._transform = transform
        self._handlers: list[Handlers] = []
        self._synced = asyncio.Event()
        self._reflector = Reflector(
            client,
            resource,
            self,
            namespace=namespace,
            label_selector=label_selector,
            field_selector=field_selector,
            metadata_only=metadata_only,
            clock=clock,
        )

    @property
    def has_synced(self) -> bool:
        return self._synced.is_set()

    async def wait_synced(self) -> None:
        await self._synced.wait()

    def add_handlers(self, handlers: Handlers) -> None:
        """Register; what is cached already arrives as `add` at once."""
        self._handlers.append(handlers)
        for obj in self.lister.list():
            _call(handlers.add, obj)

    def add_indexers(self, indexers: Mapping[str, IndexFunction]) -> None:
        self.lister.add_indexers(indexers)

    async def run(self) -> None:
        await self._reflector.run()

    def replace(self, items: Sequence[Object]) -> None:
        gone = set(self.lister.keys()) - {meta.key(obj) for obj in items}
        for key in sorted(gone):
            self._removed(self.lister.remove(key))
        for obj in items:
            self._put(obj)
        self._synced.set()

    def apply(self, event: WatchEvent) -> None:
        if event.type == "DELETED":
            self.lister.remove(meta.key(event.object))
            self._removed(self._transform(event.object))
        else:
            self._put(event.object)

    def _put(self, obj: Object) -> None:
        known = self.lister.get(meta.key(obj))
        if known is not None and meta.resource_version(known) == meta.resource_version(obj):
            return
        new = self._transform(obj)
        old = self.lister.put(new)
        if old is not None and meta.uid(old) != meta.uid(new):
            self._removed(old)
            old = None
        for handlers in self._handlers:
            if old is None:
                _call(handlers.add, new)
            else:
                _call(handlers.update, old, new)

    def _removed(self, obj: Object | None) -> None:
        if obj is not None:
            for handlers in self._handlers:
                _call(handlers.delete, obj)


def _call(handler: Callable[..., None], *arguments: Object) -> None:
    """A broken handler must not stop the others, nor the cache."""
    try:
        handler(*arguments)
    except Exception:
        _log.exception("informer handler failed for %s", meta.key(arguments[-1]))


_Key = tuple[ResourceId, str, str, str, bool]


class InformerFactory:
    """Hands out one shared informer per resource and selection. `transforms` states per resource what is worth caching."""

    def __init__(self, client: Client, *, transforms: Mapping[ResourceId, Transform] | None = None, clock: Clock | None = None) -> None:
        self._client, self._clock = client, clock
        self._transforms = transforms or {}
        self._informers: dict[_Key, Informer] = {}
        self._running: set[_Key] = set()
        self._tasks = TaskSet()

    def informer(
        self,
        resource: ResourceId,
        *,
        namespace: str = "",
        label_selector: str = "",
        field_selector: str = "",
        indexers: Mapping[str, IndexFunction] | None = None,
        metadata_only: bool = False,
    ) -> Informer:
        key = (resource, namespace, label_selector, field_selector, metadata_only)
        if key not in self._informers:
            self._informers[key] = Informer(
                self._client,
                resource,
                namespace=namespace,
                label_selector=label_selector,
                field_selector=field_selector,
                transform=self._transforms.get(resource, without_managed_fields),
                metadata_only=metadata_only,
                clock=self._clock,
            )
        self._informers[key].add_indexers(indexers or {})
        return self._informers[key]

    async def start(self) -> None:
        """Start what was asked for so far and is not running; returns at once (see `wait_synced`)."""
        for key, informer in self._informers.items():
            if key not in self._running:
                self._running.add(key)
                self._tasks.spawn(informer.run(), f"informer {informer.resource.group_resource}")

    async def wait_synced(self) -> None:
        for informer in list(self._informers.values()):
            await informer.wait_synced()

    async def stop(self) -> None:
        await self._tasks.cancel()
        self._running.clear()
