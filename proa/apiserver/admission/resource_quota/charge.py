"""Whether a request fits into the quotas of its namespace, and what they have used with it. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from proa.api import meta
from proa.api.meta import Object
from proa.api.pod_resources import Amounts, amounts
from proa.api.quantity import ZERO, parse
from proa.api.quota.scopes import counts
from proa.api.quota.usage import CLAIMS, PODS, SERVICES, compute_usage, names_for, usage_of
from proa.apiserver.admission.resource_quota.limited import Limited, uncovered
from proa.lib.dataclass import dataclass

MUST_BE_STATED = frozenset({"cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"})
"""A quota on one of these means that each container has to state it."""


class QuotaRefusal(Exception):
    """Why the request may not pass."""


@dataclass(frozen=True, slots=True)
class Demand:
    """What a request adds. `usage` is the object's own, `delta` what it changes."""

    kind: tuple[str, str]
    obj: Object
    delta: Amounts


def demand_of(kind: tuple[str, str], operation: str, subresource: str, obj: Object, old: Object | None, now: datetime) -> Demand | None:
    """None for what quotas do not look at."""
    if not _is_watched(kind, operation, subresource):
        return None
    delta = usage_of(kind, obj, now)
    if operation == "UPDATE" and old is not None and meta.resource_version(old):
        before = usage_of(kind, old, now)
        delta = {name: delta.get(name, ZERO) - before.get(name, ZERO) for name in {**delta, **before}}
    delta = {name: amount for name, amount in delta.items() if amount}
    return Demand(kind, obj, delta)


def _is_watched(kind: tuple[str, str], operation: str, subresource: str) -> bool:
    if subresource:
        return kind == PODS and (operation, subresource) == ("UPDATE", "resize")
    return operation == "CREATE" or (operation == "UPDATE" and kind in (SERVICES, CLAIMS))


def charge(quotas: Sequence[Object], demand: Demand, limited: Sequence[Limited] = ()) -> dict[str, Amounts]:
    """What the quotas concerned have used with the request, by name, only where that changes; raises QuotaRefusal."""
    concerned = [quota for quota in quotas if counts(quota, demand.kind, demand.obj, _hard(quota))]
    for quota in concerned:
        _check_statements(quota, demand)
    if why := uncovered(limited, demand.kind, demand.obj, demand.delta, concerned):
        raise QuotaRefusal(why)
    charged: dict[str, Amounts] = {}
    for quota in concerned if demand.delta else ():
        used = amounts((quota.get("status") or {}).get("used"))
        hard = amounts(_hard(quota))
        requested = {name: amount for name, amount in demand.delta.items() if name in hard}
        new = {name: used.get(name, ZERO) + amount for name, amount in requested.items()}
        exceeded = sorted(name for name, amount in new.items() if amount.nano > hard[name].nano and requested[name].nano > 0)
        if exceeded:
            told = [", ".join(f"{word}: {_told(each, exceeded)}" for word, each in _three(requested, used, hard))]
            raise QuotaRefusal(f"exceeded quota: {meta.name(quota)}, {told[0]}")
        if requested:
            charged[meta.name(quota)] = used | new
    return charged


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
    unknown = sorted(names - ((quota.get("status") or {}).get("used") or {}).keys())
    if unknown:
        raise QuotaRefusal(f"status unknown for quota: {meta.name(quota)}, resources: {','.join(unknown)}")


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
