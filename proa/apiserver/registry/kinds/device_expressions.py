"""CEL expressions that select devices (KEP-4381): compiled when they are written, so that nobody waits for the scheduler to find a fault.

They see `device`: its driver, and its attributes and capacities by domain and name. Source: k8s.io/dynamic-resource-allocation/cel.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from proa.api.errors import Cause, forbidden, invalid, required, too_long

if TYPE_CHECKING:
    from proa.api.cel.environment import Environment
    from proa.api.cel.types import Type

MAX_EXPRESSION = 10 * 1024
MAX_COST = 1_000_000
_MAX_ENTRIES, _MAX_DOMAIN, _MAX_NAME, _MAX_VALUE = 32, 63, 32, 64
_TOO_COMPLEX = "too complex, exceeds cost limit"


def check_expression(expression: str, path: str) -> list[Cause]:
    if len(expression.encode()) > MAX_EXPRESSION:
        return [too_long(path, MAX_EXPRESSION)]
    if not expression:
        return [required(path)]
    problem = _problem(expression)
    if problem == _TOO_COMPLEX:
        return [forbidden(path, problem)]
    return [invalid(path, expression, problem)] if problem else []


@functools.lru_cache(256)
def _problem(expression: str) -> str:
    """Empty for an expression that may be stored."""
    from proa.api.cel.cost import estimate
    from proa.api.cel.errors import CompileError

    environment, device = _environment()
    try:
        program = environment.compile(expression)
    except CompileError as error:
        return str(error)
    if program.result.kind not in ("bool", "dyn"):
        return f"must evaluate to bool or the unknown type, not {program.result}"
    return _TOO_COMPLEX if estimate(program.checked, {"device": device}) > MAX_COST else ""


@functools.cache
def _environment() -> tuple[Environment, Type]:
    from proa.api.cel.environment import Environment
    from proa.api.cel.library.quantities import QUANTITY
    from proa.api.cel.types import BOOL, STRING, Type, object_type

    def by_domain_and_name(value: Type) -> Type:
        named = Type("map", parameters=(Type("string", size=_MAX_NAME), value), size=_MAX_ENTRIES)
        return Type("map", parameters=(Type("string", size=_MAX_DOMAIN), named), size=_MAX_ENTRIES)

    fields = {
        "driver": STRING,
        "attributes": by_domain_and_name(Type("dyn", size=_MAX_VALUE, smallest=1)),
        "capacity": by_domain_and_name(QUANTITY),
        "allowMultipleAllocations": BOOL,
    }
    device = object_type("kubernetes.DRADevice", fields)
    return Environment({"device": device}), device
