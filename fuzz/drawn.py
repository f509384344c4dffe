"""Structured values from bytes: every byte string means a value, and a small change of the bytes is mostly a small change of the value.

A fuzzer that mutates JSON as text spends its time on texts that are no JSON. Here it mutates the decisions by which a value is made, so
that each mutation gets past the decoder and to the code behind it.
"""

from collections.abc import Sequence
from typing import Any, TypeVar

from proa.api.schema_node import SchemaNode

T = TypeVar("T")
DEPTH = 6
LONGEST = 24
WORDS = (
    "", "a", "b", "web", "app", "x" * 64, "default", "metadata", "name", "labels", "kubernetes.io/name", "a/b/c", "~1", "~0", "-", "0", "1",
    "-1", "01", "$patch", "1Gi", "500m", "1e3", "100%", "2026-01-01T00:00:00Z", "5s", "10.0.0.1", "::1", "\u00e9", "\u0000", "\n", "TCP",
    "Always", "0/0", ".", "..", "%", "a.b-c_d", "true", "null", "*", "[", "^(a+)+$",
)  # fmt: skip
NUMBERS = (
    0,
    1,
    -1,
    2,
    255,
    256,
    65535,
    65536,
    2**31 - 1,
    2**31,
    -(2**31) - 1,
    2**53,
    2**63 - 1,
    2**63,
    -(2**63),
    2**64 - 1,
    1.5,
    -0.0,
    1e300,
    1e-300,
)


class Drawn:
    """Draws from `data`; where that has ended, every draw is the first choice."""

    def __init__(self, data: bytes) -> None:
        self._data, self._place = data, 0

    @property
    def is_at_end(self) -> bool:
        return self._place >= len(self._data)

    def byte(self) -> int:
        self._place += 1
        return self._data[self._place - 1] if self._place <= len(self._data) else 0

    def take(self, count: int) -> bytes:
        self._place += count
        return self._data[self._place - count : self._place]

    def rest(self) -> bytes:
        return self.take(max(0, len(self._data) - self._place))

    def below(self, count: int) -> int:
        return (self.byte() if count <= 256 else self.byte() << 8 | self.byte()) % count

    def choice(self, options: Sequence[T]) -> T:
        return options[self.below(len(options))]

    def text(self) -> str:
        if self.below(3):
            return self.choice(WORDS)
        return self.take(self.below(LONGEST)).decode("utf-8", "replace")

    def number(self) -> int | float:
        return self.choice(NUMBERS) if self.below(2) else self.byte()

    def json(self, depth: int = DEPTH) -> Any:
        """Any JSON value."""
        match self.below(8 if depth else 6):
            case 0:
                return None
            case 1:
                return self.below(2) == 1
            case 2:
                return self.number()
            case 3 | 4 | 5:
                return self.text()
            case 6:
                return [self.json(depth - 1) for _ in range(self.below(4))]
        return {self.text(): self.json(depth - 1) for _ in range(self.below(4))}

    def of(self, node: SchemaNode | None, depth: int = DEPTH) -> Any:
        """A value whose types are those of a schema; elements of lists that merge by key have different keys."""
        if node is None or node.type == "any":
            return self.json(min(depth, 2))
        match node.type:
            case "object":
                return self._object(node, depth)
            case "map":
                return {self.text(): self.of(node.values, depth - 1) for _ in range(self.below(3))} if depth else {}
            case "array":
                return self._array(node, depth) if depth else []
            case "integer":
                return self.choice((0, 1, 80, -1, 65536, 2**31 - 1, self.byte()))
            case "number":
                return self.number()
            case "boolean":
                return self.below(2) == 1
            case "int_or_string":
                return self.choice((1, "50%", "http", self.text()))
            case "quantity":
                return self.choice(("1", "500m", "1Gi", "0", 2, 1.5, self.text()))
        return self.text() if node.format != "byte" else "YQ=="

    def _object(self, node: SchemaNode, depth: int) -> dict[str, Any]:
        names = list(node.properties)
        if not names or not depth:
            return {}
        made: dict[str, Any] = {}
        for _ in range(self.below(5)):
            name = self.choice(names)
            made[name] = self.of(node.properties[name], depth - 1)
        return made

    def _array(self, node: SchemaNode, depth: int) -> list[Any]:
        items = [self.of(node.items, depth - 1) for _ in range(self.below(4))]
        keys = node.list_map_keys or ((node.patch_merge_key,) if node.patch_merge_key else ())
        if node.items is None or node.items.type != "object":
            return list({str(each): each for each in items}.values()) if node.list_type == "set" else items
        for item in items:
            for key in keys:
                if item.get(key) is None:
                    item[key] = self.of(node.items.properties.get(key), 1)
        if merge_key := node.patch_merge_key:
            items = list({str(item[merge_key]): item for item in items if item.get(merge_key) is not None}.values())
        return list({str([item.get(key) for key in keys]): item for item in items}.values()) if keys else items
