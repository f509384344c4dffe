"""Resources that a namespace may use only if one of its quotas covers them: limitedResources of the plugin's configuration. Pure."""

from collections.abc import Sequence

from proa.api.meta import Object
from proa.api.pod_resources import Amounts
from proa.api.quota.scopes import matches_scope, scope_of
from proa.api.quota.usage import names_for
from proa.lib.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Limited:
    """`contains` are parts of the names of what is used (as quotas name it); `scopes` are scope selectors."""

    group: str
    resource: str
    contains: tuple[str, ...] = ()
    scopes: tuple[Object, ...] = ()


def uncovered(limited: Sequence[Limited], kind: tuple[str, str], obj: Object, delta: Amounts, quotas: Sequence[Object]) -> str:
    """Why the object may not be, empty if it may. `quotas` are those of the namespace that count it."""
    about = [each for each in limited if (each.group, each.resource) == kind]
    if not about:
        return ""
    used = {name for name, amount in delta.items() if amount.nano > 0}
    names = {name for each in about for part in each.contains for name in used if part in name}
    hard = {name for quota in quotas for name in names_for(kind, (quota.get("status") or {}).get("hard") or {})}
    if missing := sorted(names - hard):
        return f"insufficient quota to consume: {','.join(missing)}"
    wanted = [scope for each in about for scope in each.scopes if matches_scope(kind, obj.get("spec") or {}, *scope_of(scope))]
    covered = [each for quota in quotas for each in _selectors(quota)]
    open_ = [scope for scope in wanted if not any(_same(scope, each) for each in covered)]
    if open_:
        told = " ".join(
            f"{{{each.get('scopeName', '')} {each.get('operator', '')} [{' '.join(each.get('values') or ())}]}}" for each in open_
        )
        return f"insufficient quota to match these scopes: [{told}]"
    return ""


def _selectors(quota: Object) -> list[Object]:
    spec = quota.get("spec") or {}
    named: list[Object] = [{"scopeName": each, "operator": "Exists"} for each in spec.get("scopes") or ()]
    return named + list((spec.get("scopeSelector") or {}).get("matchExpressions") or ())


def _same(one: Object, other: Object) -> bool:
    return one.get("scopeName") == other.get("scopeName")
