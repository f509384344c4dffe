"""Forgetting of UDP flows: the kernel keeps translating a flow as it first did, for as long as packets come, whatever the rules say now.

Plain ctnetlink over a socket: the proxy asks after every change of a UDP Service, and pyroute2 would decode each of perhaps a hundred
thousand flows into objects, besides its own 24 MB. Both functions act on the network namespace of the calling thread.

Source: linux/netfilter/nfnetlink_conntrack.h (message and attribute numbers), nf_conntrack_netlink.c.
"""

import errno
import os
import socket
import struct
from collections.abc import Iterable, Iterator

from proa.lib.dataclass import dataclass

_NETLINK_NETFILTER = 12
_GET, _DELETE = (1 << 8) | 1, (1 << 8) | 2
_REQUEST, _ACKNOWLEDGE, _DUMP = 0x1, 0x4, 0x300
_ERROR, _DONE = 2, 3
_NESTED = 0x8000
_TUPLE_ORIGINAL, _TUPLE_REPLY = 1, 2
_TUPLE_IP, _TUPLE_PROTOCOL = 1, 2
_PROTOCOL_NUMBER, _SOURCE_PORT, _DESTINATION_PORT = 1, 2, 3
_SOURCE, _DESTINATION = {4: 1, 16: 3}, {4: 2, 16: 4}
"""Attribute numbers by the length of an address."""
_HEADER = struct.Struct("=IHHII")
_GENERIC = struct.Struct(">BBH")
_ATTRIBUTE = struct.Struct("=HH")
_ERROR_CODE = struct.Struct("=i")
_RECEIVE_BYTES = 1 << 18


@dataclass(frozen=True, slots=True)
class UdpFlow:
    """Where the first packet came from and went to, and who answers: the same as `destination` if nothing is translated."""

    source: tuple[str, int]
    destination: tuple[str, int]
    answered_by: tuple[str, int]


def udp_flows() -> list[UdpFlow]:
    """Of both address families."""
    with _open() as netlink:
        netlink.send(_message(_GET, _REQUEST | _DUMP, socket.AF_UNSPEC, b""))
        return [flow for body in _answers(netlink) if (flow := _flow(body[_GENERIC.size :])) is not None]


def forget(flows: Iterable[UdpFlow]) -> None:
    """Delete them; one that is gone already is no error."""
    with _open() as netlink:
        for flow in flows:
            family = socket.AF_INET6 if ":" in flow.destination[0] else socket.AF_INET
            netlink.send(_message(_DELETE, _REQUEST | _ACKNOWLEDGE, family, _original_tuple(family, flow)))
            for _ in _answers(netlink):
                pass


def _open() -> socket.socket:
    netlink = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_NETFILTER)
    netlink.bind((0, 0))
    return netlink


def _answers(netlink: socket.socket) -> Iterator[bytes]:
    """The bodies of all messages up to the end of the dump or the acknowledgement; raises OSError."""
    while True:
        data = memoryview(netlink.recv(_RECEIVE_BYTES))
        while data:
            length, kind, *_ = _HEADER.unpack_from(data)
            body, data = bytes(data[_HEADER.size : length]), data[_aligned(length) :]
            if kind == _DONE:
                return
            if kind == _ERROR:
                code = -_ERROR_CODE.unpack_from(body)[0]
                if code not in (0, errno.ENOENT):
                    raise OSError(code, f"conntrack: {os.strerror(code)}")
                return
            yield body


def _flow(attributes: bytes) -> UdpFlow | None:
    found = dict(_attributes(attributes))
    original, reply = _tuple(found[_TUPLE_ORIGINAL]), _tuple(found[_TUPLE_REPLY])
    return UdpFlow(original[0], original[1], reply[0]) if original and reply else None


def _tuple(data: bytes) -> tuple[tuple[str, int], tuple[str, int]] | None:
    """Source and destination; None for other protocols than UDP."""
    parts = dict(_attributes(data))
    protocol = dict(_attributes(parts[_TUPLE_PROTOCOL]))
    if protocol[_PROTOCOL_NUMBER][0] != socket.IPPROTO_UDP:
        return None
    addresses = dict(_attributes(parts[_TUPLE_IP]))
    size = len(next(iter(addresses.values())))
    family = socket.AF_INET if size == 4 else socket.AF_INET6
    source, destination = (socket.inet_ntop(family, addresses[numbers[size]]) for numbers in (_SOURCE, _DESTINATION))
    ports = (int.from_bytes(protocol[number], "big") for number in (_SOURCE_PORT, _DESTINATION_PORT))
    return (source, next(ports)), (destination, next(ports))


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    offset = 0
    while offset + _ATTRIBUTE.size <= len(data):
        length, kind = _ATTRIBUTE.unpack_from(data, offset)
        yield kind & 0x3FFF, data[offset + _ATTRIBUTE.size : offset + length]
        offset += _aligned(length)


def _original_tuple(family: int, flow: UdpFlow) -> bytes:
    source, destination = socket.inet_pton(family, flow.source[0]), socket.inet_pton(family, flow.destination[0])
    addresses = _attribute(_SOURCE[len(source)], source) + _attribute(_DESTINATION[len(destination)], destination)
    protocol = _attribute(_PROTOCOL_NUMBER, bytes([socket.IPPROTO_UDP]))
    protocol += _attribute(_SOURCE_PORT, flow.source[1].to_bytes(2, "big"))
    protocol += _attribute(_DESTINATION_PORT, flow.destination[1].to_bytes(2, "big"))
    inner = _attribute(_TUPLE_IP | _NESTED, addresses) + _attribute(_TUPLE_PROTOCOL | _NESTED, protocol)
    return _attribute(_TUPLE_ORIGINAL | _NESTED, inner)


def _attribute(kind: int, data: bytes) -> bytes:
    length = _ATTRIBUTE.size + len(data)
    return _ATTRIBUTE.pack(length, kind) + data.ljust(_aligned(len(data)), b"\0")


def _message(kind: int, flags: int, family: int, attributes: bytes) -> bytes:
    body = _GENERIC.pack(family, 0, 0) + attributes
    return _HEADER.pack(_HEADER.size + len(body), kind, flags, 1, 0) + body


def _aligned(length: int) -> int:
    return (length + 3) & ~3
