"""Requests and limits: names, amounts, and that no request is above its limit."""

from collections.abc import Mapping
from typing import Any

from proa.api.errors import Cause, invalid, required
from proa.api.meta import Object
from proa.api.names import qualified_name
from proa.api.quantity import FORMAT_MESSAGE, NANO, canonical_text, parse
from proa.apiserver.registry.checks import NOT_NEGATIVE

_FOR_CONTAINERS = {"cpu", "memory", "ephemeral-storage"}
_STANDARD = _FOR_CONTAINERS | {"storage", "pods", "services", "secrets", "configmaps", "persistentvolumeclaims", "resourcequotas"}


def validate_resources(resources: Object, path: str) -> list[Cause]:
    causes: list[Cause] = []
    limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
    for name, amount in limits.items():
        causes += _validate_amount(name, amount, f"{path}.limits")
    for name, amount in requests.items():
        causes += _validate_amount(name, amount, f"{path}.requests")
    if not causes:
        causes += _requests_within_limits(requests, limits, path)
    claims = resources.get("claims") or ()
    for index, claim in enumerate(claims):
        if not claim.get("name"):
            causes.append(required(f"{path}.claims[{index}].name"))
    return causes


def _requests_within_limits(requests: Mapping[str, Any], limits: Mapping[str, Any], path: str) -> list[Cause]:
    causes: list[Cause] = []
    for name, amount in requests.items():
        if name in limits:
            wanted, limit = parse(amount), parse(limits[name])
            if _must_be_equal(name) and wanted.nano != limit.nano:
                causes.append(invalid(f"{path}.requests", str(wanted), f"must be equal to {name} limit of {limit}"))
            elif wanted.nano > limit.nano:
                causes.append(invalid(f"{path}.requests", str(wanted), f"must be less than or equal to {name} limit of {limit}"))
        elif _must_be_equal(name):
            causes.append(required(f"{path}.limits", "Limit must be set for non overcommitable resources"))
    return causes


def _must_be_equal(name: str) -> bool:
    """Huge pages and extended resources can't be overcommitted."""
    return name.startswith("hugepages-") or ("/" in name and not name.partition("/")[0].endswith("kubernetes.io"))


def _validate_amount(name: str, amount: Any, path: str) -> list[Cause]:
    field = f"{path}[{name}]"
    causes = _validate_resource_name(name, field)
    try:
        quantity = parse(amount)
    except (ValueError, TypeError):
        return [*causes, invalid(field, amount, FORMAT_MESSAGE)]
    if quantity.nano < 0:
        causes.append(invalid(field, canonical_text(amount), NOT_NEGATIVE))
    if quantity.nano % NANO and name not in ("cpu", "memory", "ephemeral-storage"):
        causes.append(invalid(field, canonical_text(amount), "must be an integer"))
    return causes


def _validate_resource_name(name: str, field: str) -> list[Cause]:
    if name in _FOR_CONTAINERS or name.startswith("hugepages-"):
        return []
    causes = [invalid(field, name, problem) for problem in qualified_name(name)]
    if not causes and "/" not in name:
        if name not in _STANDARD:
            causes.append(invalid(field, name, "must be a standard resource type or fully qualified"))
        causes.append(invalid(field, name, "must be a standard resource for containers"))
    return causes
