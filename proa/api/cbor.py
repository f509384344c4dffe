"""Objects as CBOR (RFC 8949) in the profile of KEP-4222, which any JSON document survives there and back.

Every data item carries the self-described tag 55799; texts and keys travel as byte strings, bytes (format: byte) in tag 22 ("expected
base64") instead of base64; floats take the shortest form. What JSON can't say is refused: NaN, infinities, integers beyond 64 bits, keys
that are no text, and a key that comes twice. Load late: only a server whose feature gate is on needs it.
"""

import base64
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import cbor2

from proa.api.schema_node import SchemaNode
from proa.api.strict_json import MAX_DEPTH

MEDIA_TYPE, SEQUENCE_MEDIA_TYPE = "application/cbor", "application/cbor-seq"
SELF_DESCRIBED = b"\xd9\xd9\xf7"
BASE64 = 22
_BASE64_URL, _BASE16 = 21, 23
_MINIMUM, _MAXIMUM = -(1 << 63), (1 << 63) - 1


class CborError(ValueError):
    """Not CBOR, or nothing that JSON could say."""


def encode(value: Any, node: SchemaNode | None = None) -> bytes:
    """One data item. `node` says which texts are base64 of bytes; without it none is."""
    return SELF_DESCRIBED + cbor2.dumps(_outgoing(value, node), canonical=True)


def encode_list(document: Mapping[str, Any], item: SchemaNode) -> bytes:
    """A list of objects of one kind."""
    shaped = {key.encode(): _outgoing(value, None) for key, value in document.items() if key != "items"}
    shaped[b"items"] = [_outgoing(each, item) for each in document["items"]]
    return SELF_DESCRIBED + cbor2.dumps(shaped, canonical=True)


def event(type_: str, encoded_object: bytes) -> bytes:
    """One item of a watch's sequence (RFC 8742): WatchEvent around an object that is encoded already."""
    return b"".join((SELF_DESCRIBED, b"\xa2", _short(b"type"), _short(type_.encode()), _short(b"object"), encoded_object))


def _short(text: bytes) -> bytes:
    return bytes((0x40 | len(text),)) + text


def _outgoing(value: Any, node: SchemaNode | None) -> Any:
    kind = value.__class__
    if kind is str:
        if node is not None and node.format == "byte":
            return cbor2.CBORTag(BASE64, base64.b64decode(value))
        return value.encode()
    if kind is dict:
        if node is None:
            return {key.encode(): _outgoing(each, None) for key, each in value.items()}
        fields, others = node.properties, node.values
        return {key.encode(): _outgoing(each, fields.get(key) or others) for key, each in value.items()}
    if kind is list:
        items = None if node is None else node.items
        return [_outgoing(each, items) for each in value]
    return value


def decode(data: bytes) -> Any:
    """The JSON value of one data item; raises CborError."""
    body = data.removeprefix(SELF_DESCRIBED)
    try:
        value = cbor2.loads(body, allow_duplicate_keys=False, max_depth=MAX_DEPTH, strict_hashable_types=True)
    except (ValueError, OverflowError, RecursionError, EOFError, cbor2.CBORError) as error:
        raise CborError(f"cbor: {error}") from None
    return _incoming(value)


def _incoming(value: Any) -> Any:
    match value:
        case None | bool() | str():
            return value
        case bytes():
            return _text(value)
        case int():
            if not _MINIMUM <= value <= _MAXIMUM:
                raise CborError(f"cbor: cannot unmarshal integer {value} into Go value of type int64")
            return value
        case float():
            if not math.isfinite(value):
                raise CborError("cbor: NaN and infinities are not accepted")
            return value
        case Mapping():
            return _incoming_map(value)
        case Sequence():
            return [_incoming(each) for each in value]
        case datetime():
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case cbor2.CBORTag():
            return _tagged(value.tag, value.value)
    raise CborError(f"cbor: cannot unmarshal {type(value).__name__} into a JSON value")


def _incoming_map(value: Mapping[Any, Any]) -> dict[str, Any]:
    read: dict[str, Any] = {}
    for key, each in value.items():
        name = _text(key) if isinstance(key, bytes) else key
        if not isinstance(name, str):
            raise CborError(f"cbor: cannot unmarshal map key {key!r} into Go value of type string")
        if name in read:
            raise CborError(f'cbor: found duplicate map key "{name}"')
        read[name] = _incoming(each)
    return read


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise CborError("cbor: a byte string that stands for a text is not UTF-8") from None


def _tagged(tag: int, content: Any) -> Any:
    """Tags that say how bytes look in JSON are followed; of others only the content counts."""
    if isinstance(content, bytes):
        if tag == BASE64:
            return base64.b64encode(content).decode()
        if tag == _BASE64_URL:
            return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
        if tag == _BASE16:
            return content.hex().upper()
    return _incoming(content)
