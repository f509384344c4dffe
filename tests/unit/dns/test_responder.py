"""Packets in, packets out: encoded answers, forwarding, aliases that leave the cluster."""

import asyncio
import os
import socket
import struct
import threading
from collections.abc import Iterator

import pytest

from proa.dns.forwarder import Forwarder, own_namespace, upstream_servers
from proa.dns.message import A, Answer, Record, encode_answer, encode_name, parse_query
from proa.dns.records import service_records
from proa.dns.responder import Responder
from proa.dns.server import listen
from tests.unit.dns import plan

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may enter network namespaces")


def packet(name: str, kind: int = A, identifier: int = 1) -> bytes:
    return struct.pack(">6H", identifier, 0x0100, 1, 0, 0, 0) + encode_name(name) + struct.pack(">2H", kind, 1)


@pytest.fixture
def upstream() -> Iterator[int]:
    """A resolver on loopback that knows one address for every name; returns its port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))

        def serve() -> None:
            while True:
                data, client = server.recvfrom(4096)
                if data == b"end":
                    return
                query = parse_query(data)
                server.sendto(b"\0\0" + b"junk", client)
                server.sendto(encode_answer(query, Answer(records=[Record(query.name, A, "192.0.2.1", 9)], authoritative=False)), client)

        thread = threading.Thread(target=serve)
        thread.start()
        port: int = server.getsockname()[1]
        yield port
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.sendto(b"end", ("127.0.0.1", port))
        thread.join()


def responder(port: int = 1, servers: tuple[str, ...] = ("127.0.0.1",)) -> Responder:
    return Responder(plan.index(), Forwarder(servers, own_namespace(), patience=0.3, port=port))


def test_a_known_name_is_answered_at_once_under_each_identifier_until_the_index_changes() -> None:
    index = plan.index()
    made = Responder(index, Forwarder((), own_namespace()))
    first, second = (made.respond(packet("web.default.svc.cluster.local", identifier=i)) for i in (1, 2))
    assert isinstance(first, bytes)
    assert isinstance(second, bytes)
    assert (first[:2], second[:2], first[2:]) == (b"\0\1", b"\0\2", second[2:])
    assert first.endswith(bytes((10, 96, 0, 20)))
    moved = plan.service("web", {"clusterIP": "10.96.0.21", "ports": []})
    index.put(("default", "web"), service_records(moved, [], plan.ZONE))
    made.forget()
    third = made.respond(packet("web.default.svc.cluster.local"))
    assert isinstance(third, bytes)
    assert third.endswith(bytes((10, 96, 0, 21)))


def test_an_answer_gets_no_answer_and_nonsense_a_refusal() -> None:
    made = responder()
    assert made.respond(b"\0\1\x80\0" + b"\0" * 8) is None
    assert made.respond(b"\0\1") is None
    assert made.respond(struct.pack(">6H", 9, 0x2900, 1, 0, 0, 0)) == struct.pack(">6H", 9, 0xA904, 0, 0, 0, 0)


@needs_root
def test_other_names_are_forwarded_and_junk_from_upstream_is_passed_over(upstream: int) -> None:
    pending = responder(upstream).respond(packet("example.com", identifier=77))
    assert callable(pending)
    answer = asyncio.run(_awaited(pending))
    assert answer[:2] == b"\0\x4d"
    assert answer.endswith(bytes((192, 0, 2, 1)))


@needs_root
def test_an_external_name_brings_its_address(upstream: int) -> None:
    pending = responder(upstream).respond(packet("outside.default.svc.cluster.local"))
    assert callable(pending)
    answer = asyncio.run(_awaited(pending))
    assert struct.unpack_from(">H", answer, 6) == (2,)
    assert answer.endswith(bytes((192, 0, 2, 1)))


@needs_root
def test_silence_upstream_is_a_server_failure() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        pending = responder(silent.getsockname()[1]).respond(packet("example.com"))
        assert callable(pending)
        assert asyncio.run(_awaited(pending))[3] & 0x0F == 2


async def _awaited(pending: object) -> bytes:
    assert callable(pending)
    answer: bytes = await pending()
    return answer


def test_udp_and_tcp_answer_alike() -> None:
    async def ask() -> tuple[bytes, bytes]:
        transport, server = await listen(responder(), "127.0.0.1", 0)
        try:
            loop = asyncio.get_running_loop()
            question = packet("db.default.svc.cluster.local")
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
                udp.setblocking(False)
                await loop.sock_connect(udp, transport.get_extra_info("sockname"))
                await loop.sock_sendall(udp, question)
                over_udp = await loop.sock_recv(udp, 4096)
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            writer.write(struct.pack(">H", len(question)) + question)
            (length,) = struct.unpack(">H", await reader.readexactly(2))
            over_tcp = await reader.readexactly(length)
            writer.close()
            await writer.wait_closed()
            return over_udp, over_tcp
        finally:
            transport.close()
            server.close()
            await server.wait_closed()

    over_udp, over_tcp = asyncio.run(ask())
    assert over_udp == over_tcp
    assert over_udp.count(bytes((10, 244))) == 2


def test_resolv_conf_gives_its_nameservers() -> None:
    text = "# c\nnameserver 127.0.0.53\nsearch x\nnameserver fe80::1%eth0\nnameserver\n"
    assert upstream_servers(text) == ["127.0.0.53", "fe80::1"]
