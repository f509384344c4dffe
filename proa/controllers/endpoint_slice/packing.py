"""Distributes endpoints over slices of at most 100 with as few writes as can be: an endpoint stays in its slice as long as it lives.

Every write of a slice goes to every node, so a slice is changed only if one of its own endpoints changed, or to take in new ones:
slices that change anyway are filled first, then the fullest one that can take all the rest, then new slices. Pure.
"""

from collections.abc import Sequence
from dataclasses import field

from proa.api import meta
from proa.api.meta import Object
from proa.controllers.endpoint_slice.endpoints import PortKey, key_of_slice, slice_ports
from proa.controllers.service_pods import is_headless
from proa.lib.dataclass import dataclass

MAX_ENDPOINTS = 100
SERVICE_NAME = "kubernetes.io/service-name"
MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
MANAGER = "endpointslice-controller.k8s.io"
HEADLESS = "service.kubernetes.io/headless"
_NOT_COPIED_LABELS = {SERVICE_NAME, MANAGED_BY, HEADLESS}
_NOT_COPIED_ANNOTATIONS = {"endpoints.kubernetes.io/last-change-trigger-time", "kubectl.kubernetes.io/last-applied-configuration"}


@dataclass(slots=True)
class SlicePlan:
    create: list[Object] = field(default_factory=list)
    update: list[Object] = field(default_factory=list)
    delete: list[Object] = field(default_factory=list)


def plan_slices(service: Object, desired: dict[str, dict[PortKey, list[Object]]], existing: Sequence[Object]) -> SlicePlan:
    """What makes `existing`, all slices that we manage for the Service, hold `desired` (by address type and ports)."""
    plan = SlicePlan()
    for family, by_ports in desired.items():
        own = [each for each in existing if each.get("addressType") == family and not meta.is_terminating(each)]
        _plan_family(plan, service, family, by_ports or {(): []}, own)
    plan.delete += [each for each in existing if each.get("addressType") not in desired and not meta.is_terminating(each)]
    return plan


def _plan_family(plan: SlicePlan, service: Object, family: str, by_ports: dict[PortKey, list[Object]], existing: list[Object]) -> None:
    """A family without endpoints keeps one empty slice, so that watchers can tell "none" from "not yet"."""
    spare = [each for each in existing if key_of_slice(each) not in by_ports]
    for ports, endpoints in by_ports.items():
        matching = [each for each in existing if key_of_slice(each) == ports]
        packed = _pack(endpoints, matching)
        if not packed and len(by_ports) == 1:
            packed = [(matching[0] if matching else None, [])]
        kept = {meta.uid(old) for old, _ in packed if old is not None}
        for old, content in packed:
            reused = old or (spare.pop() if spare else None)
            _plan_slice(plan, service, family, ports, reused, content)
        spare += [each for each in matching if meta.uid(each) not in kept]
    plan.delete += spare


def _plan_slice(plan: SlicePlan, service: Object, family: str, ports: PortKey, old: Object | None, content: list[Object]) -> None:
    wanted = _slice(service, family, ports, content)
    if old is None:
        plan.create.append(wanted)
        return
    metadata = {**old["metadata"], **{each: wanted["metadata"][each] for each in ("labels", "annotations", "ownerReferences")}}
    merged = {**wanted, "metadata": metadata}
    if not _equal(old, merged):
        plan.update.append(merged)


def _equal(old: Object, new: Object) -> bool:
    def shown(each: Object) -> tuple[object, ...]:
        return (meta.labels(each), meta.annotations(each), each.get("ports") or [], each.get("endpoints") or [])

    return shown(old) == shown(new)


def _pack(endpoints: list[Object], existing: list[Object]) -> list[tuple[Object | None, list[Object]]]:
    """Slices with their new content; None for a new slice. Emptied slices are left out."""
    waiting = {_identity(each): each for each in endpoints}
    changed: list[tuple[Object | None, list[Object]]] = []
    unchanged: list[tuple[Object | None, list[Object]]] = []
    for old in sorted(existing, key=meta.name):
        before = old.get("endpoints") or []
        kept = [waiting.pop(_identity(each)) for each in before if _identity(each) in waiting]
        (unchanged if kept == before else changed).append((old, kept))
    new = list(waiting.values())
    for _, content in sorted(changed, key=lambda each: -len(each[1])):
        room = MAX_ENDPOINTS - len(content)
        content += new[:room]
        new = new[room:]
    while new:
        taken, new = new[:MAX_ENDPOINTS], new[MAX_ENDPOINTS:]
        fitting = [content for _, content in unchanged if len(content) + len(taken) <= MAX_ENDPOINTS] if len(taken) < MAX_ENDPOINTS else []
        if fitting:
            fullest = max(fitting, key=len)
            fullest += taken
        else:
            changed.append((None, taken))
    return [each for each in (*unchanged, *changed) if each[1]]


def _identity(endpoint: Object) -> tuple[str, ...]:
    return (endpoint.get("targetRef", {}).get("uid", ""), *endpoint["addresses"])


def _slice(service: Object, family: str, ports: PortKey, content: list[Object]) -> Object:
    labels = {key: value for key, value in meta.labels(service).items() if key not in _NOT_COPIED_LABELS}
    labels |= {SERVICE_NAME: meta.name(service), MANAGED_BY: MANAGER} | ({HEADLESS: ""} if is_headless(service) else {})
    annotations = {key: value for key, value in meta.annotations(service).items() if key not in _NOT_COPIED_ANNOTATIONS}
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "generateName": f"{meta.name(service)}-",
            "namespace": meta.namespace(service),
            "labels": labels,
            "annotations": annotations,
            "ownerReferences": [meta.owner_reference(service)],
        },
        "addressType": family,
        "endpoints": content,
        "ports": slice_ports(ports),
    }
