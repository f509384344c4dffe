"""Gives Services of type LoadBalancer an address from the pool, as a cloud does: some time after their cluster IP and node ports.

A Service that names a loadBalancerClass belongs to another implementation. A finalizer keeps a deleted Service until its address is
released; when the pool is empty a Service stays pending, an event says so, and the next released address wakes it.
"""

import contextlib
from typing import Protocol

from proa.api import meta
from proa.api.errors import NotFound
from proa.api.kinds import SERVICES
from proa.api.meta import Object
from proa.client.informer import InformerFactory
from proa.client.interface import Client, Handlers
from proa.client.work_queue import WorkQueue
from proa.cloud.load_balancer.pool import AddressPool, PoolExhausted
from proa.lib.clock import Clock
from proa.runtime.controller import Controller
from proa.runtime.event_recorder import Recorder
from proa.runtime.reconciler import DONE, Result

FINALIZER = "service.kubernetes.io/load-balancer-cleanup"


class Options(Protocol):
    @property
    def load_balancer_pool(self) -> tuple[str, ...]: ...


class Context(Protocol):
    """What the controllers' manager gives to each."""

    @property
    def name(self) -> str: ...
    @property
    def client(self) -> Client: ...
    @property
    def informers(self) -> InformerFactory: ...
    @property
    def recorder(self) -> Recorder: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def options(self) -> Options: ...


def build(context: Context) -> Controller:
    reconciler = LoadBalancerReconciler(context)
    return Controller(context.name, reconciler, reconciler.queue, 1, clock=context.clock)


def wants_address(service: Object) -> bool:
    spec = service["spec"]
    return spec.get("type") == "LoadBalancer" and not spec.get("loadBalancerClass") and not meta.is_terminating(service)


def is_prepared(service: Object) -> bool:
    """Cluster IP and node ports are there, which the address builds on."""
    spec = service["spec"]
    node_ports = spec.get("allocateLoadBalancerNodePorts") is False or all(each.get("nodePort") for each in spec.get("ports") or ())
    return bool(spec.get("clusterIP")) and node_ports


def addresses(service: Object) -> list[str]:
    ingress = service.get("status", {}).get("loadBalancer", {}).get("ingress") or ()
    return [each["ip"] for each in ingress if each.get("ip")]


class LoadBalancerReconciler:
    def __init__(self, context: Context) -> None:
        self._client, self._recorder = context.client, context.recorder
        self._pool = AddressPool(context.options.load_balancer_pool)
        self._pending: set[str] = set()
        self.queue: WorkQueue[str] = WorkQueue(context.clock)
        self._services = context.informers.informer(SERVICES)
        self._services.add_handlers(Handlers(add=self._service, update=lambda old, new: self._service(new), delete=self._service_deleted))

    async def reconcile(self, key: str) -> Result:
        service = self._services.lister.get(key)
        if service is None:
            self._release(key)
        elif wants_address(service):
            await self._ensure(key, service)
        elif FINALIZER in meta.finalizers(service):
            await self._clean_up(key, service)
        return DONE

    async def _ensure(self, key: str, service: Object) -> None:
        if not is_prepared(service):
            return
        spec = service["spec"]
        wanted = spec.get("loadBalancerIP") or ""
        current = addresses(service)
        if current and self._pool.holder(current[0]) == key and wanted in ("", *current) and FINALIZER in meta.finalizers(service):
            return
        if key not in self._pending:
            self._recorder.event(service, "Normal", "EnsuringLoadBalancer", "Ensuring load balancer")
        try:
            address = self._pool.allocate(key, wanted, (spec.get("ipFamilies") or ["IPv4"])[0])
        except PoolExhausted as error:
            self._pending.add(key)
            message = f"Error syncing load balancer: failed to ensure load balancer: {error}"
            self._recorder.event(service, "Warning", "SyncLoadBalancerFailed", message)
            return
        self._pending.discard(key)
        finalizers = list(dict.fromkeys([*meta.finalizers(service), FINALIZER]))
        await self._patch(service, finalizers, {"ingress": [{"ip": address, "ipMode": "VIP"}]})
        self._recorder.event(service, "Normal", "EnsuredLoadBalancer", "Ensured load balancer")

    async def _clean_up(self, key: str, service: Object) -> None:
        self._recorder.event(service, "Normal", "DeletingLoadBalancer", "Deleting load balancer")
        finalizers = [each for each in meta.finalizers(service) if each != FINALIZER]
        with contextlib.suppress(NotFound):
            await self._patch(service, finalizers, {"ingress": None})
        self._release(key)
        self._recorder.event(service, "Normal", "DeletedLoadBalancer", "Deleted load balancer")

    async def _patch(self, service: Object, finalizers: list[str], load_balancer: Object) -> None:
        """Through the status subresource, as upstream's service controller does: it may not touch the rest of a Service."""
        metadata = {"finalizers": finalizers or None, "resourceVersion": meta.resource_version(service)}
        patch = {"metadata": metadata, "status": {"loadBalancer": load_balancer}}
        await self._client.patch(SERVICES, meta.name(service), patch, meta.namespace(service), subresource="status")

    def _release(self, key: str) -> None:
        self._pending.discard(key)
        if self._pool.release(key):
            for waiting in self._pending:
                self.queue.add(waiting)

    def _service(self, service: Object) -> None:
        key = meta.key(service)
        if wants_address(service):
            for address in addresses(service):
                self._pool.occupy(address, key)
        self.queue.add(key)

    def _service_deleted(self, service: Object) -> None:
        self.queue.add(meta.key(service))
