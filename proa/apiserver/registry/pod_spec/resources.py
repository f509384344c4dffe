"""Requests and limits: names, amounts, that no request is above its limit, and claims of devices."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from proa.api.errors import Cause, duplicate, forbidden, invalid, required
from proa.api.meta import Object
from proa.api.names import dns1123_label
from proa.api.quantity import canonical_text, parse
from proa.api.resource_names import HUGE_PAGES, is_huge_page, is_overcommit_allowed
from proa.apiserver.registry.checks import check_optional_name
from proa.apiserver.registry.resource_checks import check_container_resource_name, check_resource_amount, is_amount


def validate_resources(
    resources: Object,
    path: str,
    *,
    claims: Collection[str] | None = None,
    check_resource: Callable[[str, str], list[Cause]] = check_container_resource_name,
) -> list[Cause]:
    """`claims` are the names in the pod's resourceClaims; None where claims aren't looked at."""
    limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
    causes: list[Cause] = []
    for name, amount in limits.items():
        own = f"{path}.limits[{name}]"
        causes += check_resource(name, own) + _validate_amount(name, amount, own)
    for name, amount in requests.items():
        own = f"{path}.requests[{name}]"
        causes += check_resource(name, own) + _validate_amount(name, amount, own) + _within_limit(name, amount, limits, path)
    names = (*limits, *requests)
    if any(map(is_huge_page, names)) and "cpu" not in names and "memory" not in names:
        causes.append(forbidden(path, "HugePages require cpu or memory"))
    if claims is not None and "claims" in resources:
        causes += _validate_claims(resources["claims"], claims, f"{path}.claims")
    return causes


def _validate_amount(name: str, amount: Any, path: str) -> list[Cause]:
    causes = check_resource_amount(name, amount, path)
    if is_huge_page(name) and is_amount(amount) and not _divisible(name, amount):
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
    seen: set[str] = set()
    for index, claim in enumerate(claims):
        own, name, request = f"{path}[{index}]", claim.get("name") or "", claim.get("request") or ""
        if not name:
            causes.append(required(own))
            continue
        if name in seen:
            causes.append(duplicate(own, name))
        else:
            causes += check_optional_name(f"{own}.request", request, dns1123_label)
            causes += _take(f"{name}/{request}" if request else name, seen, own)
        if name not in known:
            among = f": {', '.join(sorted(known))}" if known else " which is empty"
            message = f'Not found: "{name}": must be one of the names in pod.spec.resourceClaims{among}'
            causes.append(Cause(own, message, "FieldValueNotFound"))
    return causes


def _take(claim: str, seen: set[str], path: str) -> list[Cause]:
    """A whole claim overlaps with each of its requests."""
    causes = [duplicate(path, claim)] if claim in seen else []
    if "/" not in claim:
        causes += [duplicate(path, claim) for other in seen if other.startswith(f"{claim}/")]
    seen.add(claim)
    return causes
