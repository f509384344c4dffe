"""Keeps the older Endpoints object of each Service with a selector, for what still reads it, `kubectl get endpoints` first."""

from collections.abc import Iterable

from proa.api import meta
from proa.api.errors import AlreadyExists, NotFound
from proa.api.kinds import ENDPOINTS
from proa.api.meta import Object
from proa.client.interface import Handlers
from proa.controllers import pods
from proa.controllers.context import ControllerContext
from proa.controllers.service_pods import ServicePods, families, hostname, is_headless, of_family, pod_reference, target_port
from proa.runtime.controller import Controller
from proa.runtime.reconciler import DONE, Result

MAX_ADDRESSES = 1000
OVER_CAPACITY = "endpoints.kubernetes.io/over-capacity"
MANAGED_BY = "endpoints.kubernetes.io/managed-by"
HEADLESS = "service.kubernetes.io/headless"
_Port = tuple[str, int, str, str]


def build(context: ControllerContext) -> Controller:
    reconciler = EndpointsReconciler(context)
    return context.controller(reconciler, reconciler.queue)


def build_subsets(service: Object, selected: Iterable[Object]) -> tuple[list[Object], bool]:
    """The subsets, ports with the same addresses together, and whether addresses had to be left out (more than 1000)."""
    by_port: dict[_Port | None, dict[str, tuple[bool, Object]]] = {}
    for pod in selected:
        own = of_family(pod, families(service)[0])
        if not own or pods.is_finished(pod) or meta.is_terminating(pod):
            continue
        ready = bool(service["spec"].get("publishNotReadyAddresses")) or pods.is_ready(pod)
        address = _address(service, pod, own[0])
        for port in _ports(service, pod):
            by_port.setdefault(port, {})[meta.uid(pod)] = (ready, address)
    grouped: dict[tuple[str, ...], list[_Port | None]] = {}
    for port, addresses in by_port.items():
        grouped.setdefault(tuple(sorted(addresses)), []).append(port)
    subsets = [_subset(ports, list(by_port[ports[0]].values())) for ports in grouped.values()]
    return _truncated(sorted(subsets, key=lambda each: [(port["port"], port.get("name", "")) for port in each.get("ports", [])]))


def _ports(service: Object, pod: Object) -> list[_Port | None]:
    """None stands for a headless Service without ports."""
    ports = service["spec"].get("ports") or ()
    if not ports and is_headless(service):
        return [None]
    found = [(port, target_port(pod, port)) for port in ports]
    return [
        (port.get("name") or "", number, port.get("protocol", "TCP"), port.get("appProtocol") or "")
        for port, number in found
        if number is not None
    ]


def _address(service: Object, pod: Object, ip: str) -> Object:
    address: Object = {"ip": ip, "targetRef": pod_reference(pod)}
    optional = {"nodeName": pods.node_name(pod), "hostname": hostname(pod, service)}
    return address | {field: value for field, value in optional.items() if value}


def _subset(ports: list[_Port | None], addresses: list[tuple[bool, Object]]) -> Object:
    subset: Object = {}
    for field, wanted in (("addresses", True), ("notReadyAddresses", False)):
        if chosen := sorted((address for ready, address in addresses if ready == wanted), key=lambda each: str(each["ip"])):
            subset[field] = chosen
    if listed := [_port(port) for port in sorted(each for each in ports if each is not None)]:
        subset["ports"] = listed
    return subset


def _port(port: _Port) -> Object:
    name, number, protocol, application = port
    optional = {"name": name, "appProtocol": application}
    return {field: value for field, value in optional.items() if value} | {"port": number, "protocol": protocol}


def _truncated(subsets: list[Object]) -> tuple[list[Object], bool]:
    room, over = MAX_ADDRESSES, False
    for field in ("addresses", "notReadyAddresses"):
        for subset in subsets:
            have = subset.get(field, [])
            over = over or len(have) > room
            if have[:room]:
                subset[field] = have[:room]
            else:
                subset.pop(field, None)
            room -= len(have[:room])
    return [each for each in subsets if each.get("addresses") or each.get("notReadyAddresses")], over


def endpoints_object(service: Object, selected: Iterable[Object], old: Object | None) -> Object:
    subsets, over = build_subsets(service, selected)
    labels = {key: value for key, value in meta.labels(service).items() if key != HEADLESS}
    labels |= {MANAGED_BY: "endpoint-controller"} | ({HEADLESS: ""} if is_headless(service) else {})
    annotations = {key: value for key, value in meta.annotations(old or {}).items() if key != OVER_CAPACITY}
    annotations |= {OVER_CAPACITY: "truncated"} if over else {}
    metadata = {**(old["metadata"] if old else {"name": meta.name(service), "namespace": meta.namespace(service)})}
    metadata |= {"labels": labels, "annotations": annotations}
    return {"apiVersion": "v1", "kind": "Endpoints", "metadata": metadata, "subsets": subsets}


def is_current(old: Object, new: Object) -> bool:
    parts = [(each.get("subsets") or [], meta.labels(each), meta.annotations(each)) for each in (old, new)]
    return parts[0] == parts[1]


class EndpointsReconciler:
    def __init__(self, context: ControllerContext) -> None:
        self._client = context.client
        self.queue = context.queue()
        self._endpoints = context.informers.informer(ENDPOINTS)
        self._service_pods = ServicePods(context.informers, self.queue.add)
        self._endpoints.add_handlers(Handlers(add=self._stray, delete=lambda gone: self.queue.add(meta.key(gone))))

    async def reconcile(self, key: str) -> Result:
        service = self._service_pods.services.lister.get(key)
        old = self._endpoints.lister.get(key)
        if service is None:
            await self._delete(old)
            return DONE
        if not service["spec"].get("selector") or service["spec"].get("type") == "ExternalName":
            return DONE
        wanted = endpoints_object(service, self._service_pods.behind(service), old)
        if old is None:
            await self._create(wanted)
        elif not is_current(old, wanted):
            await self._client.update(ENDPOINTS, wanted)
        return DONE

    async def _create(self, wanted: Object) -> None:
        try:
            await self._client.create(ENDPOINTS, wanted)
        except AlreadyExists:
            found = await self._client.get(ENDPOINTS, meta.name(wanted), meta.namespace(wanted))
            merged = {**wanted, "metadata": {**found["metadata"], "labels": meta.labels(wanted)}}
            await self._client.update(ENDPOINTS, merged)

    async def _delete(self, old: Object | None) -> None:
        """Of a Service that is gone, whoever wrote them."""
        if old is None:
            return
        try:
            await self._client.delete(ENDPOINTS, meta.name(old), meta.namespace(old), uid=meta.uid(old))
        except NotFound:
            return

    def _stray(self, endpoints: Object) -> None:
        """Ours, whose Service went while nobody looked."""
        if MANAGED_BY in meta.labels(endpoints):
            self.queue.add(meta.key(endpoints))
