"""Groups of pods that are scheduled as one: Workload, PodGroup, CompositePodGroup.

They have no generation, and of their spec only the least counts of a gang may change. Rules come in upstream's order: those written for a
whole Workload first, then those that its types declare, field by field; a list that is too long isn't looked into.
"""

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from proa.api.errors import Cause, duplicate, invalid, required
from proa.api.meta import Object
from proa.api.names import dns1123_label, dns1123_subdomain, path_segment, qualified_name
from proa.apiserver.registry.checks import check_choice, check_conditions, check_name, check_optional_name, exactly_one, too_many
from proa.apiserver.registry.object_meta import FIELD_IMMUTABLE
from proa.apiserver.registry.strategy import KindStrategy

MAX_TEMPLATES, MAX_CLAIMS, MAX_DEPTH, MAX_TOPOLOGIES = 8, 4, 4, 1
_LISTS = ("podGroupTemplates", "compositePodGroupTemplates")
_COUNTS = {"podGroupTemplates": "minCount", "compositePodGroupTemplates": "minGroupCount"}
_PREEMPTION = ("Never", "PreemptLowerPriority")
_GROUP_FIELDS = ("schedulingConstraints", "resourceClaims", "disruptionMode", "priorityClassName", "priority", "preemptionPolicy")
_MANY_PRIORITIES = "detected multiple priority configurations"
_MANY_PRIORITIES_BELOW = "all priority and priorityClassName values must be identical, detected multiple values"
_NO_CHILD = "must have at least one child PodGroupTemplate or CompositePodGroupTemplate"


class WorkloadStrategy(KindStrategy):
    has_status = False

    def check(self, obj: Object) -> list[Cause]:
        spec = obj.get("spec") or {}
        causes = _check_whole(spec) + exactly_one("spec", spec, _LISTS) + _check_controller(spec.get("controllerRef"), "spec.controllerRef")
        return causes + _check_templates(spec, "spec")

    def check_update(self, obj: Object, old: Object) -> list[Cause]:
        spec, former = obj["spec"], old["spec"]
        causes = _check_whole(spec) + (exactly_one("spec", spec, _LISTS) if any(spec.get(each) for each in _LISTS) else [])
        causes += _fixed("spec", spec, former, ("controllerRef",))
        return causes + _changed_templates(spec, former) + _fixed("spec", spec, former, _LISTS[1:])


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
        causes = check_optional_name("spec.parentCompositePodGroupName", spec.get("parentCompositePodGroupName"), dns1123_subdomain)
        causes += self.check_reference(spec.get("workloadRef"), "spec.workloadRef")
        return causes + _check_group(spec, "spec", self.count_field)

    def check_reference(self, reference: Object | None, path: str) -> list[Cause]:
        if reference is None:
            return []
        causes = check_name(f"{path}.workloadName", reference.get("workloadName"), dns1123_subdomain)
        return causes + check_name(f"{path}.templateName", reference.get("templateName"), dns1123_label)

    def check_update(self, obj: Object, old: Object) -> list[Cause]:
        spec, former = obj["spec"], old["spec"]
        causes = _fixed("spec", spec, former, ("parentCompositePodGroupName", "workloadRef"))
        return causes + _changed_group(spec, former, "spec", self.count_field)


class CompositePodGroupStrategy(PodGroupStrategy):
    count_field = "minGroupCount"

    def check_reference(self, reference: Object | None, path: str) -> list[Cause]:
        return super().check_reference(reference, path) if reference is not None else [required(path)]


def check_group_status(obj: Object, old: Object) -> list[Cause]:
    status = obj.get("status") or {}
    causes = check_conditions(status.get("conditions") or (), "status.conditions")
    known = {claim.get("name") for claim in (old.get("spec") or {}).get("resourceClaims") or ()}
    claims, path = status.get("resourceClaimStatuses") or [], "status.resourceClaimStatuses"
    for index, claim in enumerate(claims):
        name = claim.get("name") or ""
        if name not in known:
            causes.append(invalid(f"{path}[{index}].name", name, "must match the name of an entry in `spec.resourceClaims`"))
    if len(claims) > MAX_CLAIMS:
        return causes + too_many(path, len(claims), MAX_CLAIMS)
    causes += _repeated(claims, path)
    for index, claim in enumerate(claims):
        causes += check_optional_name(f"{path}[{index}].resourceClaimName", claim.get("resourceClaimName"), dns1123_subdomain)
    return causes


def _check_whole(spec: Object) -> list[Cause]:
    """What holds for the whole tree: names, depth, one priority, and no branch without leaves."""
    names = {template.get("name") for template in spec.get(_LISTS[0]) or ()}
    causes = list(_repeated_across(spec, "spec", names))
    branches = spec.get(_LISTS[1]) or []
    for index, template in enumerate(branches):
        if _depth(template) >= MAX_DEPTH:
            detail = f"maximum template hierarchy depth is {MAX_DEPTH}"
            causes.append(invalid(f"spec.{_LISTS[1]}[{index}]", template.get(_LISTS[1]), detail))
    causes += _check_priorities(spec)
    return causes + [cause for index, each in enumerate(branches) for cause in _childless(each, f"spec.{_LISTS[1]}[{index}]")]


def _repeated_across(holder: Object, path: str, names: set[Any]) -> Iterator[Cause]:
    """Names that another list has already; those that one list has twice are told with that list."""
    own = holder.get(_LISTS[1]) or []
    for index, template in enumerate(own):
        if template.get("name") in names:
            yield duplicate(f"{path}.{_LISTS[1]}[{index}].name", template.get("name"))
    names.update(template.get("name") for template in own)
    for index, template in enumerate(own):
        below, leaves = f"{path}.{_LISTS[1]}[{index}]", template.get(_LISTS[0]) or []
        for number, leaf in enumerate(leaves):
            if leaf.get("name") in names:
                yield duplicate(f"{below}.{_LISTS[0]}[{number}].name", leaf.get("name"))
        names.update(leaf.get("name") for leaf in leaves)
        yield from _repeated_across(template, below, names)


def _depth(template: Object) -> int:
    return 1 + max((_depth(below) for below in template.get(_LISTS[1]) or ()), default=0)


def _check_priorities(spec: Object) -> list[Cause]:
    leaves = [_priority_of(template) for template in spec.get(_LISTS[0]) or ()]
    if len(set(leaves)) > 1:
        return [invalid("spec", None, _MANY_PRIORITIES)]
    everywhere = {*leaves, *(_priority_of(template) for template in _all_templates(spec))}
    return [invalid("spec", None, _MANY_PRIORITIES_BELOW)] if len(everywhere) > 1 else []


def _priority_of(template: Object) -> tuple[str, int | None]:
    return template.get("priorityClassName") or "", template.get("priority")


def _all_templates(holder: Object) -> Iterator[Object]:
    for field in _LISTS:
        for template in holder.get(field) or ():
            yield template
            yield from _all_templates(template)


def _childless(template: Object, path: str) -> list[Cause]:
    causes = [] if any(template.get(field) for field in _LISTS) else [invalid(path, template.get("name") or "", _NO_CHILD)]
    below = enumerate(template.get(_LISTS[1]) or ())
    return causes + [cause for index, each in below for cause in _childless(each, f"{path}.{_LISTS[1]}[{index}]")]


def _check_controller(reference: Object | None, path: str) -> list[Cause]:
    if reference is None:
        return []
    causes = check_optional_name(f"{path}.apiGroup", reference.get("apiGroup"), dns1123_subdomain)
    causes += check_name(f"{path}.kind", reference.get("kind"), path_segment)
    return causes + check_name(f"{path}.name", reference.get("name"), path_segment)


def _check_templates(holder: Object, path: str) -> list[Cause]:
    """Templates of one holder and all below."""
    causes: list[Cause] = []
    for field, count in _COUNTS.items():
        templates, own = holder.get(field) or [], f"{path}.{field}"
        if len(templates) > MAX_TEMPLATES:
            causes += too_many(own, len(templates), MAX_TEMPLATES)
            continue
        causes += _repeated(templates, own)
        for index, template in enumerate(templates):
            causes += check_name(f"{own}[{index}].name", template.get("name"), dns1123_label)
            causes += _check_group(template, f"{own}[{index}]", count) + _check_templates(template, f"{own}[{index}]")
    return causes


def _repeated(items: Sequence[Object], path: str) -> list[Cause]:
    names = [each.get("name") for each in items]
    return [duplicate(f"{path}[{index}]", each) for index, each in enumerate(items) if each.get("name") in names[:index]]


def _check_group(spec: Object, path: str, count_field: str) -> list[Cause]:
    causes = _check_policy(spec.get("schedulingPolicy") or {}, f"{path}.schedulingPolicy", count_field)
    topology, own = (spec.get("schedulingConstraints") or {}).get("topology") or (), f"{path}.schedulingConstraints.topology"
    if len(topology) > MAX_TOPOLOGIES:
        causes += too_many(own, len(topology), MAX_TOPOLOGIES)
    else:
        for index, constraint in enumerate(topology):
            causes += check_name(f"{own}[{index}].key", constraint.get("key"), qualified_name)
    causes += _check_claims(spec.get("resourceClaims") or [], f"{path}.resourceClaims")
    if "disruptionMode" in spec:
        causes += exactly_one(f"{path}.disruptionMode", spec["disruptionMode"] or {}, ("single", "all"))
    causes += check_optional_name(f"{path}.priorityClassName", spec.get("priorityClassName"), dns1123_subdomain)
    return causes + check_choice(f"{path}.preemptionPolicy", spec.get("preemptionPolicy"), _PREEMPTION, optional=True)


def _check_policy(policy: Object, path: str, count_field: str) -> list[Cause]:
    causes, gang = exactly_one(path, policy, ("basic", "gang")), policy.get("gang")
    return causes if gang is None else causes + _check_count(gang, f"{path}.gang", count_field)


def _check_count(gang: Object, path: str, count_field: str) -> list[Cause]:
    least = gang.get(count_field)
    if not least:
        return [required(f"{path}.{count_field}")]
    return [invalid(f"{path}.{count_field}", least, "must be greater than or equal to 1")] if least < 1 else []


def _check_claims(claims: Sequence[Object], path: str) -> list[Cause]:
    if len(claims) > MAX_CLAIMS:
        return too_many(path, len(claims), MAX_CLAIMS)
    causes = _repeated(claims, path)
    for index, claim in enumerate(claims):
        own, sources = f"{path}[{index}]", ("resourceClaimName", "resourceClaimTemplateName")
        causes += exactly_one(own, claim, sources) + check_name(f"{own}.name", claim.get("name"), dns1123_label)
        for field in sources:
            causes += check_optional_name(f"{own}.{field}", claim.get(field), dns1123_subdomain)
    return causes


def _fixed(path: str, new: Object, former: Object, fields: Sequence[str]) -> list[Cause]:
    """Fields that stay as they were. What is declared immutable is refused without its value."""
    changed = [field for field in fields if (new.get(field) or None) != (former.get(field) or None)]
    return [invalid(f"{path}.{field}", None, FIELD_IMMUTABLE) for field in changed]


def _changed_templates(spec: Object, former: Object) -> list[Cause]:
    """None comes, none goes, and each changes as a group may."""
    new, old, path = spec.get(_LISTS[0]) or [], former.get(_LISTS[0]) or [], f"spec.{_LISTS[0]}"
    known = {template.get("name"): template for template in old}
    if sorted(str(template.get("name")) for template in new) != sorted(str(name) for name in known):
        return [invalid(path, None, FIELD_IMMUTABLE)]
    pairs = ((f"{path}[{index}]", template, known[template.get("name")]) for index, template in enumerate(new))
    return [cause for own, template, before in pairs for cause in _changed_group(template, before, own, "minCount")]


def _changed_group(spec: Object, former: Object, path: str, count_field: str) -> list[Cause]:
    new, old, own = spec.get("schedulingPolicy") or {}, former.get("schedulingPolicy") or {}, f"{path}.schedulingPolicy"
    causes: list[Cause] = []
    if ("basic" in new, "gang" in new) != ("basic" in old, "gang" in old):
        causes += exactly_one(own, new, ("basic", "gang"))
    causes += [invalid(f"{own}.basic", None, FIELD_IMMUTABLE)] if ("basic" in new) != ("basic" in old) else []
    if "gang" in new and "gang" not in old:
        causes.append(invalid(f"{own}.gang", None, "field cannot be set once created"))
    elif "gang" in old and "gang" not in new:
        causes.append(invalid(f"{own}.gang", None, "field cannot be cleared once set"))
    elif "gang" in new:
        causes += _check_count(new["gang"], f"{own}.gang", count_field)
    return causes + _fixed(path, spec, former, _GROUP_FIELDS)
