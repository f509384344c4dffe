"""The syntax tree of a CEL expression. Macros are expanded: `all`, `map` and their kin are comprehensions. Source: cel-spec."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field

from proa.lib.dataclass import dataclass


@dataclass(slots=True)
class Constant:
    id: int
    value: object


@dataclass(slots=True)
class Identifier:
    id: int
    name: str


@dataclass(slots=True)
class Select:
    id: int
    operand: Node
    field: str
    test_only: bool = False
    """`has(operand.field)`."""


@dataclass(slots=True)
class Call:
    id: int
    function: str
    arguments: list[Node]
    target: Node | None = None


@dataclass(slots=True)
class ListLiteral:
    id: int
    elements: list[Node]
    optional: frozenset[int] = frozenset()
    """Indices of elements that are left out when they are optional.none()."""


@dataclass(slots=True)
class Entry:
    id: int
    key: Node | str
    value: Node
    optional: bool = False


@dataclass(slots=True)
class MapLiteral:
    """`{key: value}` without, `Name{field: value}` with a message name; then keys are names of fields."""

    id: int
    name: str
    entries: list[Entry]


@dataclass(slots=True)
class Comprehension:
    id: int
    variable: str
    second_variable: str
    range: Node
    accumulator: str
    initial: Node
    condition: Node
    step: Node
    result: Node


Node = Constant | Identifier | Select | Call | ListLiteral | MapLiteral | Comprehension


@dataclass(slots=True)
class Parsed:
    """A tree and where in the text its nodes stand (offsets in code points)."""

    text: str
    root: Node
    positions: dict[int, int] = field(default_factory=dict)


def walk(node: Node) -> Iterator[Node]:
    """The node and all below it."""
    pending = [node]
    while pending:
        each = pending.pop()
        yield each
        pending.extend(children(each))


def children(node: Node) -> list[Node]:
    if isinstance(node, Select):
        return [node.operand]
    if isinstance(node, Call):
        return [*([node.target] if node.target is not None else []), *node.arguments]
    if isinstance(node, ListLiteral):
        return node.elements
    if isinstance(node, MapLiteral):
        return [part for entry in node.entries for part in (entry.key, entry.value) if not isinstance(part, str)]
    if isinstance(node, Comprehension):
        return [node.range, node.initial, node.condition, node.step, node.result]
    return []


def identifiers(node: Node) -> set[str]:
    """All names that an expression mentions."""
    return {each.name for each in walk(node) if isinstance(each, Identifier)}
