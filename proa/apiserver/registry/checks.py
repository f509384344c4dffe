"""Small checks that validation of many kinds is made of. Each gives the causes, in upstream's words."""

import ipaddress
from collections.abc import Sequence

from proa.api.errors import Cause, invalid, not_supported, required
from proa.api.names import out_of_range, port_name, port_number
from proa.apiserver.registry.object_meta import NameCheck

NOT_NEGATIVE = "must be greater than or equal to 0"
PROTOCOLS = ("SCTP", "TCP", "UDP")


def check_name(path: str, value: str | None, check: NameCheck, *, detail: str = "") -> list[Cause]:
    """A required name."""
    if not value:
        return [required(path, detail)]
    return [invalid(path, value, problem) for problem in check(value)]


def check_optional_name(path: str, value: str | None, check: NameCheck) -> list[Cause]:
    return [invalid(path, value, problem) for problem in check(value)] if value else []


def check_choice(path: str, value: str | None, allowed: Sequence[str], *, optional: bool = False) -> list[Cause]:
    if not value:
        return [] if optional else [required(path)]
    return [] if value in allowed else [not_supported(path, value, allowed)]


def not_negative(path: str, value: int | None) -> list[Cause]:
    return [invalid(path, value, NOT_NEGATIVE)] if value is not None and value < 0 else []


def within(path: str, value: int | None, low: int, high: int) -> list[Cause]:
    return [invalid(path, value, out_of_range(low, high))] if value is not None and not low <= value <= high else []


def check_port(path: str, value: int | str | None) -> list[Cause]:
    """A port number or the name of one."""
    problems = port_name(value) if isinstance(value, str) else port_number(value or 0)
    return [invalid(path, value, problem) for problem in problems]


def parse_ip(value: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(value)
    except ValueError:
        return None


def check_ip(path: str, value: str) -> list[Cause]:
    if parse_ip(value) is None:
        return [invalid(path, value, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)")]
    return []


def check_cidr(path: str, value: str) -> list[Cause]:
    try:
        ipaddress.ip_network(value, strict=False)
    except ValueError:
        return [invalid(path, value, "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)")]
    return [] if "/" in value else [invalid(path, value, "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)")]
