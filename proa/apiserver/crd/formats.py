"""String formats that schemas of custom resources may name and that are checked; others are taken as documentation, int32 and int64 too.

Source: the formats of k8s.io/kube-openapi's strfmt, as the CustomResourceDefinition API reference lists them.
"""

import base64
import binascii
import ipaddress
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any
from urllib.parse import urlsplit

from proa.api.names import dns1123_label, dns1123_subdomain

Check = Callable[[str], bool]


def _pattern(pattern: str, flags: int = 0) -> Check:
    match = re.compile(pattern, flags).fullmatch
    return lambda value: match(value) is not None


_DATE_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:[Zz]|[+-]\d{2}:\d{2})")
_DURATION_UNITS = (
    r"(?:ns|us|µs|ms|s|m|h|d|w|nanos?|nanoseconds?|micros?|microseconds?|millis?|milliseconds?|secs?|seconds?|mins?|minutes?|hrs?|hours?"
    r"|days?|wks?|weeks?)"
)
_HOST_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
_DURATION = re.compile(rf"[+-]?(?:\d+(?:\.\d*)?|\.\d+)\s*{_DURATION_UNITS}(?:\s*(?:\d+(?:\.\d*)?|\.\d+)\s*{_DURATION_UNITS})*|[+-]?0")


def _date_time(value: str) -> bool:
    if not _DATE_TIME.fullmatch(value):
        return False
    try:
        datetime.fromisoformat(value.upper())
    except ValueError:
        return False
    return True


def _date(value: str) -> bool:
    try:
        return len(value) == 10 and bool(date.fromisoformat(value))
    except ValueError:
        return False


def _byte(value: str) -> bool:
    try:
        base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


def _address(version: int) -> Check:
    kind: Callable[[str], object] = ipaddress.IPv4Address if version == 4 else ipaddress.IPv6Address

    def check(value: str) -> bool:
        try:
            kind(value)
        except ValueError:
            return False
        return True

    return check


def _cidr(value: str) -> bool:
    try:
        ipaddress.ip_network(value, strict=False)
    except ValueError:
        return False
    return "/" in value


def _uri(value: str) -> bool:
    """An absolute URI, or an absolute path."""
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    return bool(parts.scheme or value.startswith("/")) and not any(character.isspace() or ord(character) < 32 for character in value)


def _email(value: str) -> bool:
    """An address, or a name and an address in angle brackets."""
    from email.utils import parseaddr

    name, address = parseaddr(value)
    local, at, domain = address.rpartition("@")
    return bool(local and at and domain) and " " not in address and (bool(name) or value.strip().strip("<>") == address)


_HOST = re.compile(rf"(?:{_HOST_LABEL}\.)*{_HOST_LABEL}\.?")


def _hostname(value: str) -> bool:
    """RFC 1034: labels of letters, digits and hyphens; not all of them numbers, as an address is."""
    return len(value) <= 255 and _HOST.fullmatch(value) is not None


_MAC = re.compile(
    r"[0-9a-f]{2}(?::[0-9a-f]{2}){5}(?:(?::[0-9a-f]{2}){2}|(?::[0-9a-f]{2}){14})?"
    r"|[0-9a-f]{2}(?:-[0-9a-f]{2}){5}(?:(?:-[0-9a-f]{2}){2}|(?:-[0-9a-f]{2}){14})?"
    r"|[0-9a-f]{4}(?:\.[0-9a-f]{4}){2}(?:\.[0-9a-f]{4}|(?:\.[0-9a-f]{4}){7})?",
    re.IGNORECASE,
)


def _mac(value: str) -> bool:
    return _MAC.fullmatch(value) is not None


_BYTE = "25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d"


def _uuid(version: str, variant: str) -> Check:
    digits = "[0-9a-f]"
    middle = f"-?{version}{digits}{{3}}-?{variant}{digits}{{3}}-?"
    return _pattern(f"{digits}{{8}}-?{digits}{{4}}{middle}{digits}{{12}}", re.IGNORECASE)


def _digits(value: str) -> str:
    return re.sub(r"[\s-]", "", value)


def _isbn10(value: str) -> bool:
    digits = _digits(value)
    if not re.fullmatch(r"\d{9}[\dX]", digits):
        return False
    return sum((index + 1) * (10 if digit == "X" else int(digit)) for index, digit in enumerate(digits)) % 11 == 0


def _isbn13(value: str) -> bool:
    digits = _digits(value)
    return (
        bool(re.fullmatch(r"\d{13}", digits)) and sum(int(digit) * (3 if index % 2 else 1) for index, digit in enumerate(digits)) % 10 == 0
    )


_CARD = re.compile(r"4\d{12}(?:\d{3})?|5[1-5]\d{14}|6(?:011|5\d\d)\d{12}|3[47]\d{13}|3(?:0[0-5]|[68]\d)\d{11}|(?:2131|1800|35\d{3})\d{11}")


def _credit_card(value: str) -> bool:
    digits = re.sub(r"\D", "", value)
    if not _CARD.fullmatch(digits):
        return False
    doubled = [int(digit) * (2 if index % 2 else 1) for index, digit in enumerate(reversed(digits))]
    return sum(digit - 9 if digit > 9 else digit for digit in doubled) % 10 == 0


FORMATS: Mapping[str, Check] = {
    "bsonobjectid": _pattern(r"[0-9a-fA-F]{24}"),
    "byte": _byte,
    "cidr": _cidr,
    "creditcard": _credit_card,
    "date": _date,
    "datetime": _date_time,
    "duration": lambda value: _DURATION.fullmatch(value) is not None,
    "email": _email,
    "hexcolor": _pattern(r"#?(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})"),
    "hostname": _hostname,
    "ipv4": _address(4),
    "ipv6": _address(6),
    "isbn": lambda value: _isbn10(value) or _isbn13(value),
    "isbn10": _isbn10,
    "isbn13": _isbn13,
    "k8slongname": lambda value: not dns1123_subdomain(value),
    "k8sshortname": lambda value: not dns1123_label(value),
    "mac": _mac,
    "password": lambda value: True,
    "rgbcolor": _pattern(r"rgb\(\s*(?:_)\s*,\s*(?:_)\s*,\s*(?:_)\s*\)".replace("_", _BYTE)),
    "ssn": _pattern(r"\d{3}[- ]?\d{2}[- ]?\d{4}"),
    "uri": _uri,
    "uuid": _uuid("[0-9a-f]", "[0-9a-f]"),
    "uuid3": _uuid("3", "[0-9a-f]"),
    "uuid4": _uuid("4", "[89ab]"),
    "uuid5": _uuid("5", "[89ab]"),
}  # fmt: skip


def find_format(name: str) -> Check | None:
    """Dashes don't count: `date-time` is `datetime`."""
    return FORMATS.get(name.replace("-", "")) if name else None


def unknown_formats(spec: Mapping[str, Any]) -> list[str]:
    """Those that strings in any schema of a definition name and that nobody checks, once each place."""
    found: list[str] = []
    for version in spec.get("versions") or ():
        _collect((version.get("schema") or {}).get("openAPIV3Schema"), found)
    return found


def _collect(schema: Any, found: list[str]) -> None:
    if not isinstance(schema, dict):
        return
    if schema.get("format") and schema.get("type") == "string" and find_format(schema["format"]) is None:
        found.append(schema["format"])
    inside = [*(schema.get("properties") or {}).values(), schema.get("items"), schema.get("additionalProperties"), schema.get("not")]
    for junctor in ("allOf", "anyOf", "oneOf"):
        inside += schema.get(junctor) or ()
    for each in inside:
        _collect(each, found)
