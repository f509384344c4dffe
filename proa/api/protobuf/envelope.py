"""The frame around a message: `k8s\\0` and runtime.Unknown with apiVersion and kind, lists, and the frames of a watch.

Source: the protobuf serializer of k8s.io/apimachinery (runtime/serializer/protobuf) and meta/v1 WatchEvent.
"""

import struct
from collections.abc import Iterable, Iterator

from proa.api.meta import Object
from proa.api.protobuf.codec import ProtobufError, decode, encode
from proa.api.protobuf.special import META
from proa.api.protobuf.table import message_name

MAGIC = b"k8s\0"
MEDIA_TYPE = "application/vnd.kubernetes.protobuf"


def wrap(api_version: str, kind: str, raw: bytes) -> bytes:
    """A single object as it travels."""
    return b"".join(wrap_pieces(api_version, kind, (raw,), len(raw)))


def wrap_pieces(api_version: str, kind: str, pieces: Iterable[bytes], length: int) -> Iterator[bytes]:
    """The same for a body in pieces of `length` bytes altogether."""
    names = _bytes_field(1, api_version.encode()) + _bytes_field(2, kind.encode())
    yield MAGIC + _bytes_field(1, names) + _head(2, length)
    yield from pieces
    yield _bytes_field(3, b"") + _bytes_field(4, b"")


def unwrap(data: bytes) -> tuple[str, str, bytes]:
    """(apiVersion, kind, raw message); raises ProtobufError."""
    if not data.startswith(MAGIC):
        raise ProtobufError("provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]")
    fields = _fields(data[len(MAGIC) :])
    names = _fields(fields.get(1, b""))
    try:
        return names.get(1, b"").decode(), names.get(2, b"").decode(), fields.get(2, b"")
    except UnicodeDecodeError as error:
        raise ProtobufError(f"apiVersion and kind are not text: {error}") from error


def encode_list(metadata: Object, items: Iterable[bytes]) -> list[bytes]:
    """The pieces of an XList message: ListMeta is field 1, each item field 2."""
    return [_bytes_field(1, encode(f"{META}.ListMeta", metadata)), *_repeated(2, items)]


def encode_partial_list_v1beta1(metadata: Object, items: Iterable[bytes]) -> list[bytes]:
    """PartialObjectMetadataList of meta.k8s.io/v1beta1 alone has the two the other way round."""
    return [_bytes_field(2, encode(f"{META}.ListMeta", metadata)), *_repeated(1, items)]


def _repeated(number: int, items: Iterable[bytes]) -> Iterator[bytes]:
    for item in items:
        yield _head(number, len(item))
        yield item


def watch_frame(event_type: str, wrapped: bytes) -> bytes:
    """One event of a watch: its length (4 bytes, big-endian) and a WatchEvent whose object is a wrapped one."""
    event = _bytes_field(1, event_type.encode()) + _bytes_field(2, _bytes_field(1, wrapped))
    return struct.pack(">I", len(event)) + event


def read_watch_frame(frame: bytes) -> tuple[str, bytes]:
    """(type, wrapped object) of one frame without its length: the inverse, for clients and tests."""
    fields = _fields(frame)
    return fields[1].decode(), _fields(fields[2])[1]


def decode_object(data: bytes) -> Object:
    """An object from its whole body, with apiVersion and kind, which also say what message it is; raises ProtobufError."""
    api_version, kind, raw = unwrap(data)
    return {"apiVersion": api_version, "kind": kind, **decode(definition_of(api_version, kind), raw)}


def definition_of(api_version: str, kind: str) -> str:
    """The message of a kind; raises ProtobufError if there is none."""
    if name := message_name(api_version, kind):
        return name
    raise ProtobufError(f'no kind "{kind}" of version "{api_version}" has a protobuf form')


def _bytes_field(number: int, data: bytes) -> bytes:
    return _head(number, len(data)) + data


def _head(number: int, length: int) -> bytes:
    return bytes((number << 3 | 2,)) + _varint(length)


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def _fields(data: bytes) -> dict[int, bytes]:
    """The length-delimited fields of a message by number, the last of each; the envelope has no other kind."""
    found: dict[int, bytes] = {}
    offset = 0
    while offset < len(data):
        tag, offset = _read_varint(data, offset)
        if tag & 7 != 2:
            raise ProtobufError("the protobuf envelope has a field of an unexpected type")
        length, offset = _read_varint(data, offset)
        if offset + length > len(data):
            raise ProtobufError("the protobuf envelope is cut off")
        found[tag >> 3] = data[offset : offset + length]
        offset += length
    return found


def _read_varint(data: bytes, offset: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 64, 7):
        if offset >= len(data):
            break
        byte = data[offset]
        offset += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, offset
    raise ProtobufError("the protobuf envelope is cut off")
