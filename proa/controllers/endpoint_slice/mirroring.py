"""Mirrors Endpoints that users write for Services without a selector into slices, since that is all that proxies and DNS read."""

from collections.abc import Sequence

from proa.api import meta
from proa.api.kinds import ENDPOINT_SLICES, ENDPOINTS, SERVICES
from proa.api.meta import Object
from proa.client.interface import Handlers
from proa.controllers.context import ControllerContext
from proa.controllers.endpoint_slice.endpoints import PortKey, key_of_slice, slice_ports
from proa.controllers.endpoint_slice.packing import MANAGED_BY, SERVICE_NAME, SlicePlan
from proa.controllers.endpoint_slice.slices import apply, service_index
from proa.controllers.written import PATIENCE_SECONDS, WrittenObjects
from proa.runtime.controller import Controller
from proa.runtime.reconciler import DONE, Result

MANAGER = "endpointslicemirroring-controller.k8s.io"
service_of = service_index(MANAGER)
SKIP = "endpointslice.kubernetes.io/skip-mirror"
LEADER = "control-plane.alpha.kubernetes.io/leader"
MAX_ADDRESSES = 1000
_NOT_COPIED = {
    "kubectl.kubernetes.io/last-applied-configuration", "endpoints.kubernetes.io/last-change-trigger-time",
    "endpoints.kubernetes.io/over-capacity",
}  # fmt: skip


def build(context: ControllerContext) -> Controller:
    reconciler = MirroringReconciler(context)
    return context.controller(reconciler, reconciler.queue)


def is_mirrored(endpoints: Object | None, service: Object | None) -> bool:
    if endpoints is None or service is None or service["spec"].get("selector"):
        return False
    return meta.labels(endpoints).get(SKIP) != "true" and LEADER not in meta.annotations(endpoints)


def desired_slices(endpoints: Object) -> list[Object]:
    """One slice per family and set of ports."""
    grouped: dict[tuple[str, PortKey], list[Object]] = {}
    for subset in endpoints.get("subsets") or ():
        ports = tuple(
            (each.get("name") or "", each.get("protocol", "TCP"), int(each["port"]), each.get("appProtocol") or "")
            for each in subset.get("ports") or ()
        )
        for field, ready in (("addresses", True), ("notReadyAddresses", False)):
            for address in subset.get(field) or ():
                family = "IPv6" if ":" in address["ip"] else "IPv4"
                grouped.setdefault((family, ports), []).append(_endpoint(address, ready))
    return [_slice(endpoints, family, ports, found[:MAX_ADDRESSES]) for (family, ports), found in grouped.items()]


def _endpoint(address: Object, ready: bool) -> Object:
    optional = {field: address[field] for field in ("hostname", "nodeName", "targetRef") if address.get(field)}
    return {"addresses": [address["ip"]], "conditions": {"ready": ready}, **optional}


def _slice(endpoints: Object, family: str, ports: PortKey, found: list[Object]) -> Object:
    labels = {**meta.labels(endpoints), SERVICE_NAME: meta.name(endpoints), MANAGED_BY: MANAGER}
    annotations = {key: value for key, value in meta.annotations(endpoints).items() if key not in _NOT_COPIED}
    metadata = {
        "generateName": f"{meta.name(endpoints)}-",
        "namespace": meta.namespace(endpoints),
        "labels": labels,
        "annotations": annotations,
        "ownerReferences": [meta.owner_reference(endpoints)],
    }
    return {
        "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": metadata, "addressType": family, "endpoints": found,
        "ports": slice_ports(ports),
    }  # fmt: skip


def plan_mirroring(desired: Sequence[Object], existing: Sequence[Object]) -> SlicePlan:
    """Slices of the same family and ports are updated in place; all but the last of several such go."""
    plan = SlicePlan()
    left: dict[tuple[str | None, PortKey], Object] = {}
    doubles: list[Object] = []
    for each in existing:
        key = (each.get("addressType"), key_of_slice(each))
        doubles += [left[key]] if key in left else []
        left[key] = each
    for wanted in desired:
        old = left.pop((wanted["addressType"], key_of_slice(wanted)), None)
        if old is None:
            plan.create.append(wanted)
            continue
        metadata = {**old["metadata"], "labels": meta.labels(wanted), "annotations": meta.annotations(wanted)}
        if _shown(old) != _shown(wanted):
            plan.update.append({**wanted, "metadata": metadata})
    plan.delete = [*left.values(), *doubles]
    return plan


def _shown(endpoint_slice: Object) -> tuple[object, ...]:
    return meta.labels(endpoint_slice), meta.annotations(endpoint_slice), endpoint_slice.get("endpoints") or []


class MirroringReconciler:
    def __init__(self, context: ControllerContext) -> None:
        self._client = context.client
        self.queue = context.queue()
        self._services = context.informers.informer(SERVICES)
        self._endpoints = context.informers.informer(ENDPOINTS)
        self._slices = context.informers.informer(ENDPOINT_SLICES, indexers={"mirrored service": service_of})
        self._written = WrittenObjects(self._slices.lister, context.clock)
        enqueue = Handlers(add=self._enqueue, update=lambda old, new: self._enqueue(new), delete=self._enqueue)
        self._services.add_handlers(enqueue)
        self._endpoints.add_handlers(enqueue)
        self._slices.add_handlers(Handlers(add=self._slice, update=lambda old, new: self._slice(new), delete=self._slice_deleted))

    async def reconcile(self, key: str) -> Result:
        existing = self._slices.lister.by_index("mirrored service", key)
        if self._written.is_behind(key, existing):
            return Result(PATIENCE_SECONDS)
        endpoints = self._endpoints.lister.get(key)
        mirrored = is_mirrored(endpoints, self._services.lister.get(key))
        await apply(self._client, self._written, key, plan_mirroring(desired_slices(endpoints) if mirrored and endpoints else [], existing))
        return DONE

    def _enqueue(self, obj: Object) -> None:
        self.queue.add(meta.key(obj))

    def _slice(self, endpoint_slice: Object) -> None:
        for key in service_of(endpoint_slice):
            self.queue.add(key)

    def _slice_deleted(self, endpoint_slice: Object) -> None:
        for key in service_of(endpoint_slice):
            self._written.observed_deletion(key, endpoint_slice)
            self.queue.add(key)
