"""Operators on numbers, text, lists, moments and durations. Each looks at the kinds of its operands itself, so that operands of unknown
type cost no search among overloads."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from proa.api.cel.errors import EvaluationError, no_overload
from proa.api.cel.functions import Function, Implementation, overload
from proa.api.cel.library.costs import size_of, traversal
from proa.api.cel.types import BOOL, BYTES, DOUBLE, DURATION, INT, STRING, TIMESTAMP, UINT, Type, list_of, map_of, parameter
from proa.api.cel.values import HIGHEST, HIGHEST_UINT, LOWEST, Duration, Timestamp, Uint, contains, equal, timestamp

_A, _B = parameter("A"), parameter("B")


def _checks(run: Implementation) -> Implementation:
    run.checks = True  # type: ignore[attr-defined]
    return run


def integer(value: int) -> int:
    if not LOWEST <= value <= HIGHEST:
        raise EvaluationError("integer overflow")
    return value


def unsigned(value: int) -> Uint:
    if not 0 <= value <= HIGHEST_UINT:
        raise EvaluationError("unsigned integer overflow")
    return Uint(value)


def duration(nanoseconds: int) -> Duration:
    if not LOWEST <= nanoseconds <= HIGHEST:
        raise EvaluationError("duration overflow")
    return Duration(nanoseconds)


@_checks
def add(left: Any, right: Any) -> Any:
    kind, other = left.__class__, right.__class__
    if kind is other:
        if kind is int:
            return integer(left + right)
        if kind is str or kind is list or kind is bytes or kind is float:
            return left + right
        if kind is Uint:
            return unsigned(int(left) + int(right))
        if kind is Duration:
            return duration(left.nanoseconds + right.nanoseconds)
    elif {kind, other} == {Duration, Timestamp}:
        return timestamp(left.nanoseconds + right.nanoseconds)
    raise no_overload()


@_checks
def subtract(left: Any, right: Any) -> Any:
    kind, other = left.__class__, right.__class__
    if kind is other:
        if kind is int:
            return integer(left - right)
        if kind is float:
            return left - right
        if kind is Uint:
            return unsigned(int(left) - int(right))
        if kind is Duration or kind is Timestamp:
            return duration(left.nanoseconds - right.nanoseconds)
    elif kind is Timestamp and other is Duration:
        return timestamp(left.nanoseconds - right.nanoseconds)
    raise no_overload()


@_checks
def multiply(left: Any, right: Any) -> Any:
    kind = left.__class__
    if kind is not right.__class__:
        raise no_overload()
    if kind is int:
        return integer(left * right)
    if kind is float:
        return left * right
    if kind is Uint:
        return unsigned(int(left) * int(right))
    raise no_overload()


@_checks
def divide(left: Any, right: Any) -> Any:
    kind = left.__class__
    if kind is not right.__class__ or kind not in (int, Uint, float):
        raise no_overload()
    if kind is float:
        return left / right if right else math.nan if not left or math.isnan(left) else math.copysign(math.inf, left)
    if not right:
        raise EvaluationError("division by zero")
    quotient = abs(left) // abs(right) * (1 if (left < 0) == (right < 0) else -1)
    return integer(quotient) if kind is int else unsigned(quotient)


@_checks
def modulo(left: Any, right: Any) -> Any:
    kind = left.__class__
    if kind is not right.__class__ or kind not in (int, Uint):
        raise no_overload()
    if not right:
        raise EvaluationError("modulus by zero")
    rest = abs(left) % abs(right)
    return kind(-rest if left < 0 else rest)


@_checks
def negate(value: Any) -> Any:
    if value.__class__ is int:
        return integer(-value)
    if value.__class__ is float:
        return -value
    if value.__class__ is Duration:
        return duration(-value.nanoseconds)
    raise no_overload()


_NUMBERS = frozenset({int, Uint, float})
_ORDERED = frozenset({str, bytes, bool, Timestamp, Duration})


def _comparing(compare: Callable[[Any, Any], bool]) -> Implementation:
    @_checks
    def run(left: Any, right: Any) -> bool:
        kind, other = left.__class__, right.__class__
        if (kind is other and kind in _ORDERED) or (kind in _NUMBERS and other in _NUMBERS):
            return compare(left, right)
        raise no_overload()

    return run


@_checks
def unequal(left: Any, right: Any) -> bool:
    return not equal(left, right)


@_checks
def same(left: Any, right: Any) -> bool:
    return equal(left, right)


@_checks
def within(value: Any, container: Any) -> bool:
    if container.__class__ is list:
        return contains(container, value)
    if isinstance(container, dict):
        return value.__class__ not in (list, dict) and value in container
    raise no_overload()


def _by_size(values: Any, result: Any) -> int:
    return max(1, traversal(min(size_of(values[0]), size_of(values[1]))))


def _concatenation(values: Any, result: Any) -> int:
    return traversal(len(result)) if result.__class__ in (str, bytes) else 1


def _operator(name: str, run: Implementation, *signatures: tuple[Type, Type, Type], cost: Any = None) -> Function:
    return Function(name, tuple(overload(name, (left, right), result, run) for left, right, result in signatures), cost)


def _comparison(name: str, compare: Callable[[Any, Any], bool]) -> Function:
    numbers = [(one, other, BOOL) for one in (INT, UINT, DOUBLE) for other in (INT, UINT, DOUBLE)]
    others = [(each, each, BOOL) for each in (STRING, BOOL, BYTES, TIMESTAMP, DURATION)]
    return _operator(name, _comparing(compare), *others, *numbers, cost=_by_size)


_SAME_KIND = [(each, each, each) for each in (INT, UINT, DOUBLE)]
FUNCTIONS = (
    _operator(
        "_+_", add, *_SAME_KIND, (STRING, STRING, STRING), (BYTES, BYTES, BYTES), (list_of(_A), list_of(_A), list_of(_A)),
        (DURATION, DURATION, DURATION), (DURATION, TIMESTAMP, TIMESTAMP), (TIMESTAMP, DURATION, TIMESTAMP), cost=_concatenation,
    ),
    _operator(
        "_-_", subtract, *_SAME_KIND, (DURATION, DURATION, DURATION), (TIMESTAMP, DURATION, TIMESTAMP), (TIMESTAMP, TIMESTAMP, DURATION)
    ),
    _operator("_*_", multiply, *_SAME_KIND),
    _operator("_/_", divide, *_SAME_KIND),
    _operator("_%_", modulo, *_SAME_KIND[:2]),
    Function("-_", tuple(overload("-_", (each,), each, negate) for each in (INT, DOUBLE, DURATION))),
    _operator("_==_", same, (_A, _A, BOOL), cost=_by_size),
    _operator("_!=_", unequal, (_A, _A, BOOL), cost=_by_size),
    _comparison("_<_", lambda left, right: left < right),
    _comparison("_<=_", lambda left, right: left <= right),
    _comparison("_>_", lambda left, right: left > right),
    _comparison("_>=_", lambda left, right: left >= right),
    _operator("@in", within, (_A, list_of(_A), BOOL), (_A, map_of(_A, _B), BOOL), cost=lambda values, result: (
        max(1, len(values[1])) if values[1].__class__ is list else 1)),
    Function("_&&_", (overload("_&&_", (BOOL, BOOL), BOOL, same),)),
    Function("_||_", (overload("_||_", (BOOL, BOOL), BOOL, same),)),
    Function("!_", (overload("!_", (BOOL,), BOOL, same),)),
    Function("_?_:_", (overload("_?_:_", (BOOL, _A, _A), _A, same),)),
    Function("@not_strictly_false", (overload("@not_strictly_false", (BOOL,), BOOL, same),)),
    Function("cel.@mapInsert", (
        overload("cel.@mapInsert", (map_of(_A, _B), _A, _B), map_of(_A, _B), same),
        overload("cel.@mapInsert", (map_of(_A, _B), map_of(_A, _B)), map_of(_A, _B), same))),
)  # fmt: skip
