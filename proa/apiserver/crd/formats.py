"""String formats that schemas of custom resources may name and that are checked; others are taken as documentation.

Source: the formats of k8s.io/kube-openapi's strfmt, as the CustomResourceDefinition API reference lists them.
"""

import base64
import binascii
import ipaddress
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
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
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    return bool(parts.scheme or value.startswith("/")) and not any(character.isspace() for character in value)


def _uuid(version: str) -> Check:
    return _pattern(rf"[0-9a-f]{{8}}-?[0-9a-f]{{4}}-?{version}[0-9a-f]{{3}}-?[0-9a-f]{{4}}-?[0-9a-f]{{12}}", re.IGNORECASE)


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


def _credit_card(value: str) -> bool:
    digits = _digits(value)
    if not re.fullmatch(r"\d{13,19}", digits):
        return False
    doubled = [int(digit) * (2 if index % 2 else 1) for index, digit in enumerate(reversed(digits))]
    return sum(digit - 9 if digit > 9 else digit for digit in doubled) % 10 == 0


FORMATS: Mapping[str, Check] = {
    "bsonobjectid": _pattern(r"[0-9a-fA-F]{24}"),
    "byte": _byte,
    "cidr": _cidr,
    "creditcard": _credit_card,
    "date": _date,
    "date-time": _date_time,
    "datetime": _date_time,
    "duration": lambda value: _DURATION.fullmatch(value) is not None,
    "email": _pattern(r"[^@\s]+@[^@\s]+"),
    "hexcolor": _pattern(r"#?(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})"),
    "hostname": _pattern(rf"(?=.{{1,255}}$)(?:{_HOST_LABEL}\.)*{_HOST_LABEL}\.?"),
    "ipv4": _address(4),
    "ipv6": _address(6),
    "isbn": lambda value: _isbn10(value) or _isbn13(value),
    "isbn10": _isbn10,
    "isbn13": _isbn13,
    "k8s-long-name": lambda value: not dns1123_subdomain(value),
    "k8s-short-name": lambda value: not dns1123_label(value),
    "mac": _pattern(r"[0-9a-fA-F]{2}(?:(?:[:-][0-9a-fA-F]{2}){5}|(?:[:-][0-9a-fA-F]{2}){7})|[0-9a-fA-F]{4}(?:\.[0-9a-fA-F]{4}){2,3}"),
    "rgbcolor": _pattern(r"rgb\(\s*\d{1,3}\s*,\s*\d{1,3}\s*,\s*\d{1,3}\s*\)"),
    "ssn": _pattern(r"\d{3}[- ]?\d{2}[- ]?\d{4}"),
    "uri": _uri,
    "uuid": _uuid("[0-9a-f]"),
    "uuid3": _uuid("3"),
    "uuid4": _uuid("4"),
    "uuid5": _uuid("5"),
}  # fmt: skip
