"""Groups of pods that are scheduled as one: Workload, PodGroup, CompositePodGroup.

They have no generation, and of their spec only the least counts of a gang may change.
"""

import copy
from collections.abc import Iterator
from typing import Any, ClassVar

from proa.api.errors import Cause, duplicate, invalid, required
from proa.api.meta import Object
from proa.api.names import dns1123_label, dns1123_subdomain, path_segment, qualified_name
from proa.apiserver.registry.checks import check_choice, check_conditions, check_name, check_optional_name, exactly_one, too_many
from proa.apiserver.registry.object_meta import immutable
from proa.apiserver.registry.strategy import KindStrategy

MAX_TEMPLATES, MAX_DEPTH, MAX_TOPOLOGIES = 8, 4, 1
_LISTS = ("podGroupTemplates", "compositePodGroupTemplates")
_PREEMPTION = ("Never", "PreemptLowerPriority")


class WorkloadStrategy(KindStrategy):
    has_status = False

    def check(self, obj: Object) -> list[Cause]:
        spec = obj.get("spec") or {}
        causes = exactly_one("spec", spec, _LISTS) + _check_controller(spec.get("controllerRef"), "spec.controllerRef")
        causes += _check_templates(spec, "spec", 1)
        causes += [duplicate(path, name) for path, name in _repeated_names(spec, "spec", set())]
        if len({_priority_of(template) for template in _all_templates(spec)}) > 1:
            causes.append(invalid("spec", None, "detected multiple priority configurations"))
        return causes

    def check_update(self, obj: Object, old: Object) -> list[Cause]:
        return self.check(obj) + immutable("spec", _without_counts(obj["spec"]), _without_counts(old["spec"]))


class PodGroupStrategy(KindStrategy):
    """Both kinds of groups; which one shows in what a gang counts."""

    empty_status: ClassVar[Object | None] = {}
    count_field: ClassVar[str] = "minCount"

    def fill(self, obj: Object) -> None:
        spec = obj.setdefault("spec", {})
        if not spec.get("disruptionMode"):
            spec["disruptionMode"] = {"single": {}}
        spec.setdefault("preemptionPolicy", "PreemptLowerPriority")

    def check(self, obj: Object) -> list[Cause]:
        spec = obj.get("spec") or {}
        causes = _check_group(spec, "spec", self.count_field)
        causes += check_optional_name("spec.parentCompositePodGroupName", spec.get("parentCompositePodGroupName"), dns1123_subdomain)
        if (reference := spec.get("workloadRef")) is not None:
            causes += check_name("spec.workloadRef.workloadName", reference.get("workloadName"), dns1123_subdomain)
            causes += check_name("spec.workloadRef.templateName", reference.get("templateName"), dns1123_label)
        return causes

    def check_update(self, obj: Object, old: Object) -> list[Cause]:
        return self.check(obj) + immutable("spec", _without_counts(obj["spec"]), _without_counts(old["spec"]))


class CompositePodGroupStrategy(PodGroupStrategy):
    count_field = "minGroupCount"

    def check(self, obj: Object) -> list[Cause]:
        missing = [] if (obj.get("spec") or {}).get("workloadRef") else [required("spec.workloadRef")]
        return missing + super().check(obj)


def check_group_status(obj: Object, old: Object) -> list[Cause]:
    status = obj.get("status") or {}
    causes = check_conditions(status.get("conditions") or (), "status.conditions")
    known = {claim.get("name") for claim in (old.get("spec") or {}).get("resourceClaims") or ()}
    for index, claim in enumerate(status.get("resourceClaimStatuses") or ()):
        path, name = f"status.resourceClaimStatuses[{index}]", claim.get("name") or ""
        causes += check_name(f"{path}.name", name, dns1123_label)
        if name not in known:
            causes.append(invalid(f"{path}.name", name, "must match the name of an entry in `spec.resourceClaims`"))
        causes += check_optional_name(f"{path}.resourceClaimName", claim.get("resourceClaimName"), dns1123_subdomain)
    return causes


def _check_controller(reference: Object | None, path: str) -> list[Cause]:
    if reference is None:
        return []
    causes = check_optional_name(f"{path}.apiGroup", reference.get("apiGroup"), dns1123_subdomain)
    causes += check_name(f"{path}.kind", reference.get("kind"), path_segment)
    return causes + check_name(f"{path}.name", reference.get("name"), path_segment)


def _check_templates(holder: Object, path: str, depth: int) -> list[Cause]:
    """Templates of one holder and all below; too deep a tree is refused where it begins."""
    causes: list[Cause] = []
    for field, count in zip(_LISTS, ("minCount", "minGroupCount"), strict=True):
        templates = holder.get(field) or []
        causes += too_many(f"{path}.{field}", len(templates), MAX_TEMPLATES)
        for index, template in enumerate(templates):
            own = f"{path}.{field}[{index}]"
            causes += check_name(f"{own}.name", template.get("name"), dns1123_label) + _check_group(template, own, count)
            if field == _LISTS[1]:
                causes += exactly_one(own, template, _LISTS) + _check_templates(template, own, depth + 1)
                if depth == 1 and _depth(template) >= MAX_DEPTH:
                    below = template.get(field)
                    causes.append(invalid(own, below, f"maximum template hierarchy depth is {MAX_DEPTH}"))
    return causes


def _depth(template: Object) -> int:
    return 1 + max((_depth(below) for below in template.get(_LISTS[1]) or ()), default=0)


def _check_group(spec: Object, path: str, count_field: str) -> list[Cause]:
    policy, own = spec.get("schedulingPolicy") or {}, f"{path}.schedulingPolicy"
    causes = exactly_one(own, policy, ("basic", "gang"))
    if (gang := policy.get("gang")) is not None:
        least = gang.get(count_field)
        if not least:
            causes.append(required(f"{own}.gang.{count_field}"))
        elif least < 1:
            causes.append(invalid(f"{own}.gang.{count_field}", least, "must be greater than or equal to 1"))
    if "disruptionMode" in spec:
        causes += exactly_one(f"{path}.disruptionMode", spec["disruptionMode"] or {}, ("single", "all"))
    topology = (spec.get("schedulingConstraints") or {}).get("topology") or ()
    own = f"{path}.schedulingConstraints.topology"
    causes += too_many(own, len(topology), MAX_TOPOLOGIES)
    for index, constraint in enumerate(topology):
        causes += check_name(f"{own}[{index}].key", constraint.get("key"), qualified_name)
    causes += check_optional_name(f"{path}.priorityClassName", spec.get("priorityClassName"), dns1123_subdomain)
    causes += check_choice(f"{path}.preemptionPolicy", spec.get("preemptionPolicy"), _PREEMPTION, optional=True)
    return causes + _check_claims(spec.get("resourceClaims") or (), f"{path}.resourceClaims")


def _check_claims(claims: Any, path: str) -> list[Cause]:
    causes: list[Cause] = []
    seen: set[str] = set()
    for index, claim in enumerate(claims):
        own, name = f"{path}[{index}]", claim.get("name") or ""
        causes += check_name(f"{own}.name", name, dns1123_label)
        if name in seen:
            causes.append(duplicate(own, name))
        seen.add(name)
        causes += exactly_one(own, claim, ("resourceClaimName", "resourceClaimTemplateName"))
        for field in ("resourceClaimName", "resourceClaimTemplateName"):
            causes += check_optional_name(f"{own}.{field}", claim.get(field), dns1123_subdomain)
    return causes


def _all_templates(holder: Object) -> Iterator[Object]:
    for field in _LISTS:
        for template in holder.get(field) or ():
            yield template
            yield from _all_templates(template)


def _repeated_names(holder: Object, path: str, seen: set[str]) -> Iterator[tuple[str, str]]:
    """Names are unique in the whole tree."""
    for field in _LISTS:
        for index, template in enumerate(holder.get(field) or ()):
            own, name = f"{path}.{field}[{index}]", template.get("name") or ""
            if name in seen:
                yield f"{own}.name", name
            seen.add(name)
            yield from _repeated_names(template, own, seen)


def _priority_of(template: Object) -> tuple[str, int | None]:
    return template.get("priorityClassName") or "", template.get("priority")


def _without_counts(spec: Object) -> Object:
    spec = copy.deepcopy(spec)
    for each in (spec, *_all_templates(spec)):
        gang = (each.get("schedulingPolicy") or {}).get("gang") or {}
        for field in ("minCount", "minGroupCount"):
            gang.pop(field, None)
    return spec
