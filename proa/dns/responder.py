"""From packet to packet: what the cluster knows is answered at once from encoded answers, the rest is forwarded.

An answer depends only on the packet behind its first two bytes (the identifier), so those bytes are the key of the encoded answers; a
change of the index forgets them all, which costs one encoding per name that is asked again.
"""

import struct
from collections.abc import Awaitable, Callable

from proa.dns.answer import answer, outside_target
from proa.dns.forwarder import Forwarder
from proa.dns.message import (
    AAAA,
    SERVER_FAILURE,
    A,
    Answer,
    MalformedMessage,
    Query,
    Record,
    encode_answer,
    encode_name,
    parse_query,
    read_name,
)
from proa.dns.records import Index

MOST_ENCODED = 20_000
HEADER = 12
"""Bytes; what is shorter is no answer."""
Pending = Callable[[], Awaitable[bytes]]


class Responder:
    """`respond` never waits; what it can't answer itself it returns as a coroutine function."""

    def __init__(self, index: Index, forwarder: Forwarder) -> None:
        self._index = index
        self._forwarder = forwarder
        self._encoded: dict[bytes, bytes] = {}

    def forget(self) -> None:
        """The index has changed."""
        self._encoded.clear()

    def respond(self, packet: bytes, *, over_tcp: bool = False) -> bytes | Pending | None:
        """The answer's bytes, or what to await for them, or None for what deserves no answer."""
        key = packet[2:] if not over_tcp else b"tcp" + packet[2:]
        if known := self._encoded.get(key):
            return packet[:2] + known
        try:
            query = parse_query(packet)
        except MalformedMessage as error:
            return _refusal(packet, error.code)
        found = answer(query, self._index)
        if found is None:
            return lambda: self._forward(packet, query, over_tcp)
        if target := outside_target(found, query, self._index.zone):
            return lambda: self._complete(query, found, target, over_tcp)
        encoded = encode_answer(query, found, limit=0 if over_tcp else query.udp_size)
        if len(self._encoded) >= MOST_ENCODED:
            self._encoded.clear()
        self._encoded[key] = encoded[2:]
        return encoded

    async def _forward(self, packet: bytes, query: Query, over_tcp: bool) -> bytes:
        return await self._forwarder.ask(packet, over_tcp=over_tcp) or encode_answer(query, Answer(SERVER_FAILURE, authoritative=False))

    async def _complete(self, query: Query, found: Answer, target: str, over_tcp: bool) -> bytes:
        """An ExternalName's addresses: clients expect the whole chain in one answer."""
        question = encode_name(target) + struct.pack(">2H", query.type, query.klass)
        message = struct.pack(">6H", query.id, 0x0100, 1, 0, 0, 0) + question
        upstream = await self._forwarder.ask(message, over_tcp=over_tcp)
        if upstream is None or len(upstream) < HEADER:
            return encode_answer(query, Answer(SERVER_FAILURE, authoritative=False))
        complete = Answer(upstream[3] & 0x0F, [*found.records, *_addresses(upstream)], authoritative=False)
        return encode_answer(query, complete, limit=0 if over_tcp else query.udp_size)


def _refusal(packet: bytes, code: int) -> bytes | None:
    """Answers are never sent to answers: two servers would talk forever."""
    if len(packet) < HEADER or packet[2] & 0x80:
        return None
    return packet[:2] + struct.pack(">5H", 0x8000 | (packet[2] << 8 & 0x7900) | code, 0, 0, 0, 0)


def _addresses(message: bytes) -> list[Record]:
    """The alias and address records of an upstream's answer section."""
    from proa.dns.message import CNAME

    questions, answers = struct.unpack_from(">2H", message, 4)
    offset = 12
    found: list[Record] = []
    try:
        for _ in range(questions):
            offset = read_name(message, offset)[1] + 4
        for _ in range(answers):
            owner, offset = read_name(message, offset)
            kind, _, ttl, length = struct.unpack_from(">HHIH", message, offset)
            offset += 10
            if kind in (A, AAAA):
                found.append(Record(owner, kind, _address(message[offset : offset + length]), ttl))
            elif kind == CNAME:
                found.append(Record(owner, kind, read_name(message, offset)[0], ttl))
            offset += length
    except (MalformedMessage, struct.error, ValueError):
        return []
    return found


def _address(packed: bytes) -> str:
    import ipaddress

    return str(ipaddress.ip_address(packed))
