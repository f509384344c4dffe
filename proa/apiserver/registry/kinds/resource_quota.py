"""ResourceQuotas: names and amounts, and that the scopes suit what is counted."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from proa.api.errors import Cause, invalid, required
from proa.api.meta import Object
from proa.api.resource_names import STANDARD_QUOTA_NAMES, is_standard_quota_name
from proa.apiserver.registry.object_meta import FIELD_IMMUTABLE
from proa.apiserver.registry.resource_checks import check_resource_amount, check_resource_name
from proa.apiserver.registry.strategy import KindStrategy

_SCOPES = (
    "Terminating", "NotTerminating", "BestEffort", "NotBestEffort", "PriorityClass", "CrossNamespacePodAffinity", "VolumeAttributesClass",
)  # fmt: skip
_COMPUTE = {"cpu", "memory", "limits.cpu", "limits.memory", "requests.cpu", "requests.memory", "pods"}
_OPPOSITES = (("BestEffort", "NotBestEffort"), ("Terminating", "NotTerminating"))
_ONLY_EXISTS = (
    "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, "
    "ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity"
)


class ResourceQuotaStrategy(KindStrategy):
    empty_status: ClassVar[Object | None] = {}

    def check(self, obj: Object) -> list[Cause]:
        spec = obj.get("spec") or {}
        causes = _validate_amounts(spec.get("hard") or {}, "spec.hard")
        return causes + _validate_scopes(spec) + _validate_selector(spec)

    def check_update(self, obj: Object, old: Object) -> list[Cause]:
        new, former = (obj.get("spec") or {}).get("scopes") or [], (old.get("spec") or {}).get("scopes") or []
        return self.check(obj) + ([] if set(new) == set(former) else [invalid("spec.scopes", new, FIELD_IMMUTABLE)])


def check_quota_status(obj: Object, old: Object) -> list[Cause]:
    status = obj.get("status") or {}
    return _validate_amounts(status.get("hard") or {}, "status.hard") + _validate_amounts(status.get("used") or {}, "status.used")


def _validate_amounts(amounts: Mapping[str, Any], path: str) -> list[Cause]:
    causes: list[Cause] = []
    for name, amount in amounts.items():
        own = f"{path}[{name}]"
        causes += check_resource_name(name, own)
        if "/" not in name and not is_standard_quota_name(name):
            causes.append(invalid(own, name, "must be a standard resource for quota"))
        causes += check_resource_amount(name, amount, own)
    return causes


_POD_SCOPES: Mapping[str, Callable[[str], bool]] = {
    "Terminating": lambda name: name in _COMPUTE or name in ("ephemeral-storage", "requests.ephemeral-storage", "limits.ephemeral-storage"),
    "BestEffort": lambda name: name == "pods",
    "VolumeAttributesClass": lambda name: name in ("persistentvolumeclaims", "requests.storage"),
}
_LIKE = {
    "NotTerminating": "Terminating", "NotBestEffort": "Terminating", "PriorityClass": "Terminating",
    "CrossNamespacePodAffinity": "Terminating",
}  # fmt: skip


def _suits(scope: str, name: str) -> bool:
    suits = _POD_SCOPES.get(_LIKE.get(scope, scope))
    return suits is None or suits(name)


def _unsuited(scope: str, hard: Mapping[str, Any]) -> list[str]:
    return [name for name in sorted(hard) if name in STANDARD_QUOTA_NAMES and not _suits(scope, name)]


def _validate_scopes(spec: Object) -> list[Cause]:
    scopes, hard, path = spec.get("scopes") or [], spec.get("hard") or {}, "spec.scopes"
    causes: list[Cause] = []
    for scope in scopes:
        if scope not in _SCOPES:
            causes.append(invalid(path, scopes, "unsupported scope"))
        causes += [invalid(path, scopes, "unsupported scope applied to resource") for _ in _unsuited(scope, hard)]
    return causes + _conflicts(set(scopes), scopes, path)


def _conflicts(used: set[str], shown: Any, path: str) -> list[Cause]:
    return [invalid(path, shown, "conflicting scopes") for pair in _OPPOSITES if used.issuperset(pair)]


def _validate_selector(spec: Object) -> list[Cause]:
    selector, hard = spec.get("scopeSelector"), spec.get("hard") or {}
    if selector is None:
        return []
    path = "spec.scopeSelector.matchExpressions"
    causes: list[Cause] = []
    for expression in selector.get("matchExpressions") or ():
        scope, operator, values = expression.get("scopeName") or "", expression.get("operator") or "", expression.get("values") or []
        if scope not in _SCOPES:
            causes.append(invalid(f"{path}.scopeName", scope, "unsupported scope"))
        causes += [invalid(path, _as_structure(selector), "unsupported scope applied to resource") for _ in _unsuited(scope, hard)]
        if scope in _SCOPES and scope not in ("PriorityClass", "VolumeAttributesClass") and operator != "Exists":
            causes.append(invalid(f"{path}.operator", operator, _ONLY_EXISTS))
        causes += _validate_operator(operator, values, path)
    used = {each.get("scopeName") or "" for each in selector.get("matchExpressions") or ()}
    return causes + _conflicts(used, spec.get("scopes"), path)


def _as_structure(selector: Object) -> Object:
    """With the names of the fields that messages show."""
    expressions = [
        {"ScopeName": each.get("scopeName") or "", "Operator": each.get("operator") or "", "Values": each.get("values")}
        for each in selector.get("matchExpressions") or ()
    ]
    return {"MatchExpressions": expressions or None}


def _validate_operator(operator: str, values: list[str], path: str) -> list[Cause]:
    if operator in ("In", "NotIn"):
        detail = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"
        return [] if values else [required(f"{path}.values", detail)]
    if operator in ("Exists", "DoesNotExist"):
        detail = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector"
        return [invalid(f"{path}.values", values, detail)] if values else []
    return [invalid(f"{path}.operator", operator, "not a valid selector operator")]
