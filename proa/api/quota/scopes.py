"""Which objects a quota with scopes counts. All scopes must match; only pods (and claims, by their attributes class) have any. Pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from proa.api.meta import Object
from proa.api.pod_template import qos_class
from proa.api.quota.usage import CLAIMS, PODS, names_for

ScopeMatch = Callable[[Object, str, Sequence[str]], bool]
"""Of an object, the operator and the values."""


def counts(quota: Object, kind: tuple[str, str], obj: Object, hard: Mapping[str, str]) -> bool:
    """Whether the quota limits something that the object uses, and is about such objects at all."""
    if not names_for(kind, hard):
        return False
    return all(matches_scope(kind, obj, *scope) for scope in scopes_of(quota))


def scopes_of(quota: Object) -> Iterator[tuple[str, str, Sequence[str]]]:
    """(scope, operator, values)."""
    spec = quota.get("spec") or {}
    for scope in spec.get("scopes") or ():
        yield scope, "Exists", ()
    for each in (spec.get("scopeSelector") or {}).get("matchExpressions") or ():
        yield scope_of(each)


def scope_of(expression: Object) -> tuple[str, str, Sequence[str]]:
    return expression.get("scopeName", ""), expression.get("operator", ""), expression.get("values") or ()


def matches_scope(kind: tuple[str, str], obj: Object, scope: str, operator: str, values: Sequence[str]) -> bool:
    match = _SCOPES.get((kind, scope))
    return match is not None and match(obj, operator, values)


def _selects(value: str, operator: str, values: Sequence[str]) -> bool:
    match operator:
        case "Exists":
            return bool(value)
        case "DoesNotExist":
            return not value
        case "In":
            return bool(value) and value in values
        case "NotIn":
            return value not in values
    return False


def _spec(obj: Object) -> Object:
    return obj.get("spec") or {}


def _is_terminating(pod: Object) -> bool:
    return _spec(pod).get("activeDeadlineSeconds") is not None


def _crosses_namespaces(pod: Object) -> bool:
    affinity = _spec(pod).get("affinity") or {}
    terms: list[Object] = []
    for kind in ("podAffinity", "podAntiAffinity"):
        rules = affinity.get(kind) or {}
        terms += rules.get("requiredDuringSchedulingIgnoredDuringExecution") or []
        terms += [each["podAffinityTerm"] for each in rules.get("preferredDuringSchedulingIgnoredDuringExecution") or ()]
    return any(term.get("namespaces") or term.get("namespaceSelector") is not None for term in terms)


def attributes_classes(claim: Object) -> set[str]:
    """Those that a claim wants, has, or is on its way to."""
    status = claim.get("status") or {}
    named = (
        _spec(claim).get("volumeAttributesClassName"),
        status.get("currentVolumeAttributesClassName"),
        (status.get("modifyVolumeStatus") or {}).get("targetVolumeAttributesClassName"),
    )
    return {name for name in named if name}


_SCOPES: Mapping[tuple[tuple[str, str], str], ScopeMatch] = {
    (PODS, "Terminating"): lambda pod, operator, values: _is_terminating(pod),
    (PODS, "NotTerminating"): lambda pod, operator, values: not _is_terminating(pod),
    (PODS, "BestEffort"): lambda pod, operator, values: qos_class(_spec(pod)) == "BestEffort",
    (PODS, "NotBestEffort"): lambda pod, operator, values: qos_class(_spec(pod)) != "BestEffort",
    (PODS, "PriorityClass"): lambda pod, operator, values: _selects(_spec(pod).get("priorityClassName") or "", operator, values),
    (PODS, "CrossNamespacePodAffinity"): lambda pod, operator, values: _crosses_namespaces(pod),
    (CLAIMS, "VolumeAttributesClass"): lambda claim, operator, values: any(
        _selects(name, operator, values) for name in attributes_classes(claim) or {""}
    ),
}
