"""CEL expressions of admission: match conditions, variables, validations. What they see is the request, not a schema's value.

Expressions that ask the authorizer are not understood: they do not compile.
"""

import functools
from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any

from proa.api.errors import Cause, invalid
from proa.api.meta import Object
from proa.apiserver.crd.cel.environment import EXTENSIONS, CompileError, Unavailable, evaluate

NAMES = ("object", "oldObject", "request", "params", "namespaceObject", "variables")
__all__ = ["CompileError", "Condition", "Expression", "Unavailable", "compile_cause", "conditions_of", "is_available"]


@functools.cache
def _environment() -> Any:
    """Raises Unavailable."""
    try:
        cel = import_module("cel_expr_python.cel")
        standard = [getattr(import_module(f"cel_expr_python.ext.{module}"), name)() for module, name in EXTENSIONS.items()]
    except ImportError as error:
        raise Unavailable(str(error)) from None
    from proa.apiserver.crd.cel.functions import TABLE

    overloads: dict[str, list[Any]] = {}
    for name, result, parameters, member, implementation in TABLE:
        known = overloads.setdefault(name, [])
        types = [getattr(cel.Type, each) for each in parameters]
        known.append(cel.Overload(f"k8s_{name}_{len(known)}", getattr(cel.Type, result), types, member, implementation))
    functions = [cel.FunctionDecl(name, known) for name, known in overloads.items()]
    extensions = [*standard, cel.CelExtension("kubernetes", functions)]
    return cel.NewEnv(variables=dict.fromkeys(NAMES, cel.Type.DYN), extensions=extensions)


def is_available() -> bool:
    try:
        _environment()
    except Unavailable:
        return False
    return True


class Expression:
    """One expression, compiled."""

    def __init__(self, source: str, result: str = "") -> None:
        """`result` "" takes any type. Raises CompileError, Unavailable."""
        self.source = source.strip()
        try:
            self._compiled = _environment().compile(source)
        except RuntimeError as error:
            if isinstance(error, Unavailable):
                raise
            text = str(error).removeprefix("INVALID_ARGUMENT: ").removesuffix(" [INVALID_ARGUMENT]").replace(" (in container '')", "")
            raise CompileError(f"compilation failed: {text}") from None
        if result and self._compiled.return_type().name() not in (result, "DYN"):
            raise CompileError(f"must evaluate to {result.lower()}")

    def __call__(self, seen: Object) -> Any:
        """Raises ValueError with what failed."""
        return evaluate(self._compiled, {name: seen.get(name) for name in NAMES})


Condition = Callable[[Object], Any]


def conditions_of(declared: Iterable[Object]) -> tuple[tuple[str, Condition], ...]:
    """Match conditions as (name, expression). One that can't be compiled fails whenever it is asked."""
    return tuple((each.get("name", ""), _condition(each.get("expression", ""))) for each in declared)


def _condition(source: str) -> Condition:
    try:
        return Expression(source, "BOOL")
    except (CompileError, Unavailable) as error:
        return functools.partial(_fail, str(error))


def _fail(why: str, seen: Object) -> Any:
    raise ValueError(why)


def compile_cause(path: str, source: str, result: str = "") -> Cause | None:
    """What is wrong with an expression, told as a field's problem."""
    try:
        Expression(source, result)
    except CompileError as error:
        return invalid(path, source, str(error))
    except Unavailable:
        return None
    return None
