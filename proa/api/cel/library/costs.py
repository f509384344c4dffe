"""What calls cost, by what they traverse. Source: cel-go's cost tracker and k8s.io/apiserver/pkg/cel/library/cost.go."""

import math
from collections.abc import Sequence
from typing import Any

TRAVERSAL, REGEX = 0.1, 0.25
"""Per character of text, per character of a regular expression."""
CHECK = 350_000
"""An authorization check: two fit into one expression."""


def size_of(value: Any) -> int:
    return len(value) if isinstance(value, str | bytes | list | dict) else 1


def traversal(size: int, factor: float = TRAVERSAL) -> int:
    return math.ceil(size * factor)


def of_first(values: Sequence[Any], result: Any) -> int:
    return traversal(size_of(values[0]))


def of_second(values: Sequence[Any], result: Any) -> int:
    return traversal(size_of(values[1]))


def twice_first(values: Sequence[Any], result: Any) -> int:
    return traversal(size_of(values[0]), 2 * TRAVERSAL)


def of_result_twice(values: Sequence[Any], result: Any) -> int:
    return traversal(size_of(result), 2 * TRAVERSAL)


def product(values: Sequence[Any], result: Any) -> int:
    """Text times what is searched in it."""
    return traversal(size_of(values[0])) * traversal(size_of(values[1]))


def pattern(values: Sequence[Any], result: Any) -> int:
    return traversal(1 + size_of(values[0])) * traversal(size_of(values[1]), REGEX)


def elements(values: Sequence[Any], result: Any) -> int:
    """One for each element, and what it takes to compare text."""
    items = values[0]
    if items.__class__ is not list:
        return traversal(size_of(items))
    return sum(1 if not isinstance(each, str | bytes) else traversal(len(each)) for each in items)


def pairs(values: Sequence[Any], result: Any) -> int:
    return 1 + size_of(values[0]) * size_of(values[1])
