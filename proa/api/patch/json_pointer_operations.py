"""JSON patch (RFC 6902): a list of operations on places that JSON pointers (RFC 6901) name; all of them apply, or none.

What can't be applied is 422 with the reason Invalid; a failed `test` too. What is no JSON patch at all is 400.
"""

from typing import Any

import orjson

from proa.api.errors import ApiError, BadRequest, Invalid

COPY_LIMIT = 3 * 1024 * 1024
"""Bytes that all copies of one patch may add: a few of them, each of the whole, would otherwise fill any memory."""
REFUSED = "the server rejected our request due to an error in our request"
_NEEDED = {
    "add": ("value",), "remove": (), "replace": ("value",), "move": ("from",), "copy": ("from",), "test": (),
}  # fmt: skip


def json_patch(document: Any, operations: Any) -> Any:
    """The patched document; `document` may be changed on the way, so hand in a copy if it must survive an error."""
    if not isinstance(operations, list):
        raise BadRequest("json: cannot unmarshal object into Go value of type jsonpatch.Patch")
    copies = _Copies()
    for operation in operations:
        document = _apply(document, _checked(operation), copies)
    return document


class _Copies:
    """Makes copies and counts their bytes."""

    def __init__(self) -> None:
        self._size = 0

    def __call__(self, value: Any) -> Any:
        encoded = orjson.dumps(value)
        self._size += len(encoded)
        if self._size > COPY_LIMIT:
            size = f"the accumulated size increase of copy is {self._size}, exceeding the limit {COPY_LIMIT}"
            raise _refused(f"Unable to complete the copy, {size}")
        return orjson.loads(encoded)


def _checked(operation: Any) -> dict[str, Any]:
    if not isinstance(operation, dict):
        raise BadRequest("json: cannot unmarshal value into Go value of type jsonpatch.Operation")
    kind = operation.get("op")
    if not isinstance(kind, str) or kind not in _NEEDED:
        raise _refused(f"Unexpected kind: {kind if kind is not None else 'unknown'}")
    if not isinstance(operation.get("path"), str):
        raise _refused(f"{kind} operation does not apply: doc is missing path: missing value")
    for member in _NEEDED[kind]:
        if member not in operation:
            raise _refused(f"{kind} operation: {member} is missing")
    if "from" in _NEEDED[kind] and not isinstance(operation["from"], str):
        raise _refused(f"{kind} operation does not apply: doc is missing from path: missing value")
    return operation


def _apply(document: Any, operation: dict[str, Any], copies: _Copies) -> Any:
    kind, path = operation["op"], operation["path"]
    tokens = _tokens(path, kind)
    if kind == "add":
        return _add(document, tokens, operation["value"], kind, path)
    if kind == "remove":
        return _remove(document, tokens, kind, path)[0]
    if kind == "replace":
        return _replace(document, tokens, operation["value"], path)
    if kind == "test":
        return _test(document, tokens, operation.get("value"), path)
    return _transfer(document, tokens, operation, copies)


def _transfer(document: Any, tokens: list[str], operation: dict[str, Any], copies: _Copies) -> Any:
    kind, source = operation["op"], operation["from"]
    start = _tokens(source, kind)
    if kind == "move":
        if tokens[: len(start)] == start and len(tokens) > len(start):
            raise _refused(f"move operation does not apply: can't move {source} into itself")
        document, value = _remove(document, start, kind, source)
    else:
        value = copies(_get(document, start, kind, source))
    return _add(document, tokens, value, kind, operation["path"])


def _tokens(path: str, kind: str) -> list[str]:
    if path and not path.startswith("/"):
        raise _refused(f'{kind} operation does not apply: doc is missing path: "{path}": missing value')
    return [token.replace("~1", "/").replace("~0", "~") for token in path.split("/")[1:]]


class FailedTest(Invalid):
    """A `test` operation found something else."""


def reason_of(error: ApiError) -> str:
    """Why a patch did not apply, for those who may know."""
    notes: list[str] = getattr(error, "__notes__", [])
    return notes[0] if notes else error.message


def _refused(why: str, kind: type[Invalid] = Invalid) -> ApiError:
    """Upstream keeps the reason to itself; ours is kept where only a log or a debugger sees it."""
    error = kind(REFUSED)
    error.add_note(why)
    return error


def _missing(kind: str, path: str) -> ApiError:
    return _refused(f'{kind} operation does not apply: doc is missing path: "{path}": missing value')


def _index(token: str, length: int, kind: str, path: str) -> int:
    """A place in a list; negative numbers count from the end, as upstream's library allows."""
    sign = token[:1] == "-"
    digits = token[1:] if sign else token
    missing = f'{kind} operation does not apply: doc is missing path: "{path}"'
    if not (digits.isascii() and digits.isdigit()) or (len(digits) > 1 and digits[0] == "0"):
        raise _refused(f'{missing}: strconv.Atoi: parsing "{token}": invalid syntax')
    index = int(digits)
    place = length - index if sign else index
    if not 0 <= place <= length:
        raise _refused(f"{missing}: Unable to access invalid index: {token}: invalid index referenced")
    return place


def _step(value: Any, token: str, kind: str, path: str) -> Any:
    if isinstance(value, dict):
        if token in value:
            return value[token]
    elif isinstance(value, list):
        place = _index(token, len(value), kind, path)
        if place < len(value):
            return value[place]
    raise _missing(kind, path)


def _get(document: Any, tokens: list[str], kind: str, path: str) -> Any:
    for token in tokens:
        document = _step(document, token, kind, path)
    return document


def _add(document: Any, tokens: list[str], value: Any, kind: str, path: str) -> Any:
    if not tokens:
        return value
    parent, last = _get(document, tokens[:-1], kind, path), tokens[-1]
    if isinstance(parent, dict):
        parent[last] = value
    elif isinstance(parent, list):
        parent.insert(len(parent) if last == "-" else _index(last, len(parent), kind, path), value)
    else:
        raise _missing(kind, path)
    return document


def _remove(document: Any, tokens: list[str], kind: str, path: str) -> tuple[Any, Any]:
    """(document without it, what it was)."""
    if not tokens:
        return None, document
    parent, last = _get(document, tokens[:-1], kind, path), tokens[-1]
    value = _step(parent, last, kind, path)
    del parent[_index(last, len(parent), kind, path) if isinstance(parent, list) else last]
    return document, value


def _replace(document: Any, tokens: list[str], value: Any, path: str) -> Any:
    if not tokens:
        return value
    parent, last = _get(document, tokens[:-1], "replace", path), tokens[-1]
    _step(parent, last, "replace", path)
    parent[_index(last, len(parent), "replace", path) if isinstance(parent, list) else last] = value
    return document


def _test(document: Any, tokens: list[str], expected: Any, path: str) -> Any:
    try:
        actual = _get(document, tokens, "test", path)
    except ApiError:
        if expected is None:
            return document
        raise
    if not _same(actual, expected):
        raise _refused(f"testing value {path} failed: test failed", FailedTest)
    return document


def _same(left: Any, right: Any) -> bool:
    """JSON equality: 1 and 1.0 are the same number, true is no number."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(_same(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(_same(*pair) for pair in zip(left, right, strict=True))
    return bool(left == right)
