"""LimitRanges: per type of object what one of it may ask for; min, default request, default and max must be in this order."""

from typing import Any

from proa.api.errors import Cause, duplicate, forbidden, invalid, required
from proa.api.meta import Object
from proa.api.names import qualified_name
from proa.api.quantity import canonical_text, parse
from proa.api.resource_names import is_overcommit_allowed
from proa.apiserver.registry.kinds.plain import StatuslessStrategy
from proa.apiserver.registry.resource_checks import check_container_resource_name, check_resource_name

_TYPES = ("Container", "PersistentVolumeClaim", "Pod")
_FIELDS = ("max", "min", "default", "defaultRequest", "maxLimitRequestRatio")
_ORDER = (
    ("min", "max", "min", "min value {} is greater than max value {}"),
    ("min", "defaultRequest", "defaultRequest", "min value {} is greater than default request value {}"),
    ("defaultRequest", "max", "defaultRequest", "default request value {} is greater than max value {}"),
    ("defaultRequest", "default", "defaultRequest", "default request value {} is greater than default limit value {}"),
    ("min", "default", "default", "min value {} is greater than default value {}"),
    ("default", "max", "default", "default value {} is greater than max value {}"),
)
"""(what must not be greater, than what, the field blamed, why)."""
_SHOWN = {("min", "defaultRequest"): "defaultRequest", ("default", "max"): "max"}
"""Whose value the message shows, where it isn't the smaller one's."""


class LimitRangeStrategy(StatuslessStrategy):
    allow_create_on_update = True

    def fill(self, obj: Object) -> None:
        for limit in obj.setdefault("spec", {}).get("limits") or ():
            if limit.get("type") != "Container":
                continue
            for name, amount in (limit.get("max") or {}).items():
                limit.setdefault("default", {}).setdefault(name, amount)
            for source in ("default", "min"):
                for name, amount in (limit.get(source) or {}).items():
                    limit.setdefault("defaultRequest", {}).setdefault(name, amount)

    def check(self, obj: Object) -> list[Cause]:
        causes: list[Cause] = []
        seen: set[str] = set()
        for index, limit in enumerate(obj.get("spec", {}).get("limits") or ()):
            path, kind = f"spec.limits[{index}]", limit.get("type") or ""
            causes += _validate_type(kind, f"{path}.type")
            if kind in seen:
                causes.append(duplicate(f"{path}.type", kind))
            seen.add(kind)
            causes += _validate_names(limit, kind, path)
            for name in sorted({name for field in _FIELDS for name in limit.get(field) or ()}):
                causes += _validate_amounts(
                    {field: limit[field][name] for field in _FIELDS if name in (limit.get(field) or ())}, name, path
                )
        return causes


def _validate_type(kind: str, path: str) -> list[Cause]:
    causes = [invalid(path, kind, problem) for problem in qualified_name(kind)]
    if not causes and "/" not in kind and kind not in _TYPES:
        causes.append(invalid(path, kind, "must be a standard limit type or fully qualified"))
    return causes


def _validate_names(limit: Object, kind: str, path: str) -> list[Cause]:
    check = check_container_resource_name if kind in ("Container", "Pod") else check_resource_name
    causes: list[Cause] = []
    for field in _FIELDS:
        amounts = limit.get(field) or {}
        if kind == "Pod" and field in ("default", "defaultRequest"):
            causes += [forbidden(f"{path}.{field}", "may not be specified when `type` is 'Pod'")] if amounts else []
            continue
        causes += [cause for name in amounts for cause in check(name, f"{path}.{field}[{name}]")]
    if kind == "PersistentVolumeClaim" and not any("storage" in (limit.get(field) or ()) for field in ("min", "max")):
        detail = "either minimum or maximum storage value is required, but neither was provided"
        causes.append(required(f"{path}.limits", detail))
    return causes


def _validate_amounts(amounts: dict[str, Any], name: str, path: str) -> list[Cause]:
    causes: list[Cause] = []
    for smaller, larger, blamed, why in _ORDER:
        if smaller in amounts and larger in amounts and parse(amounts[smaller]).nano > parse(amounts[larger]).nano:
            shown = canonical_text(amounts[_SHOWN.get((smaller, larger), smaller)])
            detail = why.format(canonical_text(amounts[smaller]), canonical_text(amounts[larger]))
            causes.append(invalid(f"{path}.{blamed}[{name}]", shown, detail))
    causes += _validate_ratio(amounts, name, path)
    default, request = amounts.get("default"), amounts.get("defaultRequest")
    if not is_overcommit_allowed(name) and default is not None and request is not None and parse(default).nano != parse(request).nano:
        detail = f"default value {canonical_text(default)} must equal to defaultRequest value {canonical_text(request)} in {name}"
        causes.append(invalid(f"{path}.defaultRequest[{name}]", canonical_text(request), detail))
    return causes


def _validate_ratio(amounts: dict[str, Any], name: str, path: str) -> list[Cause]:
    if "maxLimitRequestRatio" not in amounts:
        return []
    own, ratio = f"{path}.maxLimitRequestRatio[{name}]", amounts["maxLimitRequestRatio"]
    text, value = canonical_text(ratio), parse(ratio).nano / 1e9
    causes = [invalid(own, text, f"ratio {text} is less than 1")] if value < 1 else []
    if "min" in amounts and "max" in amounts and (low := parse(amounts["min"]).nano):
        limit = parse(amounts["max"]).nano / low
        if value > limit:
            causes.append(invalid(own, text, f"ratio {text} is greater than max/min = {limit:f}"))
    return causes
