"""Lists whose order does not count (x-kubernetes-list-type set and map): equality regardless of order, and `+` as union.

Source: "Validation rules" in the Kubernetes documentation.
"""

from collections.abc import Callable
from typing import Any

from proa.api.cel.errors import no_overload
from proa.api.cel.types import Type
from proa.api.cel.values import contains, equal

Operator = Callable[[Any, Any], Any]


def _key(item: Any, keys: tuple[str, ...]) -> tuple[Any, ...]:
    return tuple(item.get(key) for key in keys) if isinstance(item, dict) else ()


def _equal(kind: Type) -> Operator:
    def run(left: Any, right: Any) -> bool:
        if left.__class__ is not list or right.__class__ is not list or len(left) != len(right):
            return bool(equal(left, right))
        if kind.collection == "set":
            return all(contains(right, each) for each in left)
        by_key = {_key(each, kind.keys): each for each in right}
        return all((other := by_key.get(_key(each, kind.keys))) is not None and equal(each, other) for each in left)

    return run


def _unequal(kind: Type) -> Operator:
    same = _equal(kind)
    return lambda left, right: not same(left, right)


def _union(kind: Type) -> Operator:
    def run(left: Any, right: Any) -> list[Any]:
        if left.__class__ is not list or right.__class__ is not list:
            raise no_overload()
        if kind.collection == "set":
            return [*left, *(each for each in right if not contains(left, each))]
        merged = {_key(each, kind.keys): each for each in left}
        merged.update((_key(each, kind.keys), each) for each in right)
        return list(merged.values())

    return run


COLLECTION_OPERATORS: dict[str, Callable[[Type], Operator]] = {"_==_": _equal, "_!=_": _unequal, "_+_": _union}
