"""CEL's own functions: sizes, conversions, types, parts of moments, and text that is matched. Source: cel-spec, standard definitions."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from proa.api.cel.errors import EvaluationError, no_overload
from proa.api.cel.functions import Function, overload
from proa.api.cel.library.arithmetic import integer, unsigned
from proa.api.cel.library.costs import of_first, of_second, pattern, product
from proa.api.cel.types import (
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    DYN,
    INT,
    STRING,
    TIMESTAMP,
    UINT,
    Type,
    list_of,
    map_of,
    optional_of,
    parameter,
    type_of,
)  # fmt: skip
from proa.api.cel.values import NANO, NOTHING, Duration, Optional, Timestamp, TypeValue, Uint, parse_duration, parse_timestamp, timestamp
from proa.lib.remembered import remembered

_A, _B = parameter("A"), parameter("B")
_NAMES = {
    bool: "bool", int: "int", Uint: "uint", float: "double", str: "string", bytes: "bytes", type(None): "null_type", list: "list",
    Timestamp: "google.protobuf.Timestamp", Duration: "google.protobuf.Duration", Optional: "optional_type", TypeValue: "type",
}  # fmt: skip


def type_name(value: Any) -> str:
    if isinstance(value, dict):
        return "map"
    return _NAMES.get(value.__class__) or getattr(value, "type_name", value.__class__.__name__)


@remembered(256)
def compiled(expression: str) -> Any:
    """A regular expression in RE2's dialect; raises EvaluationError."""
    import re2

    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(expression, options)
    except re2.error as error:
        told = error.args[0].decode() if error.args and isinstance(error.args[0], bytes) else str(error)
        raise EvaluationError(f"error parsing regexp: {told}") from None


def _to_int(value: Any) -> int:
    kind = value.__class__
    if kind is int:
        return int(value)
    if kind is Uint:
        return integer(int(value))
    if kind is float:
        if not math.isfinite(value) or not -(2.0**63) < value < 2.0**63:
            raise EvaluationError("integer overflow")
        return int(value)
    if kind is Timestamp:
        return int(value.nanoseconds // NANO)
    if kind is Duration:
        return int(value.nanoseconds)
    return int(_parsed(value, lambda text: integer(_plain(text, int)), "int"))


def _to_uint(value: Any) -> Uint:
    kind = value.__class__
    if kind in (int, Uint):
        return unsigned(int(value))
    if kind is float:
        if not math.isfinite(value):
            raise EvaluationError("unsigned integer overflow")
        return unsigned(int(value))
    return Uint(_parsed(value, lambda text: unsigned(_plain(text, int)), "uint"))


def _plain(text: str, make: Callable[[str], Any]) -> Any:
    """Python reads more spellings of numbers than Go."""
    if "_" in text or text != text.strip():
        raise ValueError(text)
    return make(text)


def _parsed(text: Any, make: Callable[[str], Any], name: str) -> Any:
    try:
        return make(text)
    except EvaluationError:
        raise
    except (ValueError, TypeError):
        reader = {"int": "ParseInt", "uint": "ParseUint", "double": "ParseFloat", "bool": "ParseBool"}.get(name)
        why = f'strconv.{reader}: parsing "{text}": invalid syntax' if reader else f"type conversion error from 'string' to '{name}'"
        raise EvaluationError(why) from None


def _to_double(value: Any) -> float:
    return float(value) if value.__class__ is not str else _parsed(value, lambda text: _plain(text, float), "double")


_TRUTHS = {"1": True, "t": True, "T": True, "TRUE": True, "true": True, "True": True}
_TRUTHS |= {"0": False, "f": False, "F": False, "FALSE": False, "false": False, "False": False}


def _to_bool(value: Any) -> bool:
    if value.__class__ is bool:
        return bool(value)
    if value not in _TRUTHS:
        raise EvaluationError(f"type conversion error from 'string' to 'bool': {value}")
    return _TRUTHS[value]


def double_text(value: float) -> str:
    """As Go's %g prints the shortest form."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    text = repr(value)
    if "e" in text:
        digits, _, exponent = text.partition("e")
        return f"{digits.removesuffix('.0')}e{exponent}"
    if value.is_integer() and abs(value) >= 1e21:
        return f"{value:e}"
    return text.removesuffix(".0")


def text_of(value: Any) -> str:
    kind = value.__class__
    if kind is str:
        return str(value)
    if kind is bool:
        return "true" if value else "false"
    if kind is float:
        return double_text(value)
    if kind is bytes:
        try:
            return str(value, "utf-8")
        except UnicodeDecodeError:
            raise EvaluationError("invalid UTF-8 in bytes, cannot convert to string") from None
    return str(int(value)) if kind is Uint else str(value)


def _to_timestamp(value: Any) -> Timestamp:
    if value.__class__ is Timestamp:
        return value
    return timestamp(value * NANO) if value.__class__ is int else _moment(value)


def _moment(text: str) -> Timestamp:
    try:
        return parse_timestamp(text)
    except ValueError as error:
        raise EvaluationError(str(error)) from None


def _to_duration(value: Any) -> Duration:
    if value.__class__ is Duration:
        return value
    if value.__class__ is int:
        return Duration(value)
    try:
        return parse_duration(value)
    except ValueError as error:
        raise EvaluationError(str(error)) from None


def _size(value: Any) -> int:
    return len(value)


def _matches(text: str, expression: str) -> bool:
    return compiled(expression).search(text) is not None


@remembered(64)
def _zone(name: str) -> tzinfo:
    from datetime import timezone
    from zoneinfo import ZoneInfo

    sign, _, rest = (name[:1], "", name[1:]) if name[:1] in "+-" and name else ("+", "", name)
    hours, colon, minutes = rest.partition(":")
    try:
        if colon:
            offset = timedelta(hours=int(hours), minutes=int(minutes))
            return timezone(-offset if sign == "-" else offset)
        return UTC if name in ("", "UTC") else ZoneInfo(name)
    except (ValueError, KeyError, OSError):
        raise EvaluationError(f"unknown time zone {name}") from None


def _part(read: Callable[[datetime], int]) -> tuple[Callable[..., int], Callable[..., int]]:
    def of_moment(moment: Timestamp, zone: str = "UTC") -> int:
        seconds, rest = divmod(moment.nanoseconds, NANO)
        told = datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest // 1000).astimezone(_zone(zone))
        return read(told)

    return of_moment, of_moment


def _moment_part(name: str, read: Callable[[datetime], int], of_duration: Callable[[int], int] | None = None) -> Function:
    run, _ = _part(read)
    overloads = [overload(name, (TIMESTAMP,), INT, run, member=True), overload(name, (TIMESTAMP, STRING), INT, run, member=True)]
    if of_duration is not None:
        overloads.append(overload(name, (DURATION,), INT, lambda value: of_duration(value.nanoseconds), member=True))
    return Function(name, tuple(overloads))


def _conversion(name: str, result: Type, run: Callable[[Any], Any], *given: Type, cost: Any = None) -> Function:
    return Function(name, tuple(overload(name, (each,), result, run) for each in given), cost)


def _member(name: str, run: Callable[..., Any], cost: Any) -> Function:
    return Function(name, (overload(name, (STRING, STRING), BOOL, run, member=True),), cost)


def _value(optional: Any) -> Any:
    if not optional.present:
        raise EvaluationError("optional.none() dereference")
    return optional.value


def _non_zero(value: Any) -> Optional:
    empty = not value and value.__class__ in (bool, int, Uint, float, str, bytes, list, dict, type(None))
    return NOTHING if empty or value == Duration(0) else Optional(value)


def _special(*values: Any) -> Any:
    raise no_overload()


_OPTIONAL = optional_of(_A)
FUNCTIONS = (
    Function("size", tuple(
        overload("size", (each,), INT, _size, member=member)
        for each in (STRING, BYTES, list_of(_A), map_of(_A, _B)) for member in (False, True))),
    _conversion("int", INT, _to_int, INT, UINT, DOUBLE, STRING, TIMESTAMP, DURATION),
    _conversion("uint", UINT, _to_uint, UINT, INT, DOUBLE, STRING),
    _conversion("double", DOUBLE, _to_double, DOUBLE, INT, UINT, STRING),
    _conversion("bool", BOOL, _to_bool, BOOL, STRING),
    _conversion("string", STRING, text_of, STRING, BOOL, INT, UINT, DOUBLE, BYTES, TIMESTAMP, DURATION, cost=lambda values, result: (
        of_first(values, result) if values[0].__class__ is bytes else 1)),
    _conversion("bytes", BYTES, lambda value: value if value.__class__ is bytes else value.encode(), BYTES, STRING, cost=of_first),
    _conversion("timestamp", TIMESTAMP, _to_timestamp, TIMESTAMP, STRING, INT),
    _conversion("duration", DURATION, _to_duration, DURATION, STRING, INT),
    Function("dyn", (overload("dyn", (_A,), DYN, lambda value: value),)),
    Function("type", (overload("type", (_A,), type_of(_A), lambda value: TypeValue(type_name(value))),)),
    _member("contains", lambda text, part: part in text, product),
    _member("startsWith", lambda text, part: text.startswith(part), of_second),
    _member("endsWith", lambda text, part: text.endswith(part), of_second),
    Function("matches", tuple(overload("matches", (STRING, STRING), BOOL, _matches, member=each) for each in (True, False)), pattern),
    _moment_part("getFullYear", lambda moment: moment.year),
    _moment_part("getMonth", lambda moment: moment.month - 1),
    _moment_part("getDayOfYear", lambda moment: moment.timetuple().tm_yday - 1),
    _moment_part("getDayOfMonth", lambda moment: moment.day - 1),
    _moment_part("getDate", lambda moment: moment.day),
    _moment_part("getDayOfWeek", lambda moment: moment.isoweekday() % 7),
    _moment_part("getHours", lambda moment: moment.hour, lambda value: int(value / (3600 * NANO))),
    _moment_part("getMinutes", lambda moment: moment.minute, lambda value: int(value / (60 * NANO))),
    _moment_part("getSeconds", lambda moment: moment.second, lambda value: int(value / NANO)),
    _moment_part("getMilliseconds", lambda moment: moment.microsecond // 1000, lambda value: int(value / 10**6) % 1000),
    Function("optional.of", (overload("optional.of", (_A,), _OPTIONAL, Optional),)),
    Function("optional.ofNonZeroValue", (overload("optional.ofNonZeroValue", (_A,), _OPTIONAL, _non_zero),)),
    Function("optional.none", (overload("optional.none", (), _OPTIONAL, lambda: NOTHING),)),
    Function("optional.unwrap", (overload("optional.unwrap", (list_of(_OPTIONAL),), list_of(_A), lambda items: _present(items)),)),
    Function("unwrapOpt", (overload("unwrapOpt", (list_of(_OPTIONAL),), list_of(_A), lambda items: _present(items), member=True),)),
    Function("value", (overload("value", (_OPTIONAL,), _A, _value, member=True),)),
    Function("hasValue", (overload("hasValue", (_OPTIONAL,), BOOL, lambda value: value.present, member=True),)),
    Function("orValue", (overload("orValue", (_OPTIONAL, _A), _A, _special, member=True),)),
    Function("or", (overload("or", (_OPTIONAL, _OPTIONAL), _OPTIONAL, _special, member=True),)),
    Function("_[_]", (
        overload("_[_]", (list_of(_A), INT), _A, _special), overload("_[_]", (map_of(_A, _B), _A), _B, _special),
        overload("_[_]", (optional_of(list_of(_A)), INT), _OPTIONAL, _special),
        overload("_[_]", (optional_of(map_of(_A, _B)), _A), optional_of(_B), _special))),
    Function("_[?_]", (
        overload("_[?_]", (list_of(_A), INT), _OPTIONAL, _special), overload("_[?_]", (map_of(_A, _B), _A), optional_of(_B), _special),
        overload("_[?_]", (optional_of(list_of(_A)), INT), _OPTIONAL, _special),
        overload("_[?_]", (optional_of(map_of(_A, _B)), _A), optional_of(_B), _special))),
)  # fmt: skip


def _present(items: list[Any]) -> list[Any]:
    return [each.value for each in items if each.present]
