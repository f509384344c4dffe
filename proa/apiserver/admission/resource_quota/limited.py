"""Resources that a namespace may use only if one of its quotas covers them: limitedResources of the plugin's configuration. Pure."""

from collections.abc import Sequence

from proa.api.meta import Object
from proa.api.pod_resources import Amounts
from proa.api.quota.scopes import matches_scope, scope_of, scopes_of
from proa.api.quota.usage import names_for
from proa.lib.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Limited:
    """`contains` are parts of the names of what is used (as quotas name it); `scopes` are scope selectors."""

    group: str
    resource: str
    contains: tuple[str, ...] = ()
    scopes: tuple[Object, ...] = ()


def uncovered_names(limited: Sequence[Limited], kind: tuple[str, str], usage: Amounts, concerned: Sequence[Object]) -> list[str]:
    """What the object uses and no quota that counts it covers."""
    used = [name for name, amount in usage.items() if amount.nano > 0]
    about = [each for each in limited if (each.group, each.resource) == kind]
    names = {name for each in about for part in each.contains for name in used if part in name}
    hard = {name for quota in concerned for name in names_for(kind, (quota.get("status") or {}).get("hard") or {})}
    return sorted(names - hard)


def uncovered_scopes(limited: Sequence[Limited], kind: tuple[str, str], obj: Object, quotas: Sequence[Object]) -> str:
    """Scopes that the object is in and no quota of its namespace names for it, as they are told."""
    wanted = [scope for each in limited for scope in each.scopes if matches_scope(kind, obj, *scope_of(scope))]
    if not wanted:
        return ""
    covered = {scope[0] for quota in quotas for scope in scopes_of(quota) if matches_scope(kind, obj, *scope)}
    return " ".join(_told(scope) for scope in wanted if scope.get("scopeName") not in covered)


def _told(scope: Object) -> str:
    return f"{{{scope.get('scopeName', '')} {scope.get('operator', '')} [{' '.join(scope.get('values') or ())}]}}"
