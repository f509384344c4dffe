"""Requests and limits: names, amounts, that no request is above its limit, and claims of devices."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from proa.api.errors import Cause, duplicate, forbidden, invalid, required
from proa.api.meta import Object
from proa.api.quantity import canonical_text, parse
from proa.api.resource_names import HUGE_PAGES, is_huge_page, is_overcommit_allowed
from proa.apiserver.registry.resource_checks import check_container_resource_name, check_resource_amount


def validate_resources(resources: Object, path: str, claims: Collection[str] | None = None) -> list[Cause]:
    """`claims` are the names in the pod's resourceClaims; None where claims aren't looked at."""
    limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
    causes: list[Cause] = []
    for name, amount in limits.items():
        causes += _validate_amount(name, amount, f"{path}.limits[{name}]")
    for name, amount in requests.items():
        wrong = _validate_amount(name, amount, f"{path}.requests[{name}]")
        causes += wrong or _within_limit(name, amount, limits, path)
    names = (*limits, *requests)
    if any(map(is_huge_page, names)) and "cpu" not in names and "memory" not in names:
        causes.append(forbidden(path, "HugePages require cpu or memory"))
    if claims is not None and "claims" in resources:
        causes += _validate_claims(resources["claims"], claims, f"{path}.claims")
    return causes


def _validate_amount(name: str, amount: Any, path: str) -> list[Cause]:
    causes = check_container_resource_name(name, path) + check_resource_amount(name, amount, path)
    if not causes and is_huge_page(name) and not _divisible(name, amount):
        causes.append(invalid(path, canonical_text(amount), f"{canonical_text(amount)} is not positive integer multiple of {name}"))
    return causes


def _divisible(name: str, amount: Any) -> bool:
    try:
        page = parse(name.removeprefix(HUGE_PAGES)).nano
    except ValueError:
        return False
    return page > 0 and parse(amount).nano % page == 0


def _within_limit(name: str, amount: Any, limits: Mapping[str, Any], path: str) -> list[Cause]:
    if name not in limits:
        return [] if is_overcommit_allowed(name) else [required(f"{path}.limits", "Limit must be set for non overcommitable resources")]
    try:
        wanted, limit = parse(amount), parse(limits[name])
    except (ValueError, TypeError):
        return []
    if wanted.nano != limit.nano and not is_overcommit_allowed(name):
        return [invalid(f"{path}.requests", str(wanted), f"must be equal to {name} limit of {limit}")]
    if wanted.nano > limit.nano:
        return [invalid(f"{path}.requests", str(wanted), f"must be less than or equal to {name} limit of {limit}")]
    return []


def _validate_claims(claims: Sequence[Object], known: Collection[str], path: str) -> list[Cause]:
    causes: list[Cause] = []
    seen: set[tuple[str, str]] = set()
    for index, claim in enumerate(claims):
        name, request = claim.get("name") or "", claim.get("request") or ""
        if not name:
            causes.append(required(f"{path}[{index}]"))
            continue
        if (name, request) in seen:
            causes.append(duplicate(f"{path}[{index}]", f"{name}/{request}" if request else name))
        seen.add((name, request))
        if name not in known:
            among = f": {', '.join(sorted(known))}" if known else " which is empty"
            message = f'Not found: "{name}": must be one of the names in pod.spec.resourceClaims{among}'
            causes.append(Cause(f"{path}[{index}]", message, "FieldValueNotFound"))
    return causes
