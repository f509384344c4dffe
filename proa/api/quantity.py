"""Quantities ("500m", "1Gi", "1e3"): exact values, compared as numbers and printed as Kubernetes prints them.

A value is an integer number of nano units, as nothing smaller exists in the API (smaller values round up). The canonical form keeps the
family of suffixes (binary, decimal, exponent) and uses the largest one that leaves no fraction. Source: apimachinery resource.Quantity.
"""

import re
from typing import Literal

from proa.lib.dataclass import dataclass
from proa.lib.remembered import remembered

Format = Literal["binary", "decimal", "exponent"]
NANO = 10**9
MILLI = 10**6
FORMAT_MESSAGE = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
SUFFIX_MESSAGE = "unable to parse quantity's suffix"
LONGEST_EXPONENT = 18
"""Digits, so that it is an int64."""
_MAX = (2**63 - 1) * NANO
_MAGNITUDE = 100
_SIGNIFICANT = 200

_BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_DECIMAL_BY_EXPONENT = {exponent: suffix for suffix, exponent in _DECIMAL.items()}
_match = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]*))?([eE][+-]?[0-9]+|[numkMGTPE]|[KMGTPE]i)?").fullmatch


@dataclass(frozen=True, slots=True, order=True)
class Quantity:
    """`nano` is the value times 10^9; quantities compare by value first."""

    nano: int
    format: Format = "decimal"

    @property
    def value(self) -> int:
        """Whole units, rounded away from zero (a fraction of a byte needs a byte)."""
        return _round_away(self.nano, NANO)

    @property
    def milli_value(self) -> int:
        """Thousandths, rounded away from zero: CPUs."""
        return _round_away(self.nano, MILLI)

    def __str__(self) -> str:
        return canonical(self)

    def __bool__(self) -> bool:
        return self.nano != 0

    def __add__(self, other: "Quantity") -> "Quantity":
        return Quantity(self.nano + other.nano, self.format if self.nano else other.format)

    def __sub__(self, other: "Quantity") -> "Quantity":
        return Quantity(self.nano - other.nano, self.format if self.nano else other.format)


ZERO = Quantity(0)


@remembered(8192)
def parse(text: str | int | float) -> Quantity:
    """The quantity that `text` (or a JSON number) says; raises ValueError with the API's message."""
    match = _match(str(text))
    if match is None or not (match[2] or match[3]):
        raise ValueError(FORMAT_MESSAGE)
    sign, whole, fraction, suffix = match[1], match[2], match[3] or "", match[4] or ""
    exponent, shift, form = _scale(suffix)
    nano = min(_nano((whole + fraction).lstrip("0"), exponent + 9 - len(fraction), shift), _MAX)
    return Quantity(-nano if sign == "-" else nano, form)


def _scale(suffix: str) -> tuple[int, int, Format]:
    """(power of ten, power of two, format)"""
    if suffix in _BINARY:
        return 0, _BINARY[suffix], "binary"
    if suffix in _DECIMAL:
        return _DECIMAL[suffix], 0, "decimal"
    digits = suffix.lstrip("eE+-0") or "0"
    if len(digits) > LONGEST_EXPONENT:
        raise ValueError(SUFFIX_MESSAGE)
    return int(f"-{digits}" if suffix[1] == "-" else digits), 0, "exponent"


def _nano(digits: str, power: int, shift: int) -> int:
    """digits * 10^power * 2^shift, rounded up; for what is far beyond the largest value, anything that is larger. However many digits
    there are, and however large the power, few of them bear on that."""
    if not digits:
        return 0
    if len(digits) + power > _MAGNITUDE:
        return _MAX
    if len(digits) + power < -_MAGNITUDE:
        return 1
    if len(digits) > _SIGNIFICANT:
        power += len(digits) - _SIGNIFICANT
        number = int(digits[:_SIGNIFICANT])
        if digits[_SIGNIFICANT:].strip("0"):
            number, power = number * 10 + 1, power - 1
    else:
        number = int(digits)
    number <<= shift
    return number * 10**power if power >= 0 else _round_away(number, 10**-power)


def canonical(quantity: Quantity) -> str:
    """How Kubernetes prints it."""
    nano = quantity.nano
    if nano == 0:
        return "0"
    sign, size = ("-", -nano) if nano < 0 else ("", nano)
    if quantity.format == "binary" and size >= 1024 * NANO and size % NANO == 0:
        return sign + _binary(size // NANO)
    exponent = -9
    while exponent < 18 and size % 1000 == 0:
        size, exponent = size // 1000, exponent + 3
    if quantity.format == "exponent":
        return f"{sign}{size}" + (f"e{exponent}" if exponent else "")
    return f"{sign}{size}{_DECIMAL_BY_EXPONENT[exponent]}"


def _binary(size: int) -> str:
    suffix = ""
    for candidate in _BINARY:
        if size % 1024:
            break
        size, suffix = size // 1024, candidate
    return f"{size}{suffix}"


def _round_away(number: int, divisor: int) -> int:
    return -(-number // divisor) if number >= 0 else number // divisor


@remembered(8192)
def canonical_text(text: str | int | float) -> str:
    """parse and print; raises ValueError."""
    return canonical(parse(text))


def milli_value(text: str | int | float) -> int:
    return parse(text).milli_value


def value(text: str | int | float) -> int:
    return parse(text).value


def compare(left: str | int | float, right: str | int | float) -> int:
    """-1, 0 or 1."""
    first, second = parse(left).nano, parse(right).nano
    return (first > second) - (first < second)
