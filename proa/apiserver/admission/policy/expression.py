"""CEL expressions of admission, compiled once and evaluated for each request within a budget that they share.

An expression that does not compile is kept with its problem: it fails whenever it is asked, and what its owner's failure policy says
happens. Source: k8s.io/apiserver/pkg/admission/plugin/cel, condition and activation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from proa.api.cel.environment import Environment, Program
from proa.api.cel.errors import CompileError, CostExceeded
from proa.api.cel.frame import PER_CALL
from proa.api.cel.types import BOOL, Type
from proa.api.cel.values import LazyMap
from proa.api.meta import Object
from proa.apiserver.admission.policy.scope import MATCH_CONDITION, VARIABLES, Scope
from proa.lib.dataclass import dataclass

BUDGET = 10_000_000
"""What all expressions of one policy may cost for one request; PER_CALL is the limit of each."""
MATCH_BUDGET = BUDGET // 4
OUT_OF_BUDGET = "validation failed due to running out of cost budget, no further validation rules will be run"


class Failed(Exception):
    """An expression gave no value; the text says why."""


class OutOfBudget(Failed):
    """Nothing more of the policy is evaluated."""

    def __init__(self) -> None:
        super().__init__(OUT_OF_BUDGET)


@dataclass(slots=True)
class Budget:
    left: int = BUDGET


@dataclass(frozen=True, slots=True)
class Expression:
    """`problem` is why it did not compile."""

    source: str
    program: Program | None
    problem: str = ""

    def evaluate(self, seen: Mapping[str, Any], budget: Budget) -> Any:
        """Raises Failed; DecisionNeeded where the authorizer is to be asked first."""
        if self.program is None:
            raise Failed(f"compilation error: {self.problem}")
        found, cost = self.program.measured(seen, min(PER_CALL, budget.left + 1))
        if cost > budget.left:
            budget.left = 0
            raise OutOfBudget
        budget.left -= cost
        if isinstance(found, (CostExceeded, ValueError)):
            raise Failed(f"expression '{self.source}' resulted in error: {found}")
        return found


def compiled(environment: Environment, source: str, *results: Type) -> Expression:
    try:
        return Expression(source, environment.compile(source, *results))
    except CompileError as error:
        return Expression(source, None, str(error))


@dataclass(frozen=True, slots=True)
class Variables:
    """The variables of a policy, in order: each may use those before it."""

    expressions: tuple[tuple[str, Expression], ...] = ()
    types: Mapping[str, Type] | None = None

    def values(self, seen: Mapping[str, Any], budget: Budget) -> LazyMap:
        """Found when an expression asks for them, once."""
        return _Values(dict(self.expressions), seen, budget)


class _Values(LazyMap):
    def __init__(self, expressions: Mapping[str, Expression], seen: Mapping[str, Any], budget: Budget) -> None:
        super().__init__()
        self._expressions, self._seen, self._budget = expressions, {**seen, VARIABLES: self}, budget

    def __contains__(self, name: object) -> bool:
        return name in self._expressions

    def __missing__(self, name: str) -> Any:
        expression = self._expressions.get(name)
        if expression is None:
            raise KeyError(name)
        if expression.program is None:
            raise ValueError(f'composited variable "{name}" fails to compile: {expression.problem}')
        found, cost = expression.program.measured(self._seen, min(PER_CALL, self._budget.left + 1))
        self._budget.left = max(0, self._budget.left - cost)
        if isinstance(found, ValueError):
            raise ValueError(f'composited variable "{name}" fails to evaluate: {found}')
        self[name] = found
        return found


def compile_variables(declared: Iterable[Object], scope: Scope) -> Variables:
    types: dict[str, Type] = {}
    made: list[tuple[str, Expression]] = []
    for each in declared:
        name = each.get("name", "")
        expression = compiled(scope.environment(types), each.get("expression", ""))
        made.append((name, expression))
        if expression.program is not None:
            types[name] = expression.program.result
    return Variables(tuple(made), types if made else None)


@dataclass(frozen=True, slots=True)
class Conditions:
    """Match conditions: all must hold."""

    conditions: tuple[tuple[str, Expression], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.conditions)

    def hold(self, seen: Mapping[str, Any]) -> bool:
        """One that does not hold outweighs those that fail. Raises Failed."""
        budget, failures = Budget(MATCH_BUDGET), list[str]()
        for _, expression in self.conditions:
            try:
                if expression.evaluate(seen, budget) is False:
                    return False
            except OutOfBudget:
                raise
            except Failed as failure:
                failures.append(str(failure))
        if failures:
            raise Failed(failures[0] if len(failures) == 1 else f"[{', '.join(dict.fromkeys(failures))}]")
        return True


def conditions_of(declared: Iterable[Object], scope: Scope = MATCH_CONDITION) -> Conditions:
    environment: Callable[[], Environment] = scope.environment
    return Conditions(tuple((each.get("name", ""), compiled(environment(), each.get("expression", ""), BOOL)) for each in declared))
