"""Keeps IPAddress objects that users make and those of Services apart: an address that a Service is being given is taken already, and one
that a user's write is about to claim is given to no Service. The write hook of `ipaddresses`.
"""

from collections.abc import Callable, Coroutine
from typing import Any

from proa.api import meta
from proa.api.errors import AlreadyExists
from proa.api.meta import Object
from proa.apiserver.allocators.service_ip import ServiceIPs
from proa.storage.interface import Entry

WRITER = ""
"""The holder of promises to writes of IPAddress objects; no Service has such a key."""


class IpAddressHook:
    def __init__(self, addresses: ServiceIPs) -> None:
        self._reservations = addresses.reservations

    def begin_create(self, obj: Object) -> Callable[[], None]:
        name = meta.name(obj)
        if self._reservations.is_promised(name):
            raise AlreadyExists.of("networking.k8s.io", "ipaddresses", name)
        return self._reservations.promise(name, WRITER)

    def begin_update(self, obj: Object, old: Object) -> Callable[[], None]:
        return lambda: None

    async def create(self, obj: Object, write: Coroutine[Any, Any, Entry]) -> Entry:
        try:
            return await write
        finally:
            self._reservations.break_promise(meta.name(obj), WRITER)

    async def after_update(self, obj: Object) -> None:
        return None

    async def after_delete(self, obj: Object) -> None:
        return None
