"""CEL as Kubernetes has it: one set of libraries for schema rules, admission policies, match conditions and authentication.

An `Environment` says which variables an expression may name and of which types; `compile` gives a `Program`, which is evaluated as often as
wanted with values for them. Sources: k8s.io/apiserver/pkg/cel/environment and cel-spec.
"""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from proa.api.cel.errors import CompileError
from proa.api.cel.frame import PER_CALL, Frame
from proa.api.cel.types import Type, same
from proa.lib.dataclass import dataclass

if TYPE_CHECKING:
    from proa.api.cel.checker import Checked
    from proa.api.cel.functions import Function, Table
    from proa.api.cel.library.authorizer import AuthorizerValue, Check, DecisionValue

    Decide = Callable[[Check], Awaitable[DecisionValue]]


@functools.cache
def _functions(*, patches: bool) -> Table:
    """All libraries; loaded with the first expression."""
    from proa.api.cel.functions import merged
    from proa.api.cel.library import arithmetic, authorizer, formats, lists, network, quantities, standard, text

    modules = (arithmetic, standard, text, lists, quantities, network, formats, authorizer)
    tables: list[Iterable[Function]] = [module.FUNCTIONS for module in modules]
    return merged([*tables, formats.JSON_PATCH] if patches else tables)


@dataclass(frozen=True, slots=True)
class Program:
    """An expression that can be evaluated."""

    checked: Checked
    run: Callable[[Frame], Any]

    @property
    def result(self) -> Type:
        return self.checked.result

    @property
    def source(self) -> str:
        return self.checked.parsed.text

    def evaluate(self, variables: Mapping[str, Any], limit: int = PER_CALL) -> Any:
        """The value. Raises EvaluationError, of which CostExceeded."""
        return self.run(Frame(variables, limit))

    def measured(self, variables: Mapping[str, Any], limit: int = PER_CALL) -> tuple[Any, int]:
        """(value or the EvaluationError, cost)."""
        frame = Frame(variables, limit)
        try:
            return self.run(frame), frame.cost
        except ValueError as error:
            return error, frame.cost


class Environment:
    def __init__(
        self,
        variables: Mapping[str, Type],
        *,
        message: Callable[[str], Type | None] = lambda name: None,
        patches: bool = False,
    ) -> None:
        """`message` finds the types that can be constructed; `patches` adds what mutating policies may call."""
        self._variables, self._message, self._patches = dict(variables), message, patches

    def extended(self, variables: Mapping[str, Type]) -> Environment:
        return Environment({**self._variables, **variables}, message=self._message, patches=self._patches)

    def check(self, source: str) -> Checked:
        """Raises CompileError."""
        from proa.api.cel.checker import check
        from proa.api.cel.declarations import Declarations
        from proa.api.cel.literals import check_literals
        from proa.api.cel.parser import parse

        checked = check(parse(source), Declarations(self._variables, _functions(patches=self._patches), self._message))
        check_literals(checked)
        return checked

    def compile(self, source: str, *results: Type) -> Program:
        """An expression that is of one of the types `results` (none: of any). Raises CompileError."""
        from proa.api.cel.interpreter import Compiler

        checked = self.check(source)
        found = checked.result
        if results and not any(same(found, each) for each in results):
            wanted = str(results[0]) if len(results) == 1 else f"one of [{' '.join(map(str, results))}]"
            raise CompileError(f"must evaluate to {wanted} but got {found}")
        return Program(checked, Compiler(checked, _functions(patches=self._patches)).compile(checked.parsed.root))


async def decided(evaluate: Callable[[], Any], authorizer: AuthorizerValue, decide: Decide) -> Any:
    """What `evaluate` gives once every check that it asks `authorizer` for has its answer."""
    from proa.api.cel.library.authorizer import DecisionNeeded

    while True:
        try:
            return evaluate()
        except DecisionNeeded as needed:
            authorizer.answers[needed.check] = await decide(needed.check)
