"""The CEL environment of schema rules: `self`, `oldSelf`, the extensions and Kubernetes' own functions. Loaded with the first rule."""

import functools
import re
from importlib import import_module
from typing import Any

EXTENSIONS = {
    "ext_bindings": "ExtBindings",
    "ext_encoders": "ExtEncoders",
    "ext_math": "ExtMath",
    "ext_optional": "ExtOptional",
    "ext_strings": "ExtStrings",
}
OLD = "__old"
"""oldSelf in a list, or an empty one: an optional value can only be made by an expression."""
OPTIONAL_OLD = f"cel.bind(oldSelf, size({OLD}) == 0 ? optional.none() : optional.of({OLD}[0]), ({{}}))"
_CONTAINER = re.compile(r" \(in container ''\)")
_CODE = re.compile(r" ?\[INVALID_ARGUMENT\]$")


class CompileError(ValueError):
    """What is wrong with an expression, as CEL words it."""


class Unavailable(RuntimeError):
    """The CEL runtime is not installed."""


@functools.cache
def environment() -> Any:
    """Raises Unavailable."""
    try:
        cel = import_module("cel_expr_python.cel")
        standard = [getattr(import_module(f"cel_expr_python.ext.{module}"), name)() for module, name in EXTENSIONS.items()]
    except ImportError as error:
        raise Unavailable(str(error)) from None
    from proa.apiserver.crd.cel.functions import TABLE

    by_name: dict[str, list[Any]] = {}
    for name, result, parameters, member, implementation in TABLE:
        types = [getattr(cel.Type, each) for each in parameters]
        number = len(by_name.setdefault(name, []))
        by_name[name].append(cel.Overload(f"k8s_{name}_{number}", getattr(cel.Type, result), types, member, implementation))
    functions = [cel.FunctionDecl(name, overloads) for name, overloads in by_name.items()]
    variables = {"self": cel.Type.DYN, "oldSelf": cel.Type.DYN, OLD: cel.Type.DYN}
    return cel.NewEnv(variables=variables, extensions=[*standard, cel.CelExtension("kubernetes", functions)])


def compile_expression(source: str, result: str) -> Any:
    """An expression whose type is (or may be) `result`. Raises CompileError, Unavailable."""
    known = environment()
    try:
        expression = known.compile(source)
    except RuntimeError as error:
        text = _CODE.sub("", _CONTAINER.sub("", str(error).removeprefix("INVALID_ARGUMENT: ")))
        raise CompileError(f"compilation failed: {text}") from None
    if expression.return_type().name() not in (result, "DYN"):
        raise CompileError(f"cel expression must evaluate to a {result.lower()}")
    return expression


def evaluate(expression: Any, variables: dict[str, Any]) -> Any:
    """The value; raises ValueError with the message of what failed."""
    found = expression.eval(data=variables)
    if found.type().name() == "ERROR":
        raise ValueError(_runtime_error(str(found.value())))
    return found.value()


def _runtime_error(text: str) -> str:
    missing = re.search(r'Key not found in map : "?([^"]*)"?', text)
    if missing:
        return f"no such key: {missing[1]}"
    if "No matching overloads found" in text:
        return "no such overload"
    return text.partition(": ")[2] or text
