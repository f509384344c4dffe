"""A pod of a runtime class costs what the class says on top (overhead) and goes where the class runs (node selector, tolerations).

Nobody sets the overhead but this plugin: a pod that brings one of its own must say exactly what its class says.
"""

from proa.api.meta import Object
from proa.api.quantity import parse
from proa.apiserver.admission.pod_toleration_restriction import merged
from proa.apiserver.admission.refusal import refuse
from proa.apiserver.interface import Attributes, ObjectReader, PassiveAdmission

GROUP = "node.k8s.io"
MISMATCH = "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead"
UNFOUNDED = "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead"


class RuntimeClass(PassiveAdmission):
    name = "RuntimeClass"
    resources = frozenset({("", "pods")})

    def __init__(self, reader: ObjectReader) -> None:
        self._reader = reader

    async def admit(self, attributes: Attributes) -> None:
        spec = _new_pod_spec(attributes)
        if spec is None or spec.get("runtimeClassName") is None:
            return
        runtime_class = self._class(attributes, spec["runtimeClassName"])
        if fixed := _overhead(runtime_class):
            if spec.get("overhead") and not _same(spec["overhead"], fixed):
                raise refuse(attributes, MISMATCH)
            spec["overhead"] = dict(fixed)
        if scheduling := runtime_class.get("scheduling"):
            _schedule(attributes, spec, scheduling)

    async def validate(self, attributes: Attributes) -> None:
        spec = _new_pod_spec(attributes)
        if spec is None:
            return
        name = spec.get("runtimeClassName")
        fixed = None if name is None else _overhead(self._class(attributes, name))
        if fixed is None:
            if spec.get("overhead"):
                raise refuse(attributes, UNFOUNDED)
        elif not _same(spec.get("overhead") or {}, fixed):
            raise refuse(attributes, MISMATCH)

    def _class(self, attributes: Attributes, name: str) -> Object:
        found = self._reader.get(GROUP, "runtimeclasses", name)
        if found is None:
            raise refuse(attributes, f'pod rejected: RuntimeClass "{name}" not found')
        return found


def _new_pod_spec(attributes: Attributes) -> Object | None:
    if attributes.operation != "CREATE" or attributes.subresource or attributes.object is None:
        return None
    spec: Object = attributes.object.setdefault("spec", {})
    return spec


def _overhead(runtime_class: Object) -> dict[str, str] | None:
    overhead = runtime_class.get("overhead")
    return None if overhead is None else overhead.get("podFixed") or {}


def _same(left: dict[str, str], right: dict[str, str]) -> bool:
    return left.keys() == right.keys() and all(parse(left[name]).nano == parse(right[name]).nano for name in left)


def _schedule(attributes: Attributes, spec: Object, scheduling: Object) -> None:
    selector = dict(spec.get("nodeSelector") or {})
    for key, value in (scheduling.get("nodeSelector") or {}).items():
        if selector.get(key, value) != value:
            why = f"conflict: runtimeClass.scheduling.nodeSelector[{key}] = {value}; pod.spec.nodeSelector[{key}] = {selector[key]}"
            raise refuse(attributes, why)
        selector[key] = value
    if selector:
        spec["nodeSelector"] = selector
    tolerations = list(spec.get("tolerations") or ())
    if tolerations or scheduling.get("tolerations"):
        spec["tolerations"] = merged([*tolerations, *(scheduling.get("tolerations") or ())])
