"""YAML bodies, read as Go's YAML library reads them into JSON: YAML 1.1 booleans and octals, no timestamps, no base-60 numbers.

Aliases stay shared while their expanded size is computed, so a few lines that stand for gigabytes are refused before anything is expanded.
"""

import base64
import math
import re
from typing import Any

import orjson
import yaml

from proa.api.errors import BadRequest
from proa.api.strict_json import MAX_DEPTH, YAML_COMPLAINT, DecodedBody, check_depth

LONGEST_NUMBER = 200
"""Digits of the longest integer that is read exactly; in any base, that many fit into a float."""
MAX_NODES = 500_000
"""Values a YAML body may stand for once its aliases are expanded."""


def decode_yaml(body: bytes) -> DecodedBody:
    """Raises BadRequest for what is no YAML, more than one document, too deep, or inflated by aliases."""
    try:
        root = _compose(body)
        duplicates: list[str] = []
        value = _Construction(duplicates).value(root) if root is not None else None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BadRequest(f"yaml: {_one_line(error)}") from None
    except RecursionError:
        raise BadRequest("yaml: exceeded max depth") from None
    check_depth(value)
    # A round trip gives every alias its own copy.
    told = (f"{YAML_COMPLAINT}unmarshal errors:\n  " + "\n  ".join(duplicates),) if duplicates else ()
    return DecodedBody(orjson.loads(orjson.dumps(value)), told)


class _Loader(yaml.CSafeLoader):
    """PyYAML's parser with the scalars of Go's library."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - PyYAML's own class attribute


for _tag, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF|y|Y|n|N", list("yYnNtTfFoO")),
    ("int", r"[-+]?(?:0b_*[01][01_]*|0o?_*[0-7][0-7_]*|0x_*[0-9a-fA-F][0-9a-fA-F_]*|0|[1-9][0-9_]*)", list("-+0123456789")),
    ("float", r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", list("-+.0123456789")),
    ("merge", r"<<", ["<"]),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"(?:{_pattern})$"), _first)


def _compose(body: bytes) -> yaml.Node | None:
    """The tree of the one document. Not PyYAML's own, which recurses in C without a limit: brackets alone could end the process."""
    loader = _Loader(body)
    try:
        return _Composition(loader).root()
    finally:
        loader.dispose()


class _Composition:
    """Events to nodes, without recursion."""

    def __init__(self, loader: _Loader) -> None:
        self._loader = loader
        self._open: list[tuple[yaml.CollectionNode, list[yaml.Node]]] = []
        self._anchors: dict[str, yaml.Node] = {}
        self._roots: list[yaml.Node] = []
        self._count = 0

    def root(self) -> yaml.Node | None:
        get_event = self._loader.get_event
        while not isinstance(event := get_event(), yaml.StreamEndEvent):
            if isinstance(event, yaml.DocumentStartEvent) and self._roots:
                raise BadRequest("yaml: expected a single document in the stream")
            if isinstance(event, yaml.ScalarEvent):
                self._add(yaml.ScalarNode(self._tag(event), event.value, event.start_mark), event.anchor)  # type: ignore[arg-type]
            elif isinstance(event, yaml.MappingStartEvent):
                self._begin(yaml.MappingNode("", []), event.anchor)
            elif isinstance(event, yaml.SequenceStartEvent):
                self._begin(yaml.SequenceNode("", []), event.anchor)
            elif isinstance(event, yaml.CollectionEndEvent):
                self._end()
            elif isinstance(event, yaml.AliasEvent):
                if event.anchor not in self._anchors:
                    raise BadRequest(f"yaml: unknown anchor '{event.anchor}' referenced")
                self._place(self._anchors[event.anchor])
        return self._roots[0] if self._roots else None

    def _tag(self, event: yaml.ScalarEvent) -> str:
        if event.tag not in (None, "!"):
            return str(event.tag)
        return str(self._loader.resolve(yaml.ScalarNode, event.value, event.implicit))  # type: ignore[no-untyped-call]

    def _add(self, node: yaml.Node, anchor: str | None) -> None:
        if anchor is not None:
            self._anchors[anchor] = node
        self._place(node)

    def _place(self, node: yaml.Node) -> None:
        self._count += 1
        if self._count > MAX_NODES:
            raise BadRequest(f"yaml: document has more than {MAX_NODES} values")
        (self._open[-1][1] if self._open else self._roots).append(node)

    def _begin(self, node: yaml.CollectionNode, anchor: str | None) -> None:
        self._add(node, anchor)
        self._open.append((node, []))
        if len(self._open) > MAX_DEPTH:
            raise BadRequest("yaml: exceeded max depth")

    def _end(self) -> None:
        node, children = self._open.pop()
        paired = isinstance(node, yaml.MappingNode)
        node.value = list(zip(children[::2], children[1::2], strict=True)) if paired else children


class _Construction:
    """One body's nodes to values. Every node is built once; `size` counts what it stands for after expansion."""

    def __init__(self, duplicates: list[str]) -> None:
        self._duplicates = duplicates
        self._built: dict[int, tuple[Any, int]] = {}
        self._open: set[int] = set()

    def value(self, root: yaml.Node) -> Any:
        return self._build(root, 0)[0]

    def _build(self, node: yaml.Node, depth: int) -> tuple[Any, int]:
        built = self._built.get(id(node))
        if built is None:
            if id(node) in self._open:
                raise BadRequest("yaml: anchor contains itself")
            if depth > MAX_DEPTH:
                raise BadRequest("yaml: exceeded max depth")
            self._open.add(id(node))
            built = self._built[id(node)] = self._construct(node, depth)
            self._open.discard(id(node))
        if built[1] > MAX_NODES:
            raise BadRequest("yaml: document contains excessive aliasing")
        return built

    def _construct(self, node: yaml.Node, depth: int) -> tuple[Any, int]:
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, depth)
        if isinstance(node, yaml.SequenceNode):
            items = [self._build(each, depth + 1) for each in node.value]
            return [value for value, _ in items], 1 + sum(size for _, size in items)
        return _scalar(node), 1

    def _mapping(self, node: yaml.MappingNode, depth: int) -> tuple[dict[str, Any], int]:
        own: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        size = 1
        for key_node, value_node in node.value:
            if key_node.tag.endswith(":merge"):
                value, part = self._build(value_node, depth + 1)
                for each in reversed(value if isinstance(value, list) else [value]):
                    if not isinstance(each, dict):
                        raise BadRequest("yaml: map merge requires map or sequence of maps as the value")
                    merged |= each
            else:
                key = _key(key_node)
                value, part = self._build(value_node, depth + 1)
                if key in own:
                    self._duplicates.append(f'line {key_node.start_mark.line + 1}: key "{key}" already set in map')
                own[key] = value
            size += part
        return merged | own, size


def _key(node: yaml.Node) -> str:
    if not isinstance(node, yaml.ScalarNode):
        raise BadRequest("yaml: a key must be a scalar")
    value = _scalar(node)
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _scalar(node: yaml.Node) -> Any:
    text, tag = str(node.value), node.tag.rpartition(":")[2]
    try:
        return _typed(text, tag)
    except ValueError:
        if tag == "binary":
            raise BadRequest("yaml: !!binary value contains invalid base64 data") from None
        raise BadRequest(f"yaml: line {node.start_mark.line + 1}: cannot decode !!str `{text[:10]}` as a !!{tag}") from None


def _typed(text: str, tag: str) -> Any:
    """Raises ValueError for a text that is none of its tag, which may stand beside it in so many words."""
    if tag == "null":
        return None
    if tag == "bool":
        return text.lower() in ("yes", "true", "on", "y")
    if tag == "int":
        return _integer(text.replace("_", ""))
    if tag == "float":
        return _number(text)
    if tag == "binary":
        return base64.b64decode(text, validate=False).decode("utf-8", "replace")
    return text


def _integer(text: str) -> int | float | str:
    sign = -1 if text.startswith("-") else 1
    digits = text.lstrip("+-").lower()
    if len(digits) > LONGEST_NUMBER:
        return _number(text) if digits.isdigit() else text
    octal = digits.startswith("0") and digits.isdigit()
    value = sign * (int(digits, 8) if octal else int(digits, 0))
    return value if -(1 << 63) <= value < 1 << 64 else float(value)


def _number(text: str) -> int | float | str:
    """On the way through JSON, Go writes 1e3 as 1000, which an integer field takes. What is beyond a float is a text."""
    value = float(text)
    if not math.isfinite(value):
        return text
    return int(value) if value.is_integer() and abs(value) < 1 << 63 else value


def _one_line(error: Exception) -> str:
    mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
    return f"line {mark.line + 1}: {problem}" if mark and problem else " ".join(str(error).split())
