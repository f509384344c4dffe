"""Sets of fields in the very form in which FieldsV1 writes them, so that nothing is converted on the way in or out.

A node is a dict from path elements (`f:name`, `k:{"name":"web"}`, `v:"x"`, `i:0`) to nodes. A node is a member itself if it is empty or
has the element `.`; otherwise it only leads to members. All functions leave their arguments alone and may share parts with them.
"""

from collections.abc import Iterator
from typing import Any

import orjson

FieldSet = dict[str, Any]
SELF = "."
LEAF: FieldSet = {}
"""A member without members below. Never change it."""


def is_member(node: FieldSet) -> bool:
    return not node or SELF in node


def union(left: FieldSet, right: FieldSet) -> FieldSet:
    """What is in either of two sets (their roots are no members)."""
    if left is right or not right:
        return left
    if not left:
        return right
    merged = dict(left)
    for element, theirs in right.items():
        ours = merged.get(element)
        merged[element] = theirs if ours is None else _united(ours, theirs)
    return merged


def _united(ours: FieldSet, theirs: FieldSet) -> FieldSet:
    if not ours:
        return theirs if not theirs or SELF in theirs else {SELF: LEAF, **theirs}
    if not theirs:
        return ours if SELF in ours else {SELF: LEAF, **ours}
    return union(ours, theirs)


def difference(left: FieldSet, right: FieldSet) -> FieldSet:
    """What is in `left` and not in `right`."""
    if not left or not right:
        return left
    rest: FieldSet = {}
    for element, ours in left.items():
        theirs = right.get(element)
        if theirs is None:
            rest[element] = ours
            continue
        if element == SELF:
            continue
        kept = _node_difference(ours, theirs)
        if kept is not None:
            rest[element] = kept
    return rest


def _node_difference(ours: FieldSet, theirs: FieldSet) -> FieldSet | None:
    """What stays of a node; None if nothing does."""
    if not ours:
        return None if is_member(theirs) else ours
    below = difference(ours, theirs or {SELF: LEAF})
    if not below:
        return None
    return LEAF if len(below) == 1 and SELF in below else below


def intersection(left: FieldSet, right: FieldSet) -> FieldSet:
    """What is in both."""
    both: FieldSet = {}
    for element, ours in left.items():
        theirs = right.get(element)
        if theirs is None:
            continue
        if element == SELF:
            both[SELF] = LEAF
            continue
        common = intersection(ours, theirs) if ours and theirs else {}
        common.pop(SELF, None)
        if is_member(ours) and is_member(theirs):
            both[element] = {SELF: LEAF, **common} if common else LEAF
        elif common:
            both[element] = common
    return both


def without_subtrees(fields: FieldSet, roots: FieldSet) -> FieldSet:
    """`fields` without the members of `roots` and everything below them."""
    rest: FieldSet = {}
    for element, ours in fields.items():
        theirs = roots.get(element)
        if theirs is None:
            rest[element] = ours
        elif theirs and ours:
            kept = without_subtrees(ours, theirs)
            if kept:
                rest[element] = kept
    return rest


def members(fields: FieldSet, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The paths of all members."""
    for element, node in fields.items():
        if element == SELF:
            continue
        own = (*path, element)
        if is_member(node):
            yield own
        if node:
            yield from members(node, own)


def path_text(path: tuple[str, ...]) -> str:
    """`.spec.template.spec.containers[name="web"].image`: how messages name a field."""
    return "".join(_element_text(element) for element in path)


def _element_text(element: str) -> str:
    kind, _, value = element.partition(":")
    if kind == "f":
        return f".{value}"
    if kind == "k":
        keys = orjson.loads(value)
        return "[" + ",".join(f"{key}={orjson.dumps(keys[key]).decode()}" for key in sorted(keys)) + "]"
    return f"[={value}]" if kind == "v" else f"[{value}]"
