"""DNS: a packet gets an answer that fits, or none; what an upstream server says is no better than a packet of anybody."""

import struct
from collections.abc import Awaitable, Callable
from typing import cast

from fuzz.loop import run
from proa.dns.forwarder import Forwarder
from proa.dns.message import AAAA, CNAME, LARGEST_SIZE, PTR, SRV, A, Record
from proa.dns.records import Index
from proa.dns.responder import Responder

ZONE = "cluster.local"
RECORDS = (
    Record("web.default.svc.cluster.local", A, "10.96.0.1", 5),
    Record("web.default.svc.cluster.local", AAAA, "fd00::1", 5),
    Record("_http._tcp.web.default.svc.cluster.local", SRV, (0, 100, 80, "web.default.svc.cluster.local"), 5),
    Record("out.default.svc.cluster.local", CNAME, "example.com", 5),
    Record("loop.default.svc.cluster.local", CNAME, "loop.default.svc.cluster.local", 5),
    Record("1.0.96.10.in-addr.arpa", PTR, "web.default.svc.cluster.local", 5),
)
QUESTIONS = [b"\0\1\1\0\0\1\0\0\0\0\0\0" + name + struct.pack(">2H", kind, 1)
             for name in (b"\3out\7default\3svc\7cluster\5local\0", b"\7example\3com\0") for kind in (A, AAAA)]  # fmt: skip


class Upstream:
    def __init__(self, said: bytes) -> None:
        self.said = said

    async def ask(self, message: bytes, *, over_tcp: bool = False) -> bytes | None:
        return message[:2] + self.said[2:]


def one(data: bytes) -> None:
    index = Index(ZONE, namespaces={"default"})
    index.put(("default", "web"), RECORDS)
    responder = Responder(index, cast(Forwarder, Upstream(data)))
    for packet in (data, *QUESTIONS):
        for over_tcp in (False, True):
            found = responder.respond(packet, over_tcp=over_tcp)
            if callable(found):
                run(_await(found))
            elif found is not None:
                assert found[:2] == packet[:2]
                assert over_tcp or len(found) <= LARGEST_SIZE


async def _await(pending: Callable[[], Awaitable[bytes]]) -> None:
    await pending()
