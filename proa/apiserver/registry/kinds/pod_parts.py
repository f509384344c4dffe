"""Endpoints that change one part of a pod and keep the rest: /ephemeralcontainers and /resize."""

from collections.abc import Callable

import orjson

from proa.api import meta
from proa.api.errors import Cause, forbidden, invalid
from proa.api.meta import Object
from proa.api.pod_annotations import MIRROR
from proa.api.pod_template import qos_class
from proa.api.resource import StrategyContext
from proa.apiserver.registry.pod_spec.validation import validate_pod_spec
from proa.apiserver.registry.strategy import KindStrategy, PartStrategy, step_generation

CONTAINERS = ("containers", "initContainers")
RESIZABLE = ("cpu", "memory")


class PodPartStrategy(PartStrategy):
    """An endpoint of a pod that changes one part of it: `put(old, sent)` gives the new object, `check` refuses."""

    def __init__(self, main: KindStrategy, put: Callable[[Object, Object], None], check: Callable[[Object, Object], list[Cause]]) -> None:
        super().__init__(main)
        self._put, self._check = put, check

    def prepare_for_update(self, obj: Object, old: Object, context: StrategyContext) -> None:
        sent = dict(obj)
        version = sent.get("metadata", {}).get("resourceVersion")
        obj.clear()
        obj.update(orjson.loads(orjson.dumps(old)))
        if version:
            obj["metadata"]["resourceVersion"] = version
        self._put(obj, sent)
        step_generation(obj, old, True)

    def check_part(self, obj: Object, old: Object) -> list[Cause]:
        return self._check(obj, old)


def put_ephemeral_containers(obj: Object, sent: Object) -> None:
    obj["spec"]["ephemeralContainers"] = (sent.get("spec") or {}).get("ephemeralContainers") or []


def check_ephemeral_containers(obj: Object, old: Object) -> list[Cause]:
    """Ephemeral containers are only ever added."""
    causes = validate_pod_spec(obj["spec"], "spec")
    fresh = {each.get("name"): each for each in obj["spec"].get("ephemeralContainers") or ()}
    path = "spec.ephemeralContainers"
    for container in old["spec"].get("ephemeralContainers") or ():
        name = container.get("name")
        if name not in fresh:
            causes.append(forbidden(path, f'existing ephemeral containers "{name}" may not be removed\n'))
        elif fresh[name] != container:
            causes.append(forbidden(path, f'existing ephemeral containers "{name}" may not be changed\n'))
    return causes


def put_resources(obj: Object, sent: Object) -> None:
    """In-place resize: resources and resize policies of containers. Other containers than there are stay, for the check to see."""
    spec = sent.get("spec") or {}
    for field in CONTAINERS:
        wanted = spec.get(field) or []
        if _names(wanted) != _names(obj["spec"].get(field) or []):
            obj["spec"][field] = wanted
            continue
        for container, given in zip(obj["spec"].get(field) or (), wanted, strict=True):
            container["resources"] = given.get("resources") or {}
            if "resizePolicy" in given:
                container["resizePolicy"] = given["resizePolicy"]
    if "resources" in spec:
        obj["spec"]["resources"] = spec["resources"]


def _names(containers: list[Object]) -> list[str]:
    return [str(each.get("name", "")) for each in containers]


def check_resize(obj: Object, old: Object) -> list[Cause]:
    if MIRROR in meta.annotations(old):
        return [forbidden("", "static pods cannot be resized")]
    if (old["spec"].get("os") or {}).get("name") == "windows":
        return [forbidden("", "windows pods cannot be resized")]
    causes = validate_pod_spec(obj["spec"], "spec")
    before = (old.get("status") or {}).get("qosClass") or qos_class(old["spec"])
    if qos_class(obj["spec"]) != before:
        causes.append(invalid("spec", before, "Pod QOS Class may not change as a result of resizing"))
    if moved := [cause for field in CONTAINERS for cause in _check_order(obj, old, field)]:
        return causes + moved
    for field in CONTAINERS:
        for index, (new, known) in enumerate(zip(obj["spec"].get(field) or (), old["spec"].get(field) or (), strict=True)):
            causes += _check_container(new, known, f"spec.{field}[{index}].resources")
    return causes + _check_kept(obj, old)


def _check_order(obj: Object, old: Object, field: str) -> list[Cause]:
    new, known = (_names(each["spec"].get(field) or []) for each in (obj, old))
    if len(new) != len(known):
        return [forbidden(f"spec.{field}", "containers may not be added or removed on resize")]
    renamed = (index for index, name in enumerate(new) if name != known[index])
    return [forbidden(f"spec.{field}[{index}].name", "containers may not be renamed or reordered on resize") for index in renamed]


def _check_container(new: Object, old: Object, path: str) -> list[Cause]:
    gone = (each for each in ("requests", "limits") if set(_amounts(old, each)) - set(_amounts(new, each)))
    return [forbidden(path, f"resource {each} cannot be removed") for each in gone]


def _check_kept(obj: Object, old: Object) -> list[Cause]:
    """Of other resources, and of init containers that end, nothing changes."""
    for field in CONTAINERS:
        for new, known in zip(obj["spec"].get(field) or (), old["spec"].get(field) or (), strict=True):
            free = RESIZABLE if field == "containers" or known.get("restartPolicy") == "Always" else ()
            for kind in ("requests", "limits"):
                amounts, before = (
                    {name: each[name] for name in each if name not in free} for each in (_amounts(new, kind), _amounts(known, kind))
                )
                if amounts != before:
                    return [forbidden("spec", "only cpu and memory resources are mutable")]
    return []


def _amounts(container: Object, kind: str) -> Object:
    return (container.get("resources") or {}).get(kind) or {}
