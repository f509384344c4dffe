"""Names and amounts of resources, as requests, limits, quotas and limit ranges have them."""

from typing import Any

from proa.api.errors import Cause, invalid
from proa.api.names import qualified_name
from proa.api.quantity import FORMAT_MESSAGE, MILLI, NANO, canonical_text, parse
from proa.api.resource_names import is_extended, is_integer, is_native, is_standard, is_standard_container_name
from proa.apiserver.registry.checks import NOT_NEGATIVE


def check_resource_name(name: str, path: str) -> list[Cause]:
    causes = [invalid(path, name, problem) for problem in qualified_name(name)]
    if not causes and "/" not in name and not is_standard(name):
        causes.append(invalid(path, name, "must be a standard resource type or fully qualified"))
    return causes


def check_container_resource_name(name: str, path: str) -> list[Cause]:
    """What a container may ask for."""
    if is_standard_container_name(name):
        return []
    causes = check_resource_name(name, path)
    if "/" not in name:
        return [*causes, invalid(path, name, "must be a standard resource for containers")]
    if not is_native(name) and not is_extended(name):
        causes.append(invalid(path, name, "doesn't follow extended resource name standard"))
    return causes


def check_resource_amount(name: str, amount: Any, path: str) -> list[Cause]:
    try:
        quantity = parse(amount)
    except (ValueError, TypeError):
        return [invalid(path, amount, FORMAT_MESSAGE)]
    causes = [invalid(path, canonical_text(amount), NOT_NEGATIVE)] if quantity.nano < 0 else []
    if quantity.nano % NANO and is_integer(name) and -(-quantity.nano // MILLI) % 1000:
        causes.append(invalid(path, canonical_text(amount), "must be an integer"))
    return causes


def is_amount(amount: Any) -> bool:
    try:
        parse(amount)
    except (ValueError, TypeError):
        return False
    return True
