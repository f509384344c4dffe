"""What was made of a spec, remembered by the spec's JSON: the pods of one template differ in metadata, so their specs need be read once.

Only for pure functions of the spec. The memory is bounded in entries and in bytes; what is too long or no JSON is not remembered.
The token volume's name is the one part of a spec that is drawn per pod. It is left out of the key, and can be: a name of the same length
and alphabet in the same places makes no difference to any rule, and the byte that stands for it can't occur in JSON.
"""

import re
from collections.abc import Hashable
from typing import Any, TypeVar

import orjson

from proa.lib.recently_used import RecentlyUsed

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
CAPACITY = 128
LONGEST = 8192
STAND_IN = b"\0"
_TOKEN_VOLUME = b'"kube-api-access-'
_NAME = re.compile(rb'"(kube-api-access-[a-z0-9]{5})"')


class SpecMemory(RecentlyUsed[K, V]):
    """Keys are what `spec_key` gives, or have it in them."""

    def __init__(self) -> None:
        super().__init__(CAPACITY)


def spec_key(spec: Any) -> tuple[bytes, bytes]:
    """(key, the name that was left out of it); (b"", b"") for what is not to be remembered."""
    if type(spec) is not dict:
        return b"", b""
    try:
        text = orjson.dumps(spec)
    except TypeError:
        return b"", b""
    if len(text) > LONGEST:
        return b"", b""
    start = text.find(_TOKEN_VOLUME)
    found = _NAME.match(text, start) if start >= 0 else None
    if found is None:
        return text, b""
    name = found[1]
    return text.replace(name, STAND_IN), name


def spec_of(key: bytes, name: bytes) -> Any:
    """A new spec from what `spec_key` gave."""
    return orjson.loads(key.replace(STAND_IN, name) if name else key)
