"""How functions are declared: name, overloads, types, what runs, what it costs. Libraries are tables of these."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from proa.api.cel.types import Type
from proa.api.cel.values import Duration, Opaque, Optional, Timestamp, TypeValue, Uint
from proa.lib.dataclass import dataclass

Implementation = Callable[..., Any]
Cost = Callable[[Sequence[Any], Any], int]
"""What a call has cost: from its arguments (the target first) and its result."""


@dataclass(frozen=True, slots=True)
class Overload:
    id: str
    parameters: tuple[Type, ...]
    """The target of a member call first."""
    result: Type
    member: bool
    run: Implementation


@dataclass(frozen=True, slots=True)
class Function:
    name: str
    overloads: tuple[Overload, ...]
    cost: Cost | None = None


Table = Mapping[str, Function]


def overload(name: str, parameters: Sequence[Type], result: Type, run: Implementation, *, member: bool = False, id_: str = "") -> Overload:
    return Overload(id_ or name, tuple(parameters), result, member, run)


def merged(tables: Iterable[Iterable[Function]]) -> dict[str, Function]:
    """Functions by name; libraries may add overloads to the same name."""
    found: dict[str, Function] = {}
    for table in tables:
        for function in table:
            known = found.get(function.name)
            if known is None:
                found[function.name] = function
            else:
                found[function.name] = Function(known.name, (*known.overloads, *function.overloads), known.cost or function.cost)
    return found


_CLASSES: Mapping[str, tuple[type, ...]] = {
    "bool": (bool,), "int": (int,), "uint": (Uint,), "double": (float,), "string": (str,), "bytes": (bytes,), "null": (type(None),),
    "timestamp": (Timestamp,), "duration": (Duration,), "list": (list,), "type": (TypeValue,), "optional": (Optional,),
}  # fmt: skip


def fits(declared: Type, value: Any) -> bool:
    """Whether a value may be an argument of this type; elements of lists and maps are not looked at."""
    kind = declared.kind
    if kind in ("dyn", "parameter"):
        return True
    if kind in ("map", "object"):
        return isinstance(value, dict)
    if kind == "opaque":
        return isinstance(value, Opaque) and value.type_name == declared.name
    return value.__class__ in _CLASSES.get(kind, ())
