"""From text to syntax tree, by the parser of cel-expr-python. Only its parser is used: it expands macros and words syntax errors.

Checking and evaluation are ours, as its evaluator copies every variable deeply before it begins, stops after 10,000 iterations whatever
they cost, and can't tell what an evaluation has cost.
"""

import functools
from importlib import import_module
from typing import Any

from proa.api.cel.errors import CompileError
from proa.api.cel.syntax import Parsed
from proa.api.cel.wire import decode

LONGEST = 100_000
_EXTENSIONS = "name: kubernetes\nextensions:\n- name: optional\n- name: two-var-comprehensions\n"


@functools.cache
def _environment() -> Any:
    cel = import_module("cel_expr_python.cel")
    return cel.NewEnv(config=cel.NewEnvConfigFromYaml(_EXTENSIONS))


def parse(text: str) -> Parsed:
    """Raises CompileError."""
    if len(text) > LONGEST:
        raise CompileError(f"compilation failed: expression code point size exceeds limit: size: {len(text)}, limit {LONGEST}")
    try:
        serialized = _environment().compile(text, disable_check=True).serialize()
    except RuntimeError as error:
        told = str(error).removeprefix("INVALID_ARGUMENT: ").removesuffix(" [INVALID_ARGUMENT]")
        raise CompileError(f"compilation failed: {told}") from None
    return decode(text, serialized)
