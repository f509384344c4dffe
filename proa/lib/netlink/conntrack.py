"""Forgetting of UDP flows: the kernel keeps translating a flow as it first did, for as long as packets come, whatever the rules say now.

The dump is filtered to UDP in the kernel. Both functions act on the network namespace of the calling thread.
"""

import socket
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class UdpFlow:
    """Where the first packet came from and went to, and who answers: the same as `destination` if nothing is translated."""

    source: tuple[str, int]
    destination: tuple[str, int]
    answered_by: tuple[str, int]


def udp_flows() -> list[UdpFlow]:
    from pyroute2 import Conntrack
    from pyroute2.netlink.nfnetlink.nfctsocket import NFCTAttrTuple

    with Conntrack() as conntrack:
        entries = list(conntrack.dump_entries(tuple_orig=NFCTAttrTuple(proto=socket.IPPROTO_UDP)))
    return [
        UdpFlow(
            (entry.tuple_orig.saddr, entry.tuple_orig.sport),
            (entry.tuple_orig.daddr, entry.tuple_orig.dport),
            (entry.tuple_reply.saddr, entry.tuple_reply.sport),
        )
        for entry in entries
    ]


def forget(flows: Iterable[UdpFlow]) -> None:
    """Delete them; one that is gone already is no error."""
    from pyroute2 import Conntrack
    from pyroute2.netlink.exceptions import NetlinkError
    from pyroute2.netlink.nfnetlink.nfctsocket import NFCTAttrTuple

    with Conntrack() as conntrack:
        for flow in flows:
            (source, sport), (destination, dport) = flow.source, flow.destination
            wanted = NFCTAttrTuple(saddr=source, daddr=destination, proto=socket.IPPROTO_UDP, sport=sport, dport=dport)
            with suppress(NetlinkError):
                conntrack.entry("del", tuple_orig=wanted)
