"""CEL expressions of admission: match conditions, variables, validations. What they see is the request, not a schema's value."""

import functools
from collections.abc import Callable, Iterable
from typing import Any

from proa.api.cel.environment import Environment
from proa.api.cel.errors import CompileError
from proa.api.cel.types import BOOL, DYN, STRING
from proa.api.errors import Cause, invalid
from proa.api.meta import Object

NAMES = ("object", "oldObject", "request", "params", "namespaceObject", "variables")
_RESULTS = {"": (), "BOOL": (BOOL, DYN), "STRING": (STRING, DYN)}


@functools.cache
def _environment() -> Environment:
    return Environment(dict.fromkeys(NAMES, DYN))


class Expression:
    """One expression, compiled."""

    def __init__(self, source: str, result: str = "") -> None:
        """`result` "" takes any type. Raises CompileError."""
        self.source = source.strip()
        self._program = _environment().compile(source, *_RESULTS[result])

    def __call__(self, seen: Object) -> Any:
        """Raises ValueError with what failed."""
        return self._program.evaluate(seen)


Condition = Callable[[Object], Any]


def conditions_of(declared: Iterable[Object]) -> tuple[tuple[str, Condition], ...]:
    """Match conditions as (name, expression). One that can't be compiled fails whenever it is asked."""
    return tuple((each.get("name", ""), _condition(each.get("expression", ""))) for each in declared)


def _condition(source: str) -> Condition:
    try:
        return Expression(source, "BOOL")
    except CompileError as error:
        return functools.partial(_fail, str(error))


def _fail(why: str, seen: Object) -> Any:
    raise ValueError(why)


def compile_cause(path: str, source: str, result: str = "") -> Cause | None:
    """What is wrong with an expression, told as a field's problem."""
    try:
        Expression(source, result)
    except CompileError as error:
        return invalid(path, source, str(error))
    return None
