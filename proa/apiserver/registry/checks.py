"""Small checks that validation of many kinds is made of. Each gives the causes, in upstream's words."""

import re
from collections.abc import Sequence
from typing import Any

from proa.api.errors import Cause, duplicate, invalid, not_supported, required, too_long
from proa.api.meta import Object
from proa.api.names import LABEL_MAX_LENGTH, dns1123_subdomain, http_path, out_of_range, port_name, port_number, qualified_name
from proa.api.quantity import canonical_text, parse
from proa.apiserver.registry.addresses import Address, cidr_problems, ip_problems, parse_ip
from proa.apiserver.registry.object_meta import NameCheck

NOT_NEGATIVE = "must be greater than or equal to 0"
PROTOCOLS = ("SCTP", "TCP", "UDP")
CONDITION_STATUSES = ("False", "True", "Unknown")
MAX_CONDITION_REASON, MAX_CONDITION_MESSAGE = 1024, 32768
_REASON = "[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?"
_reason = re.compile(_REASON).fullmatch
_REASON_MESSAGE = (
    "a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric characters or '_,:', "
    "and must end with an alphanumeric character or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName',  or 'ReasonA,ReasonB',  or "
    f"'ReasonA:ReasonB', regex used for validation is '{_REASON}')"
)


def check_name(path: str, value: str | None, check: NameCheck, *, detail: str = "") -> list[Cause]:
    """A required name."""
    if not value:
        return [required(path, detail)]
    return [invalid(path, value, problem) for problem in check(value)]


def check_optional_name(path: str, value: str | None, check: NameCheck) -> list[Cause]:
    return [invalid(path, value, problem) for problem in check(value)] if value else []


def check_domain_path(path: str, value: str | None) -> list[Cause]:
    """A required `acme.io/foo`: a DNS name, a slash, a path."""
    if not value:
        return [required(path)]
    domain, _, rest = value.partition("/")
    if not domain or not rest:
        return [invalid(path, value, 'must be a domain-prefixed path (such as "acme.io/foo")')]
    causes = [invalid(path, domain, problem) for problem in dns1123_subdomain(domain)]
    return causes + [invalid(path, rest, problem) for problem in http_path(rest)]


def check_choice(path: str, value: str | None, allowed: Sequence[str], *, optional: bool = False, in_order: bool = True) -> list[Cause]:
    """`in_order` False: the message lists the choices as they are written here, as upstream does for those that are no set."""
    if not value:
        return [] if optional else [required(path)]
    return [] if value in allowed else [not_supported(path, value, allowed, in_order=in_order)]


def not_negative(path: str, value: int | None) -> list[Cause]:
    return [invalid(path, value, NOT_NEGATIVE)] if value is not None and value < 0 else []


def within(path: str, value: int | None, low: int, high: int) -> list[Cause]:
    return [invalid(path, value, out_of_range(low, high))] if value is not None and not low <= value <= high else []


def check_port(path: str, value: int | str | None) -> list[Cause]:
    """A port number or the name of one."""
    problems = port_name(value) if isinstance(value, str) else port_number(value or 0)
    return [invalid(path, value, problem) for problem in problems]


def check_ip(path: str, value: str, old: Sequence[str] = ()) -> list[Cause]:
    """`old` are addresses that the object has been stored with: they stay, whatever the rules are today."""
    return [] if value in old else [invalid(path, value, problem) for problem in ip_problems(value)]


def check_not_special(path: str, value: str) -> list[Cause]:
    """Endpoints and external addresses are pods or foreign hosts, never this host or its link."""
    address = parse_ip(value)
    if address is None:
        return [invalid(path, value, "must be a valid IP address")]
    if address.is_unspecified:
        return [invalid(path, value, f"may not be unspecified ({value})")]
    if address.is_loopback:
        return [invalid(path, value, "may not be in the loopback range (127.0.0.0/8, ::1/128)")]
    if address.is_link_local:
        return [invalid(path, value, "may not be in the link-local range (169.254.0.0/16, fe80::/10)")]
    if _is_link_local_multicast(address):
        return [invalid(path, value, "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)")]
    return []


def _is_link_local_multicast(address: Address) -> bool:
    head = address.packed
    return head[:3] == b"\xe0\0\0" if address.version == 4 else head[0] == 0xFF and head[1] & 0x0F == 2


def check_cidr(path: str, value: str, old: Sequence[str] = ()) -> list[Cause]:
    return [] if value in old else [invalid(path, value, problem) for problem in cidr_problems(value)]


def too_many(path: str, count: int, limit: int) -> list[Cause]:
    if count <= limit:
        return []
    return [Cause(path, f"Too many: {count}: must have at most {limit} item{'s' if limit != 1 else ''}", "FieldValueTooMany")]


def invalid_part(path: str, detail: str) -> Cause:
    """A complaint about a whole part, whose value would say nothing."""
    return Cause(path, f"Invalid value: {detail}", "FieldValueInvalid")


def check_key(path: str, value: str | None, check: NameCheck) -> list[Cause]:
    """A name that is checked even if it is empty: the empty one is refused as malformed, not as missing."""
    return [invalid(path, value or "", problem) for problem in check(value or "")]


def check_amount(path: str, amount: Any) -> list[Cause]:
    """A quantity that isn't below zero."""
    return [invalid(path, canonical_text(amount), NOT_NEGATIVE)] if parse(amount).nano < 0 else []


def check_positive(path: str, amount: Any) -> list[Cause]:
    return [] if parse(amount).nano > 0 else [invalid(path, canonical_text(amount), "must be greater than zero")]


def check_driver_name(path: str, name: str | None) -> list[Cause]:
    """The name of a CSI or DRA driver: a DNS subdomain in any case, no longer than a label."""
    if not name:
        return [required(path)]
    causes = [too_long(path, LABEL_MAX_LENGTH)] if len(name) > LABEL_MAX_LENGTH else []
    return causes + [invalid(path, name, problem) for problem in dns1123_subdomain(name.lower())]


def check_conditions(conditions: Sequence[Object], path: str) -> list[Cause]:
    """metav1.Condition, as the newer kinds use it."""
    causes: list[Cause] = []
    seen: set[str] = set()
    for index, condition in enumerate(conditions):
        own, kind = f"{path}[{index}]", condition.get("type") or ""
        if kind in seen:
            causes.append(duplicate(f"{own}.type", kind))
        seen.add(kind)
        causes += [invalid(f"{own}.type", kind, problem) for problem in qualified_name(kind)]
        if condition.get("status") not in CONDITION_STATUSES:
            causes.append(not_supported(f"{own}.status", condition.get("status") or "", CONDITION_STATUSES))
        if (condition.get("observedGeneration") or 0) < 0:
            causes.append(invalid(f"{own}.observedGeneration", condition["observedGeneration"], "must be greater than or equal to zero"))
        if not condition.get("lastTransitionTime"):
            causes.append(required(f"{own}.lastTransitionTime"))
        causes += _check_reason(f"{own}.reason", condition.get("reason") or "")
        if len((condition.get("message") or "").encode()) > MAX_CONDITION_MESSAGE:
            causes.append(too_long(f"{own}.message", MAX_CONDITION_MESSAGE))
    return causes


def _check_reason(path: str, reason: str) -> list[Cause]:
    if not reason:
        return [required(path)]
    causes = [] if _reason(reason) else [invalid(path, reason, _REASON_MESSAGE)]
    if len(reason.encode()) > MAX_CONDITION_REASON:
        causes.append(too_long(path, MAX_CONDITION_REASON))
    return causes


def exactly_one(path: str, obj: Object, fields: Sequence[str]) -> list[Cause]:
    """One of a union's members must be there, and no second one."""
    given = [field for field in fields if obj.get(field) is not None]
    named = ", ".join(f"`{field}`" for field in fields)
    if not given:
        return [invalid(path, "", f"must specify one of: {named}")]
    return [invalid(path, f"{{{', '.join(given)}}}", f"must specify exactly one of: {named}")] if len(given) > 1 else []
