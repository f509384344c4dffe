"""How an object lies in the store and in the cache: as the bytes that clients get, made once.

The store keeps JSON with apiVersion, kind and metadata in front and without metadata.resourceVersion, which is not known before the
write. The cache's entry has it spliced in right behind `"metadata":{`, so nothing is encoded again; the first occurrence of these bytes
is the object's own metadata, because only two JSON strings come before it and a quote inside a string is escaped.
"""

from collections.abc import Callable, Hashable, Mapping
from typing import Any

import orjson

from proa.api.meta import Object
from proa.storage.interface import Entry

Attributes = Callable[[Object], tuple[Mapping[str, str], Mapping[str, str]]]
"""(labels, selectable fields) of an object; the fields are kept as they are given, so they must be a mapping of its own."""

EMPTY: Mapping[str, str] = {}
MARK = b'"metadata":{'
CLOSING_BRACE = ord("}")


def encode(obj: Object) -> bytes:
    """The stored form. The caller's object is left as it is."""
    metadata: dict[str, Any] = obj.get("metadata") or {}
    if "resourceVersion" in metadata:
        metadata = {name: value for name, value in metadata.items() if name != "resourceVersion"}
    ordered: Object = {"apiVersion": "", "kind": "", "metadata": None, **obj}
    ordered["metadata"] = metadata
    return orjson.dumps(ordered)


def with_revision(stored: bytes, revision: int) -> bytes:
    """The stored form with metadata.resourceVersion."""
    start = stored.index(MARK) + len(MARK)
    comma = b"" if stored[start] == CLOSING_BRACE else b","
    return b'%b"resourceVersion":"%d"%b%b' % (stored[:start], revision, comma, stored[start:])


def decode(stored: bytes) -> Object:
    obj: Object = orjson.loads(stored)
    return obj


def same_object(stored: bytes, entry: Entry) -> bool:
    """Whether the stored form says what the entry says; the order of keys does not count."""
    candidate = with_revision(stored, entry.revision)
    if candidate == entry.value:
        return True
    return len(candidate) == len(entry.value) and _canonical(candidate) == _canonical(entry.value)


def _canonical(document: bytes) -> bytes:
    return orjson.dumps(orjson.loads(document), option=orjson.OPT_SORT_KEYS)


class CachedEntry:
    """The `Entry` of the interface."""

    __slots__ = ("_encodings", "fields", "key", "labels", "revision", "value")

    def __init__(self, key: str, revision: int, value: bytes, labels: Mapping[str, str], fields: Mapping[str, str]) -> None:
        self.key = key
        self.revision = revision
        self.value = value
        self.labels = labels
        self.fields = fields
        self._encodings: dict[Hashable, bytes] | None = None

    def decode(self) -> Object:
        return decode(self.value)

    def encoded(self, variant: Hashable, encode: Callable[[Entry], bytes]) -> bytes:
        if self._encodings is None:
            self._encodings = {}
        if variant not in self._encodings:
            self._encodings[variant] = encode(self)
        return self._encodings[variant]

    def __repr__(self) -> str:
        return f"CachedEntry({self.key!r}, {self.revision})"


def finish(draft: CachedEntry, revision: int) -> CachedEntry:
    """Turn a draft, whose value is the stored form, into the entry that its write has become."""
    draft.value = with_revision(draft.value, revision)
    draft.revision = revision
    return draft


def at_revision(entry: Entry, revision: int) -> CachedEntry:
    """The same object with another resourceVersion: what DELETED carries."""
    old, new = b'"resourceVersion":"%d"' % entry.revision, b'"resourceVersion":"%d"' % revision
    return CachedEntry(entry.key, revision, entry.value.replace(old, new, 1), entry.labels, entry.fields)


class LabelPool:
    """Makes equal label sets one object: a ReplicaSet's pods carry the same labels, and a dict of its own costs each 400 bytes."""

    __slots__ = ("_known",)

    LIMIT = 4096

    def __init__(self) -> None:
        self._known: dict[tuple[tuple[str, str], ...], Mapping[str, str]] = {}

    def shared(self, labels: Mapping[str, str]) -> Mapping[str, str]:
        if not labels:
            return EMPTY
        identity = tuple(labels.items())
        found = self._known.get(identity)
        if found is None:
            if len(self._known) >= self.LIMIT:
                self._known.clear()
            found = self._known[identity] = dict(labels)
        return found
