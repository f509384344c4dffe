"""Quantities and semantic versions, which share the names of their comparisons. Source: Kubernetes' CEL libraries."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import total_ordering
from typing import Any, ClassVar

from proa.api.cel.errors import EvaluationError
from proa.api.cel.functions import Function, overload
from proa.api.cel.library.costs import of_first
from proa.api.cel.types import BOOL, DOUBLE, INT, STRING, Type, opaque
from proa.api.cel.values import HIGHEST, LOWEST, Opaque
from proa.api.quantity import NANO, Quantity, parse
from proa.lib.dataclass import dataclass

QUANTITY, SEMVER = opaque("kubernetes.Quantity"), opaque("kubernetes.Semver")


@dataclass(frozen=True, slots=True, eq=False)
class QuantityValue(Opaque):
    type_name: ClassVar[str] = "kubernetes.Quantity"
    quantity: Quantity

    def __eq__(self, other: object) -> bool:
        return isinstance(other, QuantityValue) and other.quantity.nano == self.quantity.nano

    def __hash__(self) -> int:
        return hash(self.quantity.nano)


def _quantity(text: str) -> QuantityValue:
    try:
        return QuantityValue(parse(text))
    except ValueError as error:
        raise EvaluationError(str(error)) from None


def holds(make: Callable[..., Any]) -> Callable[..., bool]:
    """Whether making it succeeds."""

    def check(*values: Any) -> bool:
        try:
            make(*values)
        except EvaluationError:
            return False
        return True

    return check


def _compare(one: Any, other: Any) -> int:
    difference: int = one.quantity.nano - other.quantity.nano
    return (difference > 0) - (difference < 0)


def _operand(value: Any) -> Quantity:
    return Quantity(value * NANO) if isinstance(value, int) else value.quantity


def _add(one: Any, other: Any) -> QuantityValue:
    return QuantityValue(one.quantity + _operand(other))


def _subtract(one: Any, other: Any) -> QuantityValue:
    return QuantityValue(one.quantity - _operand(other))


def _as_integer(value: Any) -> int:
    whole, rest = divmod(value.quantity.nano, NANO)
    if rest or not LOWEST <= whole <= HIGHEST:
        raise EvaluationError("cannot convert value to integer")
    return int(whole)


@total_ordering
@dataclass(frozen=True, slots=True, eq=False)
class SemverValue(Opaque):
    type_name: ClassVar[str] = "kubernetes.Semver"
    numbers: tuple[int, int, int]
    before: tuple[str, ...] = ()
    """What makes it a pre-release."""

    def _rank(self) -> tuple[Any, ...]:
        parts = tuple((0, int(each), "") if each.isdigit() else (1, 0, each) for each in self.before)
        return (*self.numbers, not self.before, *parts)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SemverValue) and other._rank() == self._rank()

    def __lt__(self, other: SemverValue) -> bool:
        return self._rank() < other._rank()

    def __hash__(self) -> int:
        return hash(self._rank())


_NUMBER = r"(0|[1-9]\d*)"
_PART = r"(?:0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*)"
_SEMVER = re.compile(rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}(?:-({_PART}(?:\.{_PART})*))?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?", re.ASCII)


def _semver(text: str, normalize: bool = False) -> SemverValue:
    told = _normalized(text) if normalize else text
    match = _SEMVER.fullmatch(told)
    if match is None:
        why = (
            "Version string empty"
            if not told
            else "No Major.Minor.Patch elements found"
            if told.count(".") < 2
            else f"Invalid version {told!r}"
        )
        raise EvaluationError(why)
    return SemverValue((int(match[1]), int(match[2]), int(match[3])), tuple(match[4].split(".")) if match[4] else ())


def _normalized(text: str) -> str:
    parts = text.removeprefix("v").split(".", 2)
    for index, part in enumerate(parts):
        if len(part) > 1:
            short = part.lstrip("0")
            parts[index] = short if short[:1].isdigit() else f"0{short}"
    if len(parts) < 3 and any(each in parts[-1] for each in "+-"):
        raise EvaluationError("short version cannot contain PreRelease/Build meta data")
    return ".".join([*parts, "0", "0"][:3])


def _member(name: str, result: Type, *signatures: tuple[tuple[Type, ...], Callable[..., Any]]) -> Function:
    return Function(name, tuple(overload(name, types, result, run, member=True) for types, run in signatures))


_QQ, _VV = (QUANTITY, QUANTITY), (SEMVER, SEMVER)
FUNCTIONS = (
    Function("quantity", (overload("quantity", (STRING,), QUANTITY, _quantity),), of_first),
    Function("isQuantity", (overload("isQuantity", (STRING,), BOOL, holds(_quantity)),), of_first),
    _member("sign", INT, ((QUANTITY,), lambda value: (value.quantity.nano > 0) - (value.quantity.nano < 0))),
    _member("isInteger", BOOL, ((QUANTITY,), holds(_as_integer))),
    _member("asInteger", INT, ((QUANTITY,), _as_integer)),
    _member("asApproximateFloat", DOUBLE, ((QUANTITY,), lambda value: value.quantity.nano / NANO)),
    _member("add", QUANTITY, *(((QUANTITY, each), _add) for each in (QUANTITY, INT))),
    _member("sub", QUANTITY, *(((QUANTITY, each), _subtract) for each in (QUANTITY, INT))),
    _member("compareTo", INT, (_QQ, _compare), (_VV, lambda one, other: (one > other) - (one < other))),
    _member("isGreaterThan", BOOL, (_QQ, lambda one, other: _compare(one, other) > 0), (_VV, lambda one, other: one > other)),
    _member("isLessThan", BOOL, (_QQ, lambda one, other: _compare(one, other) < 0), (_VV, lambda one, other: one < other)),
    Function("semver", tuple(overload("semver", each, SEMVER, _semver) for each in ((STRING,), (STRING, BOOL))), of_first),
    Function("isSemver", tuple(overload("isSemver", each, BOOL, holds(_semver)) for each in ((STRING,), (STRING, BOOL))), of_first),
    _member("major", INT, ((SEMVER,), lambda value: value.numbers[0])),
    _member("minor", INT, ((SEMVER,), lambda value: value.numbers[1])),
    _member("patch", INT, ((SEMVER,), lambda value: value.numbers[2])),
)  # fmt: skip
