"""Lists: order, sums, positions; sets; regular expressions that find. Source: Kubernetes' CEL libraries and cel-go ext/sets."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

from proa.api.cel.errors import EvaluationError
from proa.api.cel.functions import Function, overload
from proa.api.cel.library.arithmetic import add
from proa.api.cel.library.costs import elements, pairs, pattern
from proa.api.cel.library.standard import compiled
from proa.api.cel.types import BOOL, BYTES, DOUBLE, DURATION, INT, STRING, TIMESTAMP, UINT, Type, list_of, parameter
from proa.api.cel.values import Duration, contains, equal

_A = parameter("A")
_COMPARABLE = (INT, UINT, DOUBLE, BOOL, DURATION, TIMESTAMP, STRING, BYTES)


def _sorted(items: list[Any]) -> bool:
    try:
        return all(one <= other for one, other in pairwise(items))
    except TypeError:
        raise EvaluationError("no such overload") from None


def _extreme(choose: Any, name: str) -> Any:
    def run(items: list[Any]) -> Any:
        if not items:
            raise EvaluationError(f"{name} called on empty list")
        return choose(items)

    return run


def _sum(zero: Any) -> Any:
    def run(items: list[Any]) -> Any:
        total = zero
        for index, each in enumerate(items):
            total = each if not index else add(total, each)
        return total

    return run


def _index(items: list[Any], item: Any) -> int:
    return next((at for at, each in enumerate(items) if equal(each, item)), -1)


def _last_index(items: list[Any], item: Any) -> int:
    return next((at for at in range(len(items) - 1, -1, -1) if equal(items[at], item)), -1)


def _find(text: str, expression: str) -> str:
    found = compiled(expression).search(text)
    return found[0] if found else ""


def _find_all(text: str, expression: str, count: int = -1) -> list[str]:
    limit = math.inf if count < 0 else count
    made: list[str] = []
    for found in compiled(expression).finditer(text):
        if len(made) >= limit:
            break
        made.append(found[0])
    return made


def _on_lists(name: str, run: Any, result: Type | None, cost: Any = elements) -> Function:
    """Of each comparable type, so that lists of others are refused when they are compiled; `result` None: of the element's type."""
    made = (overload(f"list_{each}_{name}", (list_of(each),), result or each, run, member=True) for each in _COMPARABLE)
    return Function(name, tuple(made), cost)


def _set(name: str, run: Any) -> Function:
    return Function(name, (overload(name, (list_of(_A), list_of(_A)), BOOL, run),), pairs)


FUNCTIONS = (
    _on_lists("isSorted", _sorted, BOOL),
    _on_lists("min", _extreme(min, "min"), None),
    _on_lists("max", _extreme(max, "max"), None),
    Function("sum", tuple(
        overload(f"list_{each}_sum", (list_of(each),), each, _sum(zero), member=True)
        for each, zero in ((INT, 0), (DOUBLE, 0.0), (UINT, 0), (DURATION, Duration(0)))), elements),
    Function("indexOf", (overload("list_index_of", (list_of(_A), _A), INT, _index, member=True),), elements),
    Function("lastIndexOf", (overload("list_last_index_of", (list_of(_A), _A), INT, _last_index, member=True),), elements),
    Function("find", (overload("find", (STRING, STRING), STRING, _find, member=True),), pattern),
    Function("findAll", (
        overload("findAll", (STRING, STRING), list_of(STRING), _find_all, member=True),
        overload("findAll", (STRING, STRING, INT), list_of(STRING), _find_all, member=True)), pattern),
    _set("sets.contains", lambda all_, some: all(contains(all_, each) for each in some)),
    _set("sets.equivalent", lambda one, other: all(contains(other, each) for each in one) and all(contains(one, each) for each in other)),
    _set("sets.intersects", lambda one, other: any(contains(other, each) for each in one)),
)  # fmt: skip
