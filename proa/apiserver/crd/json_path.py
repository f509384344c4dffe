"""The JSONPath of printer columns, scale and selectable fields: `.a.b`, `.a['x.y/z']`, `.a[0]`, `.a[-1]`, `.a[*]`, `.a[1:3]`, `..a`,
filters `[?(@.type=="Ready")]`. A path gives every value it matches.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

from proa.lib.remembered import remembered

Step = Callable[[Any], Iterator[Any]]
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "==": lambda left, right: left == right,
    "!=": lambda left, right: left != right,
    "<=": lambda left, right: left <= right,
    ">=": lambda left, right: left >= right,
    "<": lambda left, right: left < right,
    ">": lambda left, right: left > right,
}
_FILTER = re.compile(r"\?\(\s*@(?P<path>[^=!<>]*?)\s*(?:(?P<operator>==|!=|<=|>=|<|>)\s*(?P<value>.+?))?\s*\)")
_NAME = re.compile(r"(?:[^.\[\\]|\\.)+")


class BadPath(ValueError):
    """What does not parse."""


@remembered(4096)
def parse_path(text: str) -> tuple[Step, ...]:
    """The steps of a path that starts with a dot; raises BadPath."""
    steps: list[Step] = []
    rest = text.removeprefix("$")
    while rest:
        if rest.startswith(".."):
            steps.append(_descend)
            rest = "." + rest[2:]
        elif rest.startswith(".["):
            rest = rest[1:]
        elif rest.startswith("."):
            match = _NAME.match(rest, 1)
            if match is None:
                if rest == ".":
                    break
                raise BadPath(f"unrecognized character in {rest!r}")
            name = match[0].replace("\\", "")
            steps.append(_every if name == "*" else _field(name))
            rest = rest[match.end() :]
        elif rest.startswith("["):
            content, rest = _bracket(rest)
            steps.append(_subscript(content))
        else:
            raise BadPath(f"unrecognized character in {rest!r}")
    return tuple(steps)


def find(obj: Any, text: str) -> list[Any]:
    """Every value at the path, in document order."""
    found = [obj]
    for step in parse_path(text):
        found = [inner for value in found for inner in step(value)]
    return found


def _bracket(text: str) -> tuple[str, str]:
    """What is between the brackets, and what follows them; brackets inside quotes do not count."""
    quote, depth = "", 0
    for index, character in enumerate(text):
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character == "[":
            depth += 1
        elif character == "]":
            depth -= 1
            if not depth:
                return text[1:index].strip(), text[index + 1 :]
    raise BadPath("unterminated array")


def _subscript(content: str) -> Step:
    if content == "*":
        return _every
    if content.startswith("?"):
        return _filter(content)
    if content[:1] in ("'", '"') and content[-1:] == content[:1] and len(content) > 1:
        return _field(content[1:-1])
    if re.fullmatch(r"-?\d+", content):
        return _index(int(content))
    if match := re.fullmatch(r"(-?\d*):(-?\d*)(?::(-?\d*))?", content):
        bounds = [int(each) if each else None for each in match.groups()]
        return _slice(slice(*bounds))
    raise BadPath(f"invalid array index {content}")


def _field(name: str) -> Step:
    def step(value: Any) -> Iterator[Any]:
        if isinstance(value, dict) and name in value:
            yield value[name]

    return step


def _index(index: int) -> Step:
    def step(value: Any) -> Iterator[Any]:
        if isinstance(value, list) and -len(value) <= index < len(value):
            yield value[index]

    return step


def _slice(bounds: slice) -> Step:
    """A step of 0 or less finds nothing: upstream takes it and fails where the path is used, which shows as an empty cell."""

    def step(value: Any) -> Iterator[Any]:
        if isinstance(value, list) and (bounds.step is None or bounds.step > 0):
            yield from value[bounds]

    return step


def _every(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, list):
        yield from value


def _descend(value: Any) -> Iterator[Any]:
    yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _descend(inner)


def _filter(content: str) -> Step:
    match = _FILTER.fullmatch(content)
    if match is None:
        raise BadPath(f"unrecognized filter {content}")
    path, operator = match["path"] or "", match["operator"]
    parse_path(path)
    wanted = _literal(match["value"]) if operator else None

    def step(value: Any) -> Iterator[Any]:
        for item in value if isinstance(value, list) else ():
            found = find(item, path)
            if found and (operator is None or _compares(operator, found[0], wanted)):
                yield item

    return step


def _literal(text: str) -> Any:
    if text[:1] in ("'", '"') and text[-1:] == text[:1]:
        return text[1:-1]
    if text in ("true", "false"):
        return text == "true"
    try:
        return float(text) if "." in text else int(text)
    except ValueError:
        raise BadPath(f"unrecognized value {text} in a filter") from None


def _compares(operator: str, left: Any, right: Any) -> bool:
    try:
        return _COMPARE[operator](left, right)
    except TypeError:
        return False
