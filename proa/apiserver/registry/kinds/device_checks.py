"""What claims, classes, slices and rules of resource.k8s.io share: names, selectors, configuration, taints, lists with a limit."""

import re
from collections.abc import Callable, Sequence
from typing import Any

import orjson

from proa.api.errors import Cause, duplicate, invalid, not_supported, required, too_long
from proa.api.meta import Object
from proa.api.names import dns1123_label, dns1123_subdomain, label_value, qualified_name
from proa.apiserver.registry.checks import check_choice, check_driver_name, check_key, check_name, too_many
from proa.apiserver.registry.kinds.device_expressions import check_expression

MAX_SELECTORS, MAX_CONFIGURATIONS, MAX_PARAMETERS, MAX_POOL_NAME, MAX_ID = 32, 32, 10 * 1024, 253, 32
EFFECTS = ("NoExecute", "NoSchedule", "None")
_identifier = re.compile("[A-Za-z_][A-Za-z0-9_]*").fullmatch
_IDENTIFIER_MESSAGE = (
    "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_' "
    "(e.g. 'my_name',  or 'MY_NAME',  or 'MyName', regex used for validation is '[A-Za-z_][A-Za-z0-9_]*')"
)
Check = Callable[[Any, str], list[Cause]]


def check_list(items: Sequence[Any], limit: int, check: Check, path: str) -> list[Cause]:
    """A list that is too long isn't looked at any further."""
    if limit >= 0 and len(items) > limit:
        return too_many(path, len(items), limit)
    return [cause for index, item in enumerate(items) for cause in check(item, f"{path}[{index}]")]


def check_set(items: Sequence[Any], limit: int, check: Check, key: Callable[[Any], Any], path: str) -> list[Cause]:
    causes = check_list(items, limit, check, path)
    if limit >= 0 and len(items) > limit:
        return causes
    seen: set[Any] = set()
    for index, item in enumerate(items):
        if key(item) in seen:
            causes.append(duplicate(f"{path}[{index}]", key(item)))
        seen.add(key(item))
    return causes


def check_selectors(selectors: Sequence[Object], path: str) -> list[Cause]:
    return check_list(selectors, MAX_SELECTORS, _check_selector, path)


def _check_selector(selector: Object, path: str) -> list[Cause]:
    cel = selector.get("cel")
    if cel is None:
        return [required(f"{path}.cel")]
    return check_expression(cel.get("expression") or "", f"{path}.cel.expression")


def check_configuration(config: Object, path: str) -> list[Cause]:
    opaque = config.get("opaque")
    if opaque is None:
        return [required(f"{path}.opaque")]
    return check_driver_name(f"{path}.opaque.driver", opaque.get("driver")) + check_raw(
        opaque.get("parameters"), MAX_PARAMETERS, f"{path}.opaque.parameters"
    )


def check_raw(value: Any, limit: int, path: str) -> list[Cause]:
    if value is None:
        return [required(path)]
    if len(orjson.dumps(value)) > limit:
        return [too_long(path, limit)]
    return [] if isinstance(value, dict) else [invalid(path, "<value omitted>", "must be a valid JSON object")]


def check_pool_name(name: str | None, path: str) -> list[Cause]:
    """DNS subdomains, joined by slashes."""
    if not name:
        return [required(path)]
    causes = [too_long(path, MAX_POOL_NAME)] if len(name) > MAX_POOL_NAME else []
    return causes + [invalid(path, part, problem) for part in name.split("/") for problem in dns1123_subdomain(part)]


def check_device_name(name: str | None, path: str) -> list[Cause]:
    return check_key(path, name, dns1123_label)


def check_qualified(name: str, path: str) -> list[Cause]:
    """A C identifier, with the domain of who defined it before a slash."""
    domain, slash, rest = name.rpartition("/")
    if not slash:
        return _check_identifier(name, path)
    causes = check_driver_name(path, domain) if domain else [invalid(path, "", "the domain must not be empty")]
    return causes + (_check_identifier(rest, path) if rest else [invalid(path, "", "the name must not be empty")])


def check_fully_qualified(name: str, path: str) -> list[Cause]:
    causes = check_qualified(name, path)
    if "/" not in name:
        causes.append(invalid(path, name, "a fully qualified name must be a domain and a name separated by a slash"))
    return causes


def _check_identifier(name: str, path: str) -> list[Cause]:
    causes = [too_long(path, MAX_ID)] if len(name) > MAX_ID else []
    return causes if _identifier(name) else [*causes, invalid(path, name, _IDENTIFIER_MESSAGE)]


def check_taint(taint: Object, path: str) -> list[Cause]:
    causes = check_key(f"{path}.key", taint.get("key"), qualified_name)
    if taint.get("value"):
        causes += [invalid(f"{path}.value", taint["value"], problem) for problem in label_value(taint["value"])]
    return causes + check_choice(f"{path}.effect", taint.get("effect"), EFFECTS)


def check_toleration(toleration: Object, path: str) -> list[Cause]:
    operator, value = toleration.get("operator") or "", toleration.get("value") or ""
    causes = check_name(f"{path}.key", toleration["key"], qualified_name) if toleration.get("key") else []
    if operator == "Exists" and value:
        causes.append(invalid(f"{path}.value", value, "must be empty for operator `Exists`"))
    elif operator == "Equal":
        causes += [invalid(f"{path}.value", value, problem) for problem in label_value(value)]
    elif not operator:
        causes.append(required(f"{path}.operator"))
    elif operator != "Exists":
        causes.append(not_supported(f"{path}.operator", operator, ("Equal", "Exists")))
    return causes + check_choice(f"{path}.effect", toleration.get("effect"), EFFECTS, optional=True)
