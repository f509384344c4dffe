"""The /resize endpoint of pods: cpu and memory of a pod and of its containers, while it runs (KEP-1287, KEP-5419)."""

from collections.abc import Mapping
from typing import Any

from proa.api import meta
from proa.api.errors import Cause, forbidden, invalid
from proa.api.meta import Object
from proa.api.pod_annotations import MIRROR
from proa.api.pod_template import is_sidecar, qos_class
from proa.apiserver.registry.kinds.pod_update import validate_changed_spec
from proa.apiserver.registry.strategy import take

CONTAINERS = ("containers", "initContainers")
_RESIZABLE = ("cpu", "memory")
_AMOUNTS = ("requests", "limits")
_ONLY = "only cpu and memory resources are mutable"


def put_resources(obj: Object, sent: Object) -> None:
    """Resources and resize policies of containers. Other containers than there are stay, for the check to see."""
    spec = sent.get("spec") or {}
    for field in CONTAINERS:
        wanted = spec.get(field) or []
        if _names(wanted) != _names(obj["spec"].get(field) or []):
            obj["spec"][field] = wanted
            continue
        for container, given in zip(obj["spec"].get(field) or (), wanted, strict=True):
            container["resources"] = given.get("resources") or {}
            take(container, given, "resizePolicy")
    take(obj["spec"], spec, "resources")


def _names(containers: list[Object]) -> list[str]:
    return [str(each.get("name", "")) for each in containers]


def check_resize(obj: Object, old: Object) -> list[Cause]:
    if MIRROR in meta.annotations(old):
        return [forbidden("", "static pods cannot be resized")]
    new, former, status = obj["spec"], old["spec"], old.get("status") or {}
    if (former.get("os") or {}).get("name") == "windows":
        return [forbidden("", "windows pods cannot be resized")]
    causes = validate_changed_spec(new, former)
    before = status.get("qosClass") or qos_class(former)
    if qos_class(new) != before:
        causes.append(invalid("spec", before, "Pod QOS Class may not change as a result of resizing"))
    if not _is_supported(status):
        causes.append(forbidden("spec", "Pod running on node without support for resize"))
    causes += _check_pod_level(new.get("resources"), former.get("resources"))
    if status.get("nodeAllocatableResourceClaimStatuses"):
        causes.append(forbidden("spec", "pods with node allocatable resource claims cannot be resized"))
    if moved := [cause for field in CONTAINERS for cause in _check_order(new, former, field)]:
        return causes + moved
    causes += [cause for field in reversed(CONTAINERS) for cause in _check_removals(new, former, field)]
    for container, known in _pairs(new, former, "containers"):
        causes += [] if _is_resized_only(container, known) else [forbidden("spec", _ONLY)]
    for index, (container, known) in enumerate(_pairs(new, former, "initContainers")):
        causes += _check_init(container, known, f"spec.initContainers[{index}]")
    if not causes and ("resources" in new) != ("resources" in former) and not (new.get("resources") or former.get("resources")):
        causes.append(forbidden("spec", _ONLY))
    return causes


def _is_supported(status: Object) -> bool:
    """A kubelet that can resize tells of what the first running container has got."""
    running = (each for each in status.get("containerStatuses") or () if "running" in (each.get("state") or {}))
    return next((each.get("resources") is not None for each in running), True)


def _pairs(new: Object, old: Object, field: str) -> list[tuple[Object, Object]]:
    return list(zip(new.get(field) or (), old.get(field) or (), strict=True))


def _check_pod_level(new: Object | None, old: Object | None) -> list[Cause]:
    if not any((each or {}).get(field) for each in (new, old) for field in _AMOUNTS):
        return []
    if old is not None and new is None:
        return [forbidden("spec.resources", "pod-level resources cannot be removed")]
    fresh, former = new or {}, old or {}
    causes = [
        forbidden(f"spec.resources.{field}", f"pod-level resource {field} cannot be removed")
        for field in _AMOUNTS
        if (former.get(field) or {}).keys() - (fresh.get(field) or {}).keys()
    ]
    if _fixed(fresh) | _others(fresh) != _fixed(former) | _others(former):
        causes.append(forbidden("spec", "only cpu and memory resources are mutable at pod-level"))
    return causes


def _others(resources: Object) -> Object:
    return {key: value for key, value in resources.items() if key not in _AMOUNTS and value}


def _fixed(resources: Mapping[str, Any]) -> Object:
    """Of requests and limits what a resize may not change."""
    return {field: {name: amount for name, amount in (resources.get(field) or {}).items() if name not in _RESIZABLE} for field in _AMOUNTS}


def _check_order(new: Object, old: Object, field: str) -> list[Cause]:
    fresh, known = _names(new.get(field) or []), _names(old.get(field) or [])
    if len(fresh) != len(known):
        return [forbidden(f"spec.{field}", f"{field} may not be added or removed on resize")]
    renamed = (index for index, name in enumerate(fresh) if name != known[index])
    return [forbidden(f"spec.{field}[{index}].name", f"{field} may not be renamed or reordered on resize") for index in renamed]


def _check_removals(new: Object, old: Object, field: str) -> list[Cause]:
    return [
        forbidden(f"spec.{field}[{index}].resources.{kind}", f"resource {kind} cannot be removed")
        for index, (container, known) in enumerate(_pairs(new, old, field))
        for kind in _AMOUNTS
        if _amounts(known, kind).keys() - _amounts(container, kind).keys()
    ]


def _is_resized_only(new: Object, old: Object) -> bool:
    """Nothing but cpu and memory differs. A container with claims of devices is never resized."""
    resources, former = new.get("resources") or {}, old.get("resources") or {}
    return _fixed(resources) == _fixed(former) and not _others(former) and new.get("resizePolicy") == old.get("resizePolicy")


def _check_init(new: Object, old: Object, path: str) -> list[Cause]:
    causes: list[Cause] = []
    if not _is_resized_only(new, old):
        causes.append(forbidden(path, "only cpu and memory resources for init or sidecar containers are mutable"))
    if new != old and not is_sidecar(new):
        detail = "non-sidecar init containers with a resize policy of RestartContainer cannot be resized"
        restarting = (each for each in new.get("resizePolicy") or () if each.get("restartPolicy") == "RestartContainer")
        causes += [forbidden(path, detail) for _ in restarting]
    return causes


def _amounts(container: Object, kind: str) -> Object:
    return (container.get("resources") or {}).get(kind) or {}
