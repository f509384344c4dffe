"""What an expression can cost at most, before it is ever evaluated, from the sizes that its variables' types declare.

Rules whose estimate is over the budget are refused when they are written: nobody can bring a loop over a loop over a list without maxItems.
Source: cel-go checker/cost.go and k8s.io/apiserver/pkg/cel/library/cost.go.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from proa.api.cel.library.costs import CHECK, REGEX, TRAVERSAL
from proa.api.cel.syntax import Call, Comprehension, Constant, Identifier, ListLiteral, MapLiteral, Node, Select
from proa.api.cel.types import DYN, MAX_REQUEST, Type
from proa.lib.dataclass import dataclass

if TYPE_CHECKING:
    from proa.api.cel.checker import Checked


@dataclass(frozen=True, slots=True)
class Estimate:
    cost: int
    size: int
    """Elements or characters of the result, at most."""
    type: Type
    """With declared sizes, which the checker's own types may have lost."""


def estimate(checked: Checked, variables: dict[str, Type]) -> int:
    """The highest cost of one evaluation."""
    return _Estimator(checked, variables).of(checked.parsed.root).cost


class _Estimator:
    def __init__(self, checked: Checked, variables: dict[str, Type]) -> None:
        self._checked = checked
        self._scopes: list[dict[str, Estimate]] = [{name: Estimate(0, _size(each), each) for name, each in variables.items()}]

    def of(self, node: Node) -> Estimate:
        if isinstance(node, Constant):
            return Estimate(0, len(node.value) if isinstance(node.value, str | bytes) else 1, self._type(node))
        if isinstance(node, Identifier):
            return self._named(node.name, self._type(node))
        if isinstance(node, Select):
            return self._select(node)
        if isinstance(node, ListLiteral):
            parts = [self.of(each) for each in node.elements]
            element = max(parts, key=lambda each: each.size).type if parts else DYN
            return Estimate(10 + sum(each.cost for each in parts), len(parts), Type("list", "", (element,), size=len(parts)))
        if isinstance(node, MapLiteral):
            return self._map(node)
        if isinstance(node, Comprehension):
            return self._comprehension(node)
        return self._call(node)

    def _type(self, node: Node) -> Type:
        return self._checked.types.get(node.id, DYN)

    def _named(self, name: str, declared: Type) -> Estimate:
        for scope in reversed(self._scopes):
            if name in scope:
                return Estimate(1, scope[name].size, scope[name].type)
        return Estimate(1, _size(declared), declared)

    def _select(self, node: Select) -> Estimate:
        if node.id in self._checked.names:
            return self._named(self._checked.names[node.id], self._type(node))
        operand = self.of(node.operand)
        if node.test_only:
            return Estimate(operand.cost, 1, self._type(node))
        found = _member(operand.type, node.field) or self._type(node)
        return Estimate(operand.cost + 1, _size(found), found)

    def _map(self, node: MapLiteral) -> Estimate:
        cost = 40 if node.name else 30
        for entry in node.entries:
            cost += self.of(entry.value).cost + (0 if isinstance(entry.key, str) else self.of(entry.key).cost)
        return Estimate(cost, len(node.entries), self._type(node))

    def _comprehension(self, node: Comprehension) -> Estimate:
        over, initial = self.of(node.range), self.of(node.initial)
        first, second = _iterated(over.type)
        variables = {node.variable: Estimate(0, _size(first), first)}
        if node.second_variable:
            variables = {
                node.variable: Estimate(0, _size(first), first) if over.type.kind == "map" else Estimate(0, 1, DYN),
                node.second_variable: Estimate(0, _size(second), second),
            }
        accumulated = self._type(node)
        self._scopes.append({node.accumulator: Estimate(0, max(over.size, initial.size), accumulated), **variables})
        turn = self.of(node.condition).cost + self.of(node.step).cost
        result = self.of(node.result)
        self._scopes.pop()
        builds = accumulated.kind in ("list", "map")
        size = over.size if builds else max(result.size, 1)
        return Estimate(over.cost + initial.cost + over.size * turn + result.cost, size, self._built(node, accumulated))

    def _built(self, node: Comprehension, accumulated: Type) -> Type:
        """What a filter or map gives keeps the sizes of its elements, where they are known."""
        if accumulated.kind != "list" or not isinstance(node.range, Identifier | Select):
            return accumulated
        over = self.of(node.range).type
        element = over.parameters[0] if over.kind == "list" else accumulated.parameters[0]
        same_kind = element.kind == accumulated.parameters[0].kind or accumulated.parameters[0].kind == "dyn"
        return Type("list", "", (element,), size=over.size) if same_kind else accumulated

    def _call(self, node: Call) -> Estimate:
        name = self._checked.names.get(node.id, node.function)
        targeted = node.target is not None and name == node.function
        nodes = [node.target, *node.arguments] if targeted else node.arguments
        parts = [self.of(each) for each in nodes if each is not None]
        cost = sum(each.cost for each in parts)
        result = self._type(node)
        if name in ("_&&_", "_||_"):
            return Estimate(cost, 1, result)
        if name == "_?_:_":
            chosen = max(parts[1], parts[2], key=lambda each: each.size)
            return Estimate(parts[0].cost + max(parts[1].cost, parts[2].cost), chosen.size, chosen.type)
        if name in ("_[_]", "_[?_]", "_?._"):
            found = _element(parts[0].type, node) or result
            return Estimate(cost + 1, _size(found), found)
        own, size = _CALLS.get(name, _plain)(parts)
        return Estimate(cost + own, size if size >= 0 else _size(result), result)


def _size(declared: Type) -> int:
    if declared.size >= 0:
        return declared.size
    if declared.kind in ("string", "bytes", "dyn"):
        return MAX_REQUEST
    if declared.kind == "list":
        return MAX_REQUEST // (declared.parameters[0].smallest + 1)
    return MAX_REQUEST // 8 if declared.kind == "map" else 1


def _member(of: Type, name: str) -> Type | None:
    if of.kind == "object" and name in of.fields:
        return of.fields[name].type
    return of.parameters[1] if of.kind == "map" else None


def _element(of: Type, node: Call) -> Type | None:
    if of.kind == "optional":
        of = of.parameters[0]
    if of.kind == "list":
        return of.parameters[0]
    key = node.arguments[-1]
    return _member(of, str(key.value) if isinstance(key, Constant) else "")


def _iterated(over: Type) -> tuple[Type, Type]:
    if over.kind == "list":
        return over.parameters[0], over.parameters[0]
    return over.parameters if over.kind == "map" else (DYN, DYN)  # type: ignore[return-value]


def _times(size: int, factor: float) -> int:
    return math.ceil(size * factor)


def _plain(parts: list[Estimate]) -> tuple[int, int]:
    return 1, -1


def _traversing(factor: float = TRAVERSAL, *, keeps: bool = False) -> Callable[[list[Estimate]], tuple[int, int]]:
    return lambda parts: (_times(parts[0].size, factor), parts[0].size if keeps else -1)


def _compared(parts: list[Estimate]) -> tuple[int, int]:
    return max(1, _times(min(parts[0].size, parts[1].size), TRAVERSAL)), 1


def _added(parts: list[Estimate]) -> tuple[int, int]:
    size = parts[0].size + parts[1].size
    kind = parts[0].type.kind
    return (_times(size, TRAVERSAL) if kind in ("string", "bytes", "dyn") else 1), (
        size if kind in ("string", "bytes", "list", "dyn") else 1
    )


def _pattern(parts: list[Estimate]) -> tuple[int, int]:
    return _times(parts[0].size + 1, TRAVERSAL) * _times(parts[1].size, REGEX), parts[0].size


def _of_elements(parts: list[Estimate]) -> tuple[int, int]:
    given = parts[0]
    if given.type.kind != "list":
        return _times(given.size, TRAVERSAL), 1
    element = given.type.parameters[0]
    each = 1 + (_times(_size(element), TRAVERSAL) if element.kind in ("string", "bytes") else 0)
    return given.size * each, 1


def _joined(parts: list[Estimate]) -> tuple[int, int]:
    element = parts[0].type.parameters[0] if parts[0].type.kind == "list" else DYN
    size = parts[0].size * _size(element) + (parts[1].size * max(0, parts[0].size - 1) if len(parts) > 1 else 0)
    return _times(size, TRAVERSAL), size


def _replaced(parts: list[Estimate]) -> tuple[int, int]:
    text, old, new = (each.size for each in parts[:3])
    size = text if new <= old else text * max(1, new) + text
    return _times(text, 2 * TRAVERSAL), size


_PARSING = ("url", "isURL", "quantity", "isQuantity", "ip", "isIP", "cidr", "isCIDR", "semver", "isSemver", "bytes")
_CALLS: dict[str, Callable[[list[Estimate]], tuple[int, int]]] = {
    "_==_": _compared, "_!=_": _compared, "_<_": _compared, "_<=_": _compared, "_>_": _compared, "_>=_": _compared, "_+_": _added,
    "@in": lambda parts: (max(1, parts[1].size) if parts[1].type.kind != "map" else 1, 1),
    "matches": _pattern, "find": _pattern, "findAll": _pattern,
    "contains": lambda parts: (_times(parts[0].size, TRAVERSAL) * _times(parts[1].size, TRAVERSAL), 1),
    "startsWith": lambda parts: (_times(parts[1].size, TRAVERSAL), 1), "endsWith": lambda parts: (_times(parts[1].size, TRAVERSAL), 1),
    **dict.fromkeys(("isSorted", "sum", "max", "min", "indexOf", "lastIndexOf"), _of_elements),
    **dict.fromkeys(("lowerAscii", "upperAscii", "substring", "trim"), _traversing(keeps=True)),
    **dict.fromkeys(_PARSING, _traversing()),
    "ip.isCanonical": _traversing(2 * TRAVERSAL),
    "strings.quote": _traversing(2 * TRAVERSAL), "split": _traversing(2 * TRAVERSAL, keeps=True),
    "join": _joined, "replace": _replaced, "validate": lambda parts: (_times(parts[1].size, TRAVERSAL) * 60, -1),
    "check": lambda parts: (CHECK, 1), "containsIP": lambda parts: (4 + _times(parts[1].size, TRAVERSAL), 1),
    "containsCIDR": lambda parts: (7 + _times(parts[1].size, TRAVERSAL), 1),
    **dict.fromkeys(("sets.contains", "sets.equivalent", "sets.intersects"), lambda parts: (1 + parts[0].size * parts[1].size, 1)),
    "size": lambda parts: (1, 1), "string": lambda parts: (1, parts[0].size if parts[0].type.kind in ("string", "bytes", "dyn") else 64),
}  # fmt: skip
