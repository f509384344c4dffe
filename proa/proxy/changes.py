"""Which Services must be looked at again: each event of a Service or of one of its EndpointSlices only leaves a name here.

So a thousand events about one Service cost one rebuild, and the order of events does not matter.
"""

import asyncio

from proa.api import meta
from proa.api.meta import Object
from proa.client.interface import Handlers
from proa.proxy.model import service_of
from proa.proxy.rules import ServiceKey


class Changes:
    """The names that came up since the last `take`."""

    def __init__(self) -> None:
        self._keys: set[ServiceKey] = set()
        self._some = asyncio.Event()

    def service_handlers(self) -> Handlers:
        def changed(service: Object) -> None:
            self.add(meta.key(service))

        return Handlers(add=changed, update=lambda old, new: changed(new), delete=changed)

    def slice_handlers(self) -> Handlers:
        def changed(endpoint_slice: Object) -> None:
            self.add(service_of(endpoint_slice))

        def updated(old: Object, new: Object) -> None:
            changed(old)
            changed(new)

        return Handlers(add=changed, update=updated, delete=changed)

    def add(self, key: ServiceKey) -> None:
        self._keys.add(key)
        self._some.set()

    def take(self) -> set[ServiceKey]:
        keys, self._keys = self._keys, set()
        self._some.clear()
        return keys

    async def wait(self) -> None:
        """Return once there is something to take."""
        await self._some.wait()
