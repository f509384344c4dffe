"""matchLabelKeys and mismatchLabelKeys: at creation, a pod's own labels become expressions of its selectors (KEP-3633, KEP-3243)."""

from proa.api.errors import Cause, forbidden, invalid
from proa.api.meta import Object, labels
from proa.api.names import qualified_name

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


def check_label_keys(term: Object, field: str, path: str, twice: str) -> list[Cause]:
    """A key is in the selector once: as its own expression, once the pod has been created. `twice` says what a second one is."""
    keys, selector, own = term.get(field) or [], term.get("labelSelector"), f"{path}.{field}"
    if not keys:
        return []
    causes = [invalid(f"{own}[{index}]", key, problem) for index, key in enumerate(keys) for problem in qualified_name(key)]
    if selector is None:
        return [*causes, forbidden(own, "must not be specified when labelSelector is not set")]
    used = [*(selector.get("matchLabels") or ()), *(each.get("key") for each in selector.get("matchExpressions") or ())]
    return causes + [invalid(f"{own}[{index}]", key, twice) for index, key in enumerate(keys) if used.count(key) > 1]
