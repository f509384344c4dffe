"""matchLabelKeys and mismatchLabelKeys: at creation, a pod's own labels become expressions of its selectors (KEP-3633, KEP-3243)."""

from proa.api.meta import Object, labels

_AFFINITY_LISTS = ("requiredDuringSchedulingIgnoredDuringExecution", "preferredDuringSchedulingIgnoredDuringExecution")


def merge_label_keys(pod: Object) -> None:
    """Changes the selectors of topology spread constraints and pod (anti-)affinity terms in place."""
    own, spec = labels(pod), pod.get("spec", {})
    for constraint in spec.get("topologySpreadConstraints") or ():
        _merge(constraint, "matchLabelKeys", "In", own)
    affinity = spec.get("affinity") or {}
    for kind in ("podAffinity", "podAntiAffinity"):
        for list_name in _AFFINITY_LISTS:
            for term in (affinity.get(kind) or {}).get(list_name) or ():
                term = term.get("podAffinityTerm", term)
                _merge(term, "matchLabelKeys", "In", own)
                _merge(term, "mismatchLabelKeys", "NotIn", own)


def _merge(term: Object, field: str, operator: str, own: dict[str, str]) -> None:
    selector = term.get("labelSelector")
    if selector is None:
        return
    for key in term.get(field) or ():
        if key in own:
            expression = {"key": key, "operator": operator, "values": [own[key]]}
            selector.setdefault("matchExpressions", []).append(expression)
