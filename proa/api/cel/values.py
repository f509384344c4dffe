"""Values of CEL that JSON does not have. All others are plain: None, bool, int, float, str, bytes, list, dict.

Numbers keep their kind: an `int` is never a `Uint`, a whole `float` stays a double. Equality is CEL's: 1 == 1.0, but true is no number.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any, ClassVar

from proa.api.cel.errors import EvaluationError
from proa.lib.dataclass import dataclass

NANO = 10**9
LOWEST, HIGHEST, HIGHEST_UINT = -(2**63), 2**63 - 1, 2**64 - 1
_FIRST, _LAST = -62135596800 * NANO, 253402300800 * NANO - 1


class Uint(int):
    """An unsigned number."""


@dataclass(frozen=True, slots=True, order=True)
class Duration:
    nanoseconds: int

    def __str__(self) -> str:
        return f"{decimal(self.nanoseconds)}s"


@dataclass(frozen=True, slots=True, order=True)
class Timestamp:
    """Nanoseconds since 1970, UTC."""

    nanoseconds: int

    def __str__(self) -> str:
        seconds, rest = divmod(self.nanoseconds, NANO)
        text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S").rjust(19, "0")
        return f"{text}.{rest:09d}".rstrip("0") + "Z" if rest else f"{text}Z"


@dataclass(frozen=True, slots=True)
class Optional:
    """optional.of(value), or optional.none()."""

    value: Any = None
    present: bool = True


NOTHING = Optional(None, present=False)


@dataclass(frozen=True, slots=True)
class TypeValue:
    """What type(x) gives, and what `int` alone means."""

    name: str

    def __str__(self) -> str:
        return self.name


class Opaque:
    """Base of the types that a library adds; `type_name` is how declarations name them."""

    __slots__ = ()
    type_name: ClassVar[str] = ""


class LazyMap(dict[str, Any]):
    """A map whose values are found when they are asked for (variables of a policy)."""


class StructValue(dict[str, Any]):
    """What `Name{field: value}` makes: a map under the names that fields have in JSON, which knows its type."""

    def __init__(self, type_name: str) -> None:
        super().__init__()
        self.type_name = type_name


def decimal(nanoseconds: int) -> str:
    """Seconds without superfluous digits."""
    sign, size = ("-", -nanoseconds) if nanoseconds < 0 else ("", nanoseconds)
    seconds, rest = divmod(size, NANO)
    return f"{sign}{seconds}" + (f".{rest:09d}".rstrip("0") if rest else "")


_UNITS = {"ns": 1, "us": 1000, "µs": 1000, "μs": 1000, "ms": 10**6, "s": NANO, "m": 60 * NANO, "h": 3600 * NANO}
_DURATION = re.compile(r"([0-9]*)(?:\.([0-9]*))?(ns|us|µs|μs|ms|s|m|h)")


def parse_duration(text: str) -> Duration:
    """Go's format; raises ValueError."""
    sign, rest = (-1, text[1:]) if text.startswith("-") else (1, text.removeprefix("+"))
    if rest == "0":
        return Duration(0)
    total = at = 0
    while at < len(rest):
        match = _DURATION.match(rest, at)
        if match is None or not (match[1] or match[2]):
            raise ValueError(f'time: invalid duration "{text}"')
        fraction = match[2] or ""
        total += int((match[1] or "0") + fraction) * _UNITS[match[3]] // 10 ** len(fraction)
        at = match.end()
    if not rest or total > HIGHEST:
        raise ValueError(f'time: invalid duration "{text}"')
    return Duration(sign * total)


_TIMESTAMP = re.compile(r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?([Zz]|[+-]\d\d:\d\d)")


def parse_timestamp(text: str) -> Timestamp:
    """RFC 3339; raises ValueError."""
    match = _TIMESTAMP.fullmatch(text)
    if match is None:
        raise ValueError(f'parsing time "{text}" as "2006-01-02T15:04:05Z07:00": cannot parse')
    zone = "+00:00" if match[4] in "Zz" else match[4]
    moment = datetime.fromisoformat(f"{match[1]}T{match[2]}{zone}")
    return timestamp(int(moment.timestamp()) * NANO + int((match[3] or "0").ljust(9, "0")))


def timestamp(nanoseconds: int) -> Timestamp:
    if not _FIRST <= nanoseconds <= _LAST:
        raise EvaluationError("timestamp overflow")
    return Timestamp(nanoseconds)


def equal(left: Any, right: Any) -> bool:
    """CEL's equality: values of different types are unequal, numbers compare across their kinds."""
    kind, other = left.__class__, right.__class__
    if kind is str or other is str or kind is other is int:
        return bool(left == right)
    if kind is list:
        return other is list and len(left) == len(right) and all(map(equal, left, right))
    if isinstance(left, dict):
        if not isinstance(right, dict) or len(left) != len(right):
            return False
        return all(key in right and equal(value, right[key]) for key, value in left.items())
    if kind is bool or other is bool:
        return kind is other and left is right
    if kind is Optional and other is Optional:
        return bool(left.present == right.present and equal(left.value, right.value))
    return bool(left == right)


def contains(items: Any, value: Any) -> bool:
    """Whether a list has an equal element."""
    if value.__class__ is str:
        return value in items
    return any(equal(item, value) for item in items)
