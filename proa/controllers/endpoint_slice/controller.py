"""Keeps a Service's EndpointSlices equal to the pods that it selects; a pod's change is written at once, without a batching delay."""

from proa.api import meta
from proa.api.kinds import ENDPOINT_SLICES, NODES
from proa.api.meta import Object
from proa.client.interface import Handlers
from proa.controllers.context import ControllerContext
from proa.controllers.endpoint_slice.endpoints import ZONE_LABEL, desired_endpoints
from proa.controllers.endpoint_slice.packing import MANAGER, SlicePlan, plan_slices
from proa.controllers.endpoint_slice.slices import apply, service_index
from proa.controllers.service_pods import ServicePods
from proa.controllers.written import PATIENCE_SECONDS, WrittenObjects
from proa.runtime.controller import Controller
from proa.runtime.reconciler import DONE, Result

service_of = service_index(MANAGER)


def build(context: ControllerContext) -> Controller:
    reconciler = EndpointSliceReconciler(context)
    return context.controller(reconciler, reconciler.queue)


class EndpointSliceReconciler:
    def __init__(self, context: ControllerContext) -> None:
        self._client = context.client
        self._recorder = context.recorder
        self.queue = context.queue()
        self._slices = context.informers.informer(ENDPOINT_SLICES, indexers={"service": service_of})
        self._nodes = context.informers.informer(NODES)
        self._written = WrittenObjects(self._slices.lister, context.clock)
        self._service_pods = ServicePods(context.informers, self.queue.add)
        self._slices.add_handlers(
            Handlers(add=self._slice_changed, update=lambda old, new: self._slice_changed(new), delete=self._slice_deleted)
        )
        self._nodes.add_handlers(Handlers(update=self._node_updated, add=self._node_added))

    async def reconcile(self, key: str) -> Result:
        service = self._service_pods.services.lister.get(key)
        if service is None:
            self._written.forget(key)
            return DONE
        if not service["spec"].get("selector") or service["spec"].get("type") == "ExternalName" or meta.is_terminating(service):
            return await self._without_selector(key, service)
        existing = self._slices.lister.by_index("service", key)
        if self._written.is_behind(key, existing):
            return Result(PATIENCE_SECONDS)  # the event that is missing wakes us earlier
        desired = desired_endpoints(service, self._service_pods.behind(service), self._zone)
        await apply(self._client, self._written, key, plan_slices(service, desired, existing))
        return DONE

    async def _without_selector(self, key: str, service: Object) -> Result:
        """A Service that became an ExternalName has no endpoints; one that lost its selector keeps what it has."""
        if service["spec"].get("type") == "ExternalName":
            await apply(self._client, self._written, key, SlicePlan(delete=list(self._slices.lister.by_index("service", key))))
        return DONE

    def _zone(self, node_name: str) -> str:
        return meta.labels(self._nodes.lister.get(node_name) or {}).get(ZONE_LABEL, "")

    def _slice_changed(self, endpoint_slice: Object) -> None:
        for key in service_of(endpoint_slice):
            self.queue.add(key)

    def _slice_deleted(self, endpoint_slice: Object) -> None:
        for key in service_of(endpoint_slice):
            self._written.observed_deletion(key, endpoint_slice)
            self.queue.add(key)

    def _node_added(self, node: Object) -> None:
        self._node_updated({}, node)

    def _node_updated(self, old: Object, new: Object) -> None:
        """Zones seldom change; then every Service may be concerned."""
        if meta.labels(old).get(ZONE_LABEL) != meta.labels(new).get(ZONE_LABEL):
            for service in self._service_pods.services.lister.list():
                self.queue.add(meta.key(service))
