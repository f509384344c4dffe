"""Whether a request fits into the quotas of its namespace, and what they have used with it. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from proa.api import meta
from proa.api.meta import Object
from proa.api.pod_resources import Amounts, amounts
from proa.api.quantity import ZERO, parse
from proa.api.quota.scopes import counts
from proa.api.quota.usage import CLAIMS, DEVICE_CLAIMS, NEVER_COUNTED, PODS, SERVICES, compute_usage, names_for, usage_of
from proa.apiserver.admission.resource_quota.limited import Limited, uncovered_names, uncovered_scopes
from proa.lib.dataclass import dataclass

MUST_BE_STATED = frozenset({"cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"})
"""A quota on one of these means that each container has to state it."""
WATCHED_UPDATES = frozenset({(PODS, "resize"), (SERVICES, ""), (CLAIMS, ""), (CLAIMS, "status"), (DEVICE_CLAIMS, "")})
"""(kind, subresource) whose updates may use more."""


class QuotaRefusal(Exception):
    """Why the request may not pass."""


class UncoveredScopes(QuotaRefusal):
    """Upstream does not make this one a Forbidden."""


@dataclass(frozen=True, slots=True)
class Demand:
    """What a request adds: all that the object uses, or, to quotas that counted it before (as `old`), what it uses `more`. What is
    reported by a status is counted, but can't be refused."""

    kind: tuple[str, str]
    obj: Object
    usage: Amounts
    more: Amounts
    old: Object | None = None
    enforced: bool = True

    def adds_to(self, quota: Object) -> Amounts:
        if self.old is None or not counts(quota, self.kind, self.old, _hard(quota)):
            return _without_zeros(self.usage)
        return self.more


def demand_of(kind: tuple[str, str], operation: str, subresource: str, obj: Object, old: Object | None, now: datetime) -> Demand | None:
    """None for what quotas do not look at."""
    if not _is_watched(kind, operation, subresource):
        return None
    usage, enforced = usage_of(kind, obj, now), subresource != "status"
    if operation != "UPDATE" or old is None or not meta.resource_version(old):
        return Demand(kind, obj, usage, _without_zeros(usage), enforced=enforced)
    before = usage_of(kind, old, now)
    more = {name: amount - before.get(name, ZERO) for name, amount in usage.items()}
    return Demand(kind, obj, usage, {name: amount for name, amount in more.items() if amount.nano > 0}, old, enforced)


def _is_watched(kind: tuple[str, str], operation: str, subresource: str) -> bool:
    if kind in NEVER_COUNTED:
        return False
    return (operation == "CREATE" and not subresource) or (operation == "UPDATE" and (kind, subresource) in WATCHED_UPDATES)


def _without_zeros(usage: Amounts) -> Amounts:
    return {name: amount for name, amount in usage.items() if amount}


def charge(quotas: Sequence[Object], demand: Demand, limited: Sequence[Limited] = ()) -> dict[str, Amounts]:
    """What the quotas concerned have used with the request, by name, only where that changes; raises QuotaRefusal. What is given back is
    left to the controller: it counts anew, and a request could still fail."""
    concerned = [quota for quota in quotas if counts(quota, demand.kind, demand.obj, _hard(quota))]
    for quota in concerned:
        _check_statements(quota, demand)
    added = [(quota, demand.adds_to(quota)) for quota in concerned]
    if not any(more for _, more in added) if added else not demand.more:
        return {}
    if missing := uncovered_names(limited, demand.kind, demand.usage, concerned):
        raise QuotaRefusal(f"insufficient quota to consume: {','.join(missing)}")
    if missing_scopes := uncovered_scopes(limited, demand.kind, demand.obj, quotas):
        raise UncoveredScopes(f"insufficient quota to match these scopes: [{missing_scopes}]")
    charged = ((meta.name(quota), _charge(quota, more, demand)) for quota, more in added)
    return {name: used for name, used in charged if used}


def _charge(quota: Object, added: Amounts, demand: Demand) -> Amounts:
    """All that the quota has used then; empty if it limits nothing of what is added."""
    used = amounts((quota.get("status") or {}).get("used"))
    hard = amounts(_hard(quota))
    requested = {name: amount for name, amount in added.items() if name in hard}
    new = {name: used.get(name, ZERO) + amount for name, amount in requested.items()}
    exceeded = sorted(name for name, amount in new.items() if amount.nano > hard[name].nano)
    if exceeded and demand.enforced:
        told = ", ".join(f"{word}: {_told(each, exceeded)}" for word, each in _three(requested, used, hard))
        raise QuotaRefusal(f"exceeded quota: {meta.name(quota)}, {told}")
    return used | new if requested else {}


def _three(requested: Amounts, used: Amounts, hard: Amounts) -> Iterable[tuple[str, Amounts]]:
    return ("requested", requested), ("used", used), ("limited", hard)


def _told(values: Amounts, names: Sequence[str]) -> str:
    return ",".join(f"{name}={values.get(name, ZERO)}" for name in names)


def _hard(quota: Object) -> Mapping[str, str]:
    """As the controller has taken note of it: only then is it known what is used."""
    return (quota.get("status") or {}).get("hard") or {}


def _check_statements(quota: Object, demand: Demand) -> None:
    names = names_for(demand.kind, _hard(quota))
    if demand.kind == PODS and (missing := _missing_statements(demand.obj.get("spec") or {}, names)):
        raise QuotaRefusal(f"failed quota: {meta.name(quota)}: must specify {missing}")
    if names - ((quota.get("status") or {}).get("used") or {}).keys():
        raise QuotaRefusal(f"status unknown for quota: {meta.name(quota)}, resources: {','.join(sorted(names))}")


def _missing_statements(spec: Object, names: set[str]) -> str:
    required = names & MUST_BE_STATED
    if not required or spec.get("resources"):
        return ""
    missing: dict[str, set[str]] = {}
    for container in (*(spec.get("containers") or ()), *(spec.get("initContainers") or ())):
        resources = container.get("resources") or {}
        stated = compute_usage(_present(resources.get("requests")), _present(resources.get("limits")))
        for name in required - stated.keys():
            missing.setdefault(name, set()).add(container.get("name", ""))
    return "; ".join(f"{name} for: {','.join(sorted(containers))}" for name, containers in sorted(missing.items()))


def _present(quantities: Mapping[str, str] | None) -> Amounts:
    return {name: parse(quantity) for name, quantity in (quantities or {}).items()}
