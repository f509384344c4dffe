"""The DNS of one node: watches Services, EndpointSlices and Namespaces, keeps the index, and answers on the cluster DNS address.

It goes on answering with what it knows while the API server is away, and starts to answer only when it has seen everything once.
"""

import asyncio
from collections.abc import Callable

from proa.api.kinds import ENDPOINT_SLICES, NAMESPACES, SERVICES
from proa.api.meta import Object, name, namespace
from proa.client.informer import InformerFactory
from proa.client.interface import Client, Handlers
from proa.dns.forwarder import Forwarder
from proa.dns.records import Index, ServiceKey, service_of, service_records
from proa.dns.responder import Responder
from proa.dns.server import listen
from proa.lib.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class DnsConfiguration:
    """`upstream` are addresses of resolvers, reached from the network namespace behind `upstream_namespace` (an open descriptor)."""

    address: str
    upstream: tuple[str, ...]
    upstream_namespace: int
    zone: str = "cluster.local"
    port: int = 53


class Dns:
    """`await run()` serves until cancelled."""

    def __init__(self, client: Client, configuration: DnsConfiguration) -> None:
        self._configuration = configuration
        self._index = Index(configuration.zone)
        self._responder = Responder(self._index, Forwarder(configuration.upstream, configuration.upstream_namespace))
        self._informers = InformerFactory(client)
        self._services = self._informers.informer(SERVICES)
        self._slices = self._informers.informer(ENDPOINT_SLICES, indexers={"service": _slice_index})
        self._namespaces = self._informers.informer(NAMESPACES)
        self._services.add_handlers(_each(self._service_changed))
        self._slices.add_handlers(_each(self._slice_changed))
        self._namespaces.add_handlers(Handlers(self._namespace_added, lambda _, __: None, self._namespace_deleted))

    async def run(self) -> None:
        await self._informers.start()
        await self._informers.wait_synced()
        transport, server = await listen(self._responder, self._configuration.address, self._configuration.port)
        try:
            await asyncio.Event().wait()
        finally:
            transport.close()
            server.close()
            await self._informers.stop()

    def _service_changed(self, service: Object) -> None:
        self._refresh((namespace(service), name(service)))

    def _slice_changed(self, endpoint_slice: Object) -> None:
        if key := service_of(endpoint_slice):
            self._refresh(key)

    def _refresh(self, key: ServiceKey) -> None:
        service = self._services.lister.get("/".join(key))
        slices = self._slices.lister.by_index("service", "/".join(key))
        if self._index.put(key, service_records(service, slices, self._index.zone) if service else ()):
            self._responder.forget()

    def _namespace_added(self, added: Object) -> None:
        self._index.namespaces.add(name(added))
        self._responder.forget()

    def _namespace_deleted(self, deleted: Object) -> None:
        self._index.namespaces.discard(name(deleted))
        self._responder.forget()


def _slice_index(endpoint_slice: Object) -> list[str]:
    key = service_of(endpoint_slice)
    return ["/".join(key)] if key else []


def _each(handle: Callable[[Object], None]) -> Handlers:
    return Handlers(handle, lambda _, new: handle(new), handle)
