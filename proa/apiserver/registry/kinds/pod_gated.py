"""What may change of a pod that waits behind scheduling gates: where it may run gets narrower, never wider (KEP-3838)."""

from proa.api.errors import Cause, invalid
from proa.api.meta import Object
from proa.apiserver.registry.strategy import take

_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_TERMS = f"spec.affinity.nodeAffinity.{_REQUIRED}.nodeSelectorTerms"


def validate_gated_change(new: Object, old: Object) -> list[Cause]:
    former, fresh = old.get("nodeSelector") or {}, new.get("nodeSelector") or {}
    causes: list[Cause] = []
    if not former.items() <= fresh.items():
        detail = "only additions to spec.nodeSelector are allowed (no mutations or deletions)"
        causes.append(invalid("spec.nodeSelector", fresh, detail))
    return causes + _validate_terms(_required_terms(new), _required_terms(old))


def with_old_placement(spec: Object, old: Object) -> None:
    """Puts back, in place, what `validate_gated_change` has looked at. Pods' affinity to pods stays as it came: it never changes."""
    take(spec, old, "nodeSelector")
    affinity = dict(spec.get("affinity") or {})
    take(affinity, old.get("affinity") or {}, "nodeAffinity")
    if affinity or "affinity" in old:
        spec["affinity"] = affinity
    else:
        spec.pop("affinity", None)


def _required_terms(spec: Object) -> list[Object]:
    node = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    terms: list[Object] = (node.get(_REQUIRED) or {}).get("nodeSelectorTerms") or []
    return terms


def _validate_terms(new: list[Object], old: list[Object]) -> list[Cause]:
    """Where there were no terms, any may come."""
    if not old:
        return []
    if len(old) != len(new):
        return [invalid(_TERMS, new, "no additions/deletions to non-empty NodeSelectorTerms list are allowed")]
    detail = "only additions are allowed (no mutations or deletions)"
    pairs = enumerate(zip(new, old, strict=True))
    return [invalid(f"{_TERMS}[{index}]", fresh, detail) for index, (fresh, former) in pairs if not _only_grows(fresh, former)]


def _only_grows(new: Object, old: Object) -> bool:
    """An empty term matches no node; with an expression it would match some."""
    kinds = ("matchExpressions", "matchFields")
    if not any(old.get(kind) for kind in kinds):
        return not any(new.get(kind) for kind in kinds)
    return all((new.get(kind) or [])[: len(old.get(kind) or ())] == (old.get(kind) or []) for kind in kinds)
