"""DNS messages on the wire: reading a query, writing an answer (RFC 1035, EDNS(0) of RFC 6891).

Only what an authoritative server with a forwarder needs: one question, the record types of the Kubernetes DNS specification.
"""

import ipaddress
import struct
from collections.abc import Sequence

from proa.lib.dataclass import dataclass

A, NS, CNAME, SOA, PTR, TXT, AAAA, SRV, OPT, ANY = 1, 2, 5, 6, 12, 16, 28, 33, 41, 255
INTERNET = 1
NO_ERROR, FORMAT_ERROR, SERVER_FAILURE, NAME_ERROR, NOT_IMPLEMENTED, REFUSED = range(6)
PLAIN_SIZE = 512
"""What a client without EDNS takes over UDP."""
LARGEST_SIZE = 1232
"""What we send over UDP at most: fits every path without fragments."""


class MalformedMessage(ValueError):
    """Not a DNS query that can be answered; `code` is the answer's RCODE."""

    def __init__(self, text: str, code: int = FORMAT_ERROR) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True, slots=True)
class Query:
    """`name` is lower-case without the final dot; `question` the raw bytes of the question section, case kept."""

    id: int
    recursion_desired: bool
    name: str
    type: int
    klass: int
    question: bytes
    udp_size: int = PLAIN_SIZE
    edns: bool = False


@dataclass(frozen=True, slots=True)
class Record:
    """`data` by type: an address (A, AAAA), a name (CNAME, NS, PTR), (priority, weight, port, target) (SRV), text (TXT), SOA fields."""

    name: str
    type: int
    data: str | tuple[int, int, int, str] | tuple[str, str, int, int, int, int, int]
    ttl: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What a question gets, before it is bytes."""

    code: int = NO_ERROR
    records: Sequence[Record] = ()
    authority: Sequence[Record] = ()
    additional: Sequence[Record] = ()
    authoritative: bool = True


def parse_query(data: bytes) -> Query:
    """The query in a packet; raises MalformedMessage."""
    if len(data) < 12:
        raise MalformedMessage("shorter than a header")
    identifier, flags, questions, _, _, additional = struct.unpack_from(">6H", data)
    if flags & 0x8000:
        raise MalformedMessage("an answer, not a query")
    if flags & 0x7800:
        raise MalformedMessage("not a standard query", NOT_IMPLEMENTED)
    if questions != 1:
        raise MalformedMessage(f"{questions} questions")
    name, end = read_name(data, 12)
    if len(data) < end + 4:
        raise MalformedMessage("no type and class")
    kind, klass = struct.unpack_from(">2H", data, end)
    edns, size = _edns(data, end + 4) if additional else (False, PLAIN_SIZE)
    return Query(identifier, bool(flags & 0x0100), name, kind, klass, data[12 : end + 4], size, edns)


def read_name(data: bytes, offset: int) -> tuple[str, int]:
    """(name, offset behind it). Compression is followed, backwards only, so that it ends."""
    labels: list[str] = []
    end, limit = 0, offset
    while True:
        if offset >= len(data):
            raise MalformedMessage("a name runs over the end")
        length = data[offset]
        if length == 0:
            return ".".join(labels).lower(), end or offset + 1
        if length & 0xC0 == 0xC0:
            if offset + 1 >= len(data):
                raise MalformedMessage("a pointer runs over the end")
            end = end or offset + 2
            offset = ((length & 0x3F) << 8) | data[offset + 1]
            if offset >= limit:
                raise MalformedMessage("a pointer leads forward")
            limit = offset
            continue
        if length & 0xC0:
            raise MalformedMessage("an unknown label type")
        labels.append(data[offset + 1 : offset + 1 + length].decode("latin-1"))
        offset += length + 1


def _edns(data: bytes, offset: int) -> tuple[bool, int]:
    """Whether an OPT record follows the question, and its UDP size within our bounds."""
    if len(data) < offset + 11 or data[offset] != 0:
        return False, PLAIN_SIZE
    kind, size = struct.unpack_from(">2H", data, offset + 1)
    return (True, min(max(size, PLAIN_SIZE), LARGEST_SIZE)) if kind == OPT else (False, PLAIN_SIZE)


def encode_name(name: str) -> bytes:
    """Uncompressed; "" is the root."""
    if not name:
        return b"\0"
    return b"".join(bytes((len(label),)) + label.encode("latin-1") for label in name.rstrip(".").split(".")) + b"\0"


def encode_answer(query: Query, answer: Answer, *, limit: int = 0) -> bytes:
    """The whole packet; with a `limit`, records are left out and the TC bit set where it would be longer."""
    flags = 0x8080 | (0x0400 if answer.authoritative else 0) | (0x0100 if query.recursion_desired else 0) | answer.code
    sections = [_encode_records(query, section) for section in (answer.records, answer.authority, answer.additional)]
    option = struct.pack(">BHHIH", 0, OPT, LARGEST_SIZE, 0, 0) if query.edns else b""
    body = b"".join(part for section in sections for part in section)
    if limit and 12 + len(query.question) + len(body) + len(option) > limit:
        return struct.pack(">6H", query.id, flags | 0x0200, 1, 0, 0, bool(option)) + query.question + option
    counts = [len(section) for section in sections]
    return struct.pack(">6H", query.id, flags, 1, counts[0], counts[1], counts[2] + bool(option)) + query.question + body + option


def _encode_records(query: Query, records: Sequence[Record]) -> list[bytes]:
    encoded = []
    for record in records:
        name = b"\xc0\x0c" if record.name == query.name else encode_name(record.name)
        data = _encode_data(record)
        encoded.append(name + struct.pack(">HHIH", record.type, INTERNET, record.ttl, len(data)) + data)
    return encoded


def _encode_data(record: Record) -> bytes:
    data = record.data
    if isinstance(data, str):
        if record.type in (A, AAAA):
            return ipaddress.ip_address(data).packed
        if record.type == TXT:
            return bytes((len(data),)) + data.encode()
        return encode_name(data)
    if len(data) == 4:
        return struct.pack(">3H", *data[:3]) + encode_name(data[3])
    return encode_name(data[0]) + encode_name(data[1]) + struct.pack(">5I", *data[2:])
