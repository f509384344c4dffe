"""CEL expressions about who asks: over a token's `claims`, the `user` that it makes, or the `request` that is to be authorized.

Compiled once, when a configuration is read; the runtime is loaded with the first expression.
"""

import functools
import re
from importlib import import_module
from typing import Any

from proa.apiserver.crd.cel.environment import EXTENSIONS, CompileError, Unavailable, evaluate

__all__ = ["CompileError", "IdentityExpression", "Unavailable"]


@functools.cache
def _environment(variable: str) -> Any:
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
    return cel.NewEnv(variables={variable: cel.Type.DYN}, extensions=[*standard, cel.CelExtension("kubernetes", functions)])


class IdentityExpression:
    """One expression over one variable. `condition` must be true or false; a type that is only known later may be any."""

    def __init__(self, source: str, variable: str, *, condition: bool) -> None:
        """Raises CompileError, Unavailable."""
        self.source = source
        self._variable = variable
        try:
            self._compiled = _environment(variable).compile(source)
        except RuntimeError as error:
            if isinstance(error, Unavailable):
                raise
            text = str(error).removeprefix("INVALID_ARGUMENT: ").removesuffix(" [INVALID_ARGUMENT]").replace(" (in container '')", "")
            raise CompileError(f"compilation failed: {text}") from None
        if condition and self._compiled.return_type().name() not in ("BOOL", "DYN"):
            raise CompileError("must evaluate to bool")

    def __call__(self, value: Any) -> Any:
        """The result as plain data; raises ValueError with what failed."""
        return _plain(evaluate(self._compiled, {self._variable: value}))

    def selects(self, field: str) -> bool:
        """Whether the expression reads `field` of its variable."""
        code = re.sub(r"'(\\.|[^'\\])*'|\"(\\.|[^\"\\])*\"", "''", self.source)
        return re.search(rf"\b{self._variable}\s*\.\s*\??\s*{field}\b", code) is not None


def _plain(value: Any) -> Any:
    """The runtime hands out what lists and maps hold as its own values."""
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    return _plain(value.value()) if callable(getattr(value, "value", None)) else value
