"""Gives Services their addresses and ports around a write, and takes them back: the write hook of `services`. What an update keeps and what
a change of type gives up is the strategy's business, and done by now.

The index is kept by observing the stored Services, so it is right after a restart and whoever wrote them. Nothing is kept for a dry run:
its undo is called like that of a failed write. The IPAddress objects of a new Service are written beside it, in the same commit.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from proa.api import meta
from proa.api.errors import Cause, InternalError, Invalid, invalid
from proa.api.meta import Object
from proa.apiserver.allocators import service_fields as fields
from proa.apiserver.allocators.address_range import AllocationError, family_of
from proa.apiserver.allocators.claims import Claims
from proa.apiserver.allocators.node_port import NodePorts
from proa.apiserver.allocators.service_ip import ServiceIPs
from proa.apiserver.allocators.service_ranges import ServiceRanges
from proa.apiserver.config import ApiServerConfig
from proa.apiserver.interface import ObjectReader
from proa.storage.interface import Entry

Undo = Callable[[], None]


class Transaction:
    """The allocations of one write, to be undone together."""

    def __init__(self) -> None:
        self._undos: list[Undo] = []

    def add(self, undo: Undo) -> None:
        self._undos.append(undo)

    def undo(self) -> None:
        for undo in reversed(self._undos):
            undo()
        self._undos.clear()


class ServiceAllocator:
    def __init__(self, config: ApiServerConfig, reader: ObjectReader, now: Callable[[], str]) -> None:
        self.addresses = ServiceIPs(ServiceRanges(config.service_cidrs, reader), Claims(reader, now))
        self.ports = NodePorts(*config.node_port_range)
        reader.observe("", "services", self.observe)

    def observe(self, event: str, service: Object) -> None:
        if event == "DELETED":
            self._forget(service)
            return
        self.addresses.reservations.record(meta.key(service), fields.cluster_ips(service))
        self.ports.reservations.record(meta.key(service), fields.node_ports(service))

    def _forget(self, service: Object) -> None:
        self.addresses.reservations.record(meta.key(service), ())
        self.ports.reservations.record(meta.key(service), ())

    async def create(self, obj: Object, write: Coroutine[Any, Any, Entry]) -> Entry:
        """Claims first: if the machine dies between the two, an address is taken for a minute and never given twice."""
        claims, key, addresses = self.addresses.claims, meta.key(obj), fields.cluster_ips(obj)
        if not addresses or claims.collection is None:
            return await write
        claiming = asyncio.create_task(claims.write(key, addresses))
        try:
            entry = await write
        except BaseException:
            await claims.withdraw(key, await claiming)
            raise
        await claiming
        if meta.key(obj) != key:  # a generated name was taken, and another one made
            await claims.withdraw(key, addresses)
            await claims.write(meta.key(obj), addresses)
        return entry

    async def after_update(self, obj: Object) -> None:
        claims, key = self.addresses.claims, meta.key(obj)
        wanted, present = set(fields.cluster_ips(obj)), claims.of_service(key)
        if wanted != present:
            await claims.withdraw(key, present - wanted)
            await claims.write(key, wanted - present)

    async def after_delete(self, obj: Object) -> None:
        self._forget(obj)
        key = meta.key(obj)
        await self.addresses.claims.withdraw(key, self.addresses.claims.of_service(key))

    def begin_create(self, obj: Object) -> Undo:
        fields.normalize_cluster_ips(obj, None)
        return self._begin(obj, None)

    def begin_update(self, obj: Object, old: Object) -> Undo:
        fields.normalize_cluster_ips(obj, old)
        return self._begin(obj, old)

    def _begin(self, service: Object, old: Object | None) -> Undo:
        causes = fields.default_ip_families(service, old, self.addresses.ranges.families)
        if causes:
            raise _invalid(service, causes)
        transaction = Transaction()
        try:
            self._cluster_ips(service, transaction)
            self._node_ports(service, transaction)
            self._health_check_node_port(service, transaction)
        except BaseException:
            transaction.undo()
            raise
        return transaction.undo

    def _cluster_ips(self, service: Object, transaction: Transaction) -> None:
        if not fields.needs_cluster_ip(service) or fields.is_headless(service):
            return
        spec, key = service["spec"], meta.key(service)
        wanted = fields.cluster_ips(service)
        for address in wanted:
            if self.addresses.reservations.is_held_by(address, key):
                continue
            try:
                transaction.add(self.addresses.allocate(address, key))
            except AllocationError as error:
                cause = invalid("spec.clusterIPs", wanted, f"failed to allocate IP {address}: {error}")
                raise _invalid(service, [cause]) from None
        families = {family_of(address) for address in wanted}
        for family in spec["ipFamilies"]:
            if family not in families:
                wanted.append(self._next_address(key, family, transaction))
        spec["clusterIPs"], spec["clusterIP"] = wanted, wanted[0]

    def _next_address(self, key: str, family: str, transaction: Transaction) -> str:
        try:
            address, undo = self.addresses.allocate_next(key, family)
        except AllocationError as error:
            raise InternalError.of(f"failed to allocate a serviceIP: {error}") from None
        transaction.add(undo)
        return address

    def _node_ports(self, service: Object, transaction: Transaction) -> None:
        if not fields.needs_node_port(service):
            return
        given: dict[int, int] = {}
        own: set[int] = set()
        self._requested_ports(service, transaction, given, own)
        for port in fields.ports(service):
            if port.get("nodePort") or not fields.allocates_node_ports(service):
                continue
            # One number serves both protocols of a port, as for DNS.
            shared = given.get(port["port"])
            if shared is None:
                shared = given[port["port"]] = self._next_port(meta.key(service), transaction)
            port["nodePort"] = shared

    def _requested_ports(self, service: Object, transaction: Transaction, given: dict[int, int], own: set[int]) -> None:
        key = meta.key(service)
        for index, port in enumerate(fields.ports(service)):
            number = port.get("nodePort")
            if not number:
                continue
            if number not in own and not self.ports.reservations.is_held_by(number, key):
                try:
                    transaction.add(self.ports.allocate(number, key))
                except AllocationError as error:
                    raise _invalid(service, [invalid(f"spec.ports[{index}].nodePort", number, str(error))]) from None
            own.add(number)
            given.setdefault(port["port"], number)

    def _next_port(self, key: str, transaction: Transaction) -> int:
        try:
            port, undo = self.ports.allocate_next(key)
        except AllocationError as error:
            raise InternalError.of(f"failed to allocate a nodePort: {error}") from None
        transaction.add(undo)
        return port

    def _health_check_node_port(self, service: Object, transaction: Transaction) -> None:
        if not fields.needs_health_check_node_port(service):
            return
        spec, key = service["spec"], meta.key(service)
        wanted = spec.get("healthCheckNodePort")
        if not wanted:
            spec["healthCheckNodePort"] = self._next_port(key, transaction)
        elif not self.ports.reservations.is_held_by(wanted, key):
            try:
                transaction.add(self.ports.allocate(wanted, key))
            except AllocationError as error:
                raise InternalError.of(f"failed to allocate requested HealthCheck NodePort {wanted}: {error}") from None


def _invalid(service: Object, causes: list[Cause]) -> Invalid:
    return Invalid.of("", "Service", meta.name(service), causes)
