"""Tells that a ServiceCIDR is ready, and lets a deleted one go only when no cluster IP would be left without a range.

Ten seconds pass before the finalizer is taken off, so that no API server gives out an address of it in the meantime. Source: KEP-1880.
"""

import ipaddress
from collections.abc import Iterable, Sequence

from proa.api import meta
from proa.api.errors import NotFound
from proa.api.kinds import IP_ADDRESSES, SERVICE_CIDRS
from proa.api.meta import Object
from proa.client.interface import STRATEGIC_MERGE_PATCH, Handlers
from proa.controllers.context import ControllerContext
from proa.lib.clock import format_time, parse_time
from proa.runtime.controller import Controller
from proa.runtime.reconciler import DONE, Result

FINALIZER = "networking.k8s.io/service-cidr-finalizer"
MANAGED_BY = ("ipaddress.kubernetes.io/managed-by", "ipallocator.k8s.io")
DELETION_GRACE = 10.0
READY = {"type": "Ready", "status": "True", "reason": "", "message": "Kubernetes Service CIDR is ready"}
IN_USE = {
    "type": "Ready",
    "status": "False",
    "reason": "Terminating",
    "message": "There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR",
}


def build(context: ControllerContext) -> Controller:
    reconciler = ServiceCidrReconciler(context)
    return context.controller(reconciler, reconciler.queue)


def cidrs(service_cidr: Object) -> list[str]:
    return service_cidr.get("spec", {}).get("cidrs") or []


def contains_prefix(service_cidr: Object, cidr: str) -> bool:
    inner = ipaddress.ip_network(cidr)
    networks = (ipaddress.ip_network(each) for each in cidrs(service_cidr))
    return any(each.version == inner.version and inner.network_address in each and inner.prefixlen >= each.prefixlen for each in networks)


def contains_address(service_cidr: Object, address: str) -> bool:
    return any(ipaddress.ip_address(address) in ipaddress.ip_network(each) for each in cidrs(service_cidr))


def may_go(service_cidr: Object, everyone: Sequence[Object], addresses: Iterable[str]) -> bool:
    """Another one contains all of it, or none of the addresses is its alone. `everyone` are all ServiceCIDRs, itself included."""
    others = [each for each in everyone if meta.name(each) != meta.name(service_cidr)]
    if all(any(contains_prefix(each, cidr) for each in others) for cidr in cidrs(service_cidr)):
        return True
    own = (address for address in addresses if contains_address(service_cidr, address))
    return all(any(contains_address(each, address) for each in others) for address in own)


class ServiceCidrReconciler:
    def __init__(self, context: ControllerContext) -> None:
        self._client, self._clock = context.client, context.clock
        self.queue = context.queue()
        self._cidrs = context.informers.informer(SERVICE_CIDRS)
        self._addresses = context.informers.informer(IP_ADDRESSES, metadata_only=True)
        self._cidrs.add_handlers(Handlers(add=self._changed, update=lambda old, new: self._changed(new), delete=self._changed))
        self._addresses.add_handlers(Handlers(add=self._address, delete=self._address))

    async def reconcile(self, key: str) -> Result:
        service_cidr = self._cidrs.lister.get(key)
        if service_cidr is None:
            return DONE
        if meta.is_terminating(service_cidr):
            return await self._let_go(service_cidr)
        if FINALIZER not in meta.finalizers(service_cidr):
            await self._patch(service_cidr, {"metadata": {"finalizers": [FINALIZER]}})
        ready = meta.condition(service_cidr, "Ready")
        if ready is None or ready["status"] != "True":
            await self._tell(service_cidr, READY)
        return DONE

    async def _let_go(self, service_cidr: Object) -> Result:
        if FINALIZER not in meta.finalizers(service_cidr):
            return DONE
        managed = (meta.name(each) for each in self._addresses.lister.list() if meta.labels(each).get(MANAGED_BY[0]) == MANAGED_BY[1])
        if not may_go(service_cidr, self._cidrs.lister.list(), managed):
            ready = meta.condition(service_cidr, "Ready") or {}
            if {**ready, **IN_USE} != ready:
                await self._tell(service_cidr, IN_USE)
            return DONE
        waited = (self._clock.now() - parse_time(service_cidr["metadata"]["deletionTimestamp"])).total_seconds()
        if waited < DELETION_GRACE:
            return Result(DELETION_GRACE - waited)
        await self._patch(service_cidr, {"metadata": {"$deleteFromPrimitiveList/finalizers": [FINALIZER]}})
        return DONE

    async def _tell(self, service_cidr: Object, condition: Object) -> None:
        told = {**condition, "lastTransitionTime": format_time(self._clock.now())}
        await self._patch(service_cidr, {"status": {"conditions": [told]}}, "status")

    async def _patch(self, service_cidr: Object, patch: Object, subresource: str = "") -> None:
        name = meta.name(service_cidr)
        try:
            await self._client.patch(SERVICE_CIDRS, name, patch, patch_type=STRATEGIC_MERGE_PATCH, subresource=subresource)
        except NotFound:
            return

    def _changed(self, service_cidr: Object) -> None:
        """Those that overlap may be free to go now."""
        for each in self._cidrs.lister.list():
            if meta.is_terminating(each) or meta.name(each) == meta.name(service_cidr):
                self.queue.add(meta.key(each))

    def _address(self, address: Object) -> None:
        for each in self._cidrs.lister.list():
            if meta.is_terminating(each) and contains_address(each, meta.name(address)):
                self.queue.add(meta.key(each))
