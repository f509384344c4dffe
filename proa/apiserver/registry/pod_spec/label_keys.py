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


def check_label_keys(term: Object, path: str) -> list[Cause]:
    """A key is in the selector once: as its own expression, once the pod has been created.

    Upstream tells of a second one at the index of the key, below the term itself.
    """
    matching, other, selector = term.get("matchLabelKeys") or [], term.get("mismatchLabelKeys") or [], term.get("labelSelector")
    causes = _check_keys(matching, selector, f"{path}.matchLabelKeys") + _check_keys(other, selector, f"{path}.mismatchLabelKeys")
    if selector is not None:
        causes += _check_selected_twice(matching, selector, path)
    detail = "exists in both matchLabelKeys and mismatchLabelKeys"
    return causes + [invalid(f"{path}.matchLabelKeys[{index}]", key, detail) for index, key in enumerate(matching) if key in other]


def _check_keys(keys: list[str], selector: Object | None, path: str) -> list[Cause]:
    if keys and selector is None:
        return [forbidden(path, "must not be specified when labelSelector is not set")]
    return [invalid(f"{path}[{index}]", key, problem) for index, key in enumerate(keys) for problem in qualified_name(key)]


def _check_selected_twice(keys: list[str], selector: Object, path: str) -> list[Cause]:
    places = {key: index for index, key in enumerate(keys)}
    seen = set(selector.get("matchLabels") or ())
    causes: list[Cause] = []
    for expression in selector.get("matchExpressions") or ():
        key = expression.get("key") or ""
        if key in places and key in seen:
            causes.append(invalid(f"{path}[{places[key]}]", key, "exists in both matchLabelKeys and labelSelector"))
        seen.add(key)
    return causes
