"""LimitRanges of a namespace: containers get the default requests and limits, and nothing outside of minimum, maximum and ratio comes in.

Applies to new pods, their resize, and claims. Pods' resources can't be changed otherwise, so updates are let through.
"""

from collections.abc import Iterator

from proa.api import meta
from proa.api.errors import joined
from proa.api.meta import Object
from proa.apiserver.admission.limit_constraints import violations
from proa.apiserver.admission.refusal import refuse
from proa.apiserver.interface import Attributes, ObjectReader, PassiveAdmission

ANNOTATION = "kubernetes.io/limit-ranger"
PODS = ("", "pods")
CLAIMS = ("", "persistentvolumeclaims")
_LISTS = (("containers", "container"), ("initContainers", "init container"))


class LimitRanger(PassiveAdmission):
    name = "LimitRanger"
    resources = frozenset({PODS, CLAIMS})

    def __init__(self, reader: ObjectReader) -> None:
        self._ranges: dict[str, dict[str, Object]] = {}
        reader.observe("", "limitranges", self._on_limit_range)

    def _on_limit_range(self, event: str, limit_range: Object) -> None:
        namespace, name = meta.namespace(limit_range), meta.name(limit_range)
        ranges = self._ranges.setdefault(namespace, {})
        ranges.pop(name, None)
        if event != "DELETED":
            ranges[name] = limit_range
        elif not ranges:
            del self._ranges[namespace]

    async def admit(self, attributes: Attributes) -> None:
        ranges = self._ranges.get(attributes.namespace)
        if ranges and attributes.object is not None and attributes.group_resource == PODS and _applies(attributes):
            for _, limit_range in sorted(ranges.items()):
                fill_pod(attributes.object, limit_range)

    async def validate(self, attributes: Attributes) -> None:
        ranges = self._ranges.get(attributes.namespace)
        if not ranges or attributes.object is None or not _applies(attributes):
            return
        for _, limit_range in sorted(ranges.items()):
            problems = list(violations(attributes.object, attributes.group_resource == PODS, limit_range))
            if problems:
                raise refuse(attributes, joined(problems))


def _applies(attributes: Attributes) -> bool:
    old = attributes.old_object
    if old is not None and meta.is_terminating(old):
        return False
    if attributes.group_resource == PODS:
        return (attributes.operation, attributes.subresource) in (("CREATE", ""), ("UPDATE", "resize"))
    return attributes.operation in ("CREATE", "UPDATE") and not attributes.subresource


def fill_pod(pod: Object, limit_range: Object) -> None:
    """Add what the containers leave out, and say so in an annotation."""
    told = [text for limit in _container_limits(limit_range) for text in _fill_containers(pod.get("spec") or {}, limit)]
    if told:
        metadata = meta.metadata(pod)
        metadata["annotations"] = {**(metadata.get("annotations") or {}), ANNOTATION: f"LimitRanger plugin set: {'; '.join(told)}"}


def _container_limits(limit_range: Object) -> Iterator[Object]:
    return (each for each in (limit_range.get("spec") or {}).get("limits") or () if each.get("type") == "Container")


def _fill_containers(spec: Object, limit: Object) -> Iterator[str]:
    for field, word in _LISTS:
        for container in spec.get(field) or ():
            set_limits = _fill(container, "limits", limit.get("default") or {})
            set_requests = _fill(container, "requests", limit.get("defaultRequest") or {})
            if set_requests:
                yield f"{', '.join(set_requests)} request for {word} {container.get('name', '')}"
            if set_limits:
                yield f"{', '.join(set_limits)} limit for {word} {container.get('name', '')}"


def _fill(container: Object, field: str, defaults: dict[str, str]) -> list[str]:
    present = (container.get("resources") or {}).get(field) or {}
    missing = {name: amount for name, amount in defaults.items() if name not in present}
    if missing:
        container["resources"] = {**(container.get("resources") or {}), field: {**present, **missing}}
    return sorted(missing)
