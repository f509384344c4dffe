"""The proxy's rules under real packets; the address plan is in proxy_lab.py."""

import asyncio
import os
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from proa.lib.netlink.network import Network
from proa.lib.nft.load import list_table, load
from proa.proxy.config import ProxyConfig
from proa.proxy.nftables.family import IPV4, IPV6
from tests.e2e.proxy_lab import ALL, CLIENT, GATEWAY, LB, NODE, NODE_PORT, PODS, UDP_NODE_PORT, VIP, Lab, endpoint_slice, running, serve_udp

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(os.geteuid() != 0, reason="needs root")]


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    lab = Lab()
    try:
        lab.build()
        yield lab
    finally:
        lab.destroy()


def test_cluster_ip_spreads_over_all_endpoints_and_keeps_the_pods_address(lab: Lab) -> None:
    async def scenario() -> None:
        async with running(lab, "pod-1", "pod-2", "pod-3") as cluster:
            spread = await cluster.many("pod-1", VIP, 80, 60)
            assert set(spread) == set(ALL)
            assert max(spread.values()) < 40
            answers = {await cluster.udp("pod-1", VIP, 53) for _ in range(30)}
            assert {pod for pod, _ in answers} == set(ALL)
            assert {seen for pod, seen in answers if pod != "pod-1"} == {PODS["pod-1"][0]}
            assert (await cluster.tcp("node", VIP, 80))[0] in PODS

    asyncio.run(scenario())


def test_pod_reaches_itself_through_its_service(lab: Lab) -> None:
    async def scenario() -> None:
        async with running(lab, "pod-1") as cluster:
            assert await cluster.tcp("pod-1", VIP, 80) == ("pod-1", GATEWAY)
            assert await cluster.udp("pod-1", VIP, 53) == ("pod-1", GATEWAY)

    asyncio.run(scenario())


@pytest.mark.parametrize(("address", "port"), [(NODE, NODE_PORT), (LB, 80), (VIP, 80)])
def test_client_outside_reaches_every_pod_masqueraded(lab: Lab, address: str, port: int) -> None:
    async def scenario() -> None:
        async with running(lab, "pod-1", "pod-3") as cluster:
            answers = {await cluster.tcp("client", address, port) for _ in range(25)}
            assert answers == {("pod-1", GATEWAY), ("pod-3", GATEWAY)}

    asyncio.run(scenario())


def test_node_port_answers_on_localhost_of_the_node(lab: Lab) -> None:
    async def scenario() -> None:
        async with running(lab, "pod-2", "pod-3") as cluster:
            assert set(await cluster.many("node", "127.0.0.1", NODE_PORT, 25)) == {"pod-2", "pod-3"}
            assert (await cluster.udp("node", "127.0.0.1", UDP_NODE_PORT))[0] in PODS
            assert (await cluster.tcp("pod-1", NODE, NODE_PORT))[0] in PODS
            assert (await cluster.tcp("node", LB, 80))[0] in PODS

    asyncio.run(scenario())


def test_what_listens_on_loopback_only_stays_out_of_a_neighbours_reach(lab: Lab) -> None:
    """The neighbour writes frames by hand: its own kernel would not send to 127.0.0.1."""
    path = str(lab.spaces["node"].path)
    node_mac = lab.spaces["node"].run_inside(lambda: _mac("eth0"))

    def listen() -> socket.socket:
        server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        server.bind(("127.0.0.1", 7000))
        server.settimeout(0.3)
        return server

    def send() -> None:
        datagram = struct.pack(">HHHH", 4000, 7000, 12, 0) + b"here"
        header = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(datagram), 1, 0, 64, 17, 0, _ip(CLIENT), _ip("127.0.0.1"))
        header = header[:10] + _checksum(header) + header[12:]
        with socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM) as link:
            link.sendto(header + datagram, ("eth0", 0x0800, 0, 0, node_mac))

    async def scenario() -> None:
        async with running(lab, "pod-1"):
            with lab.spaces["node"].run_inside(listen) as server:
                lab.spaces["client"].run_inside(send)
                with pytest.raises(TimeoutError):
                    server.recv(10)
                load("flush chain ip proa_proxy guard-loopback", path)
                lab.spaces["client"].run_inside(send)
                assert server.recv(10) == b"here", "the frame was fine: only the guard held it up"

    asyncio.run(scenario())


def test_without_endpoints_connections_are_refused_at_once(lab: Lab) -> None:
    async def scenario() -> None:
        async with running(lab) as cluster:
            for source, address, port in (
                ("client", NODE, NODE_PORT), ("client", LB, 80), ("client", VIP, 80), ("pod-1", VIP, 80), ("node", VIP, 80),
                ("node", "127.0.0.1", NODE_PORT), ("pod-1", VIP, 81), ("pod-1", "10.96.99.99", 80), ("node", "10.96.99.99", 80),
            ):  # fmt: skip
                started = time.monotonic()
                with pytest.raises(ConnectionRefusedError):
                    await cluster.tcp(source, address, port)
                assert time.monotonic() - started < 1, (source, address)
            with pytest.raises(ConnectionRefusedError):
                await cluster.udp("pod-1", VIP, 53)

    asyncio.run(scenario())


def test_affinity_is_kept_over_endpoint_changes_and_given_up_when_the_endpoint_goes(lab: Lab) -> None:
    async def scenario() -> None:
        async with running(lab, "pod-1", "pod-2", "pod-3", sessionAffinity="ClientIP") as cluster:
            chosen = (await cluster.tcp("client", VIP, 80))[0]
            assert await cluster.many("client", VIP, 80, 12) == {chosen: 12}
            others = [pod for pod in ALL if pod != chosen]
            await cluster.set_endpoints(chosen, others[0])
            assert await cluster.many("client", VIP, 80, 12) == {chosen: 12}
            await cluster.set_endpoints(*others)
            then = (await cluster.tcp("client", VIP, 80))[0]
            assert then in others
            assert await cluster.many("client", VIP, 80, 12) == {then: 12}
            await cluster.set_endpoints(*ALL)
            assert await cluster.many("client", VIP, 80, 12) == {then: 12}

    asyncio.run(scenario())


def test_affinity_survives_a_restart_of_the_proxy(lab: Lab) -> None:
    async def scenario() -> None:
        async with running(lab, *ALL, sessionAffinity="ClientIP") as first:
            chosen = (await first.tcp("client", NODE, NODE_PORT))[0]
            async with running(lab, *ALL, sessionAffinity="ClientIP") as second:
                assert await second.many("client", NODE, NODE_PORT, 15) == {chosen: 15}

    asyncio.run(scenario())


def test_affinity_times_out(lab: Lab) -> None:
    spec: dict[str, Any] = {"sessionAffinity": "ClientIP", "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 1}}}

    async def scenario() -> None:
        async with running(lab, *ALL, **spec) as cluster:
            seen: set[str] = set()
            deadline = time.monotonic() + 30
            while len(seen) < 2:
                assert time.monotonic() < deadline, "the client always came to the same pod"
                seen.add((await cluster.tcp("client", VIP, 80))[0])
                await asyncio.sleep(1.2)

    asyncio.run(scenario())


def test_udp_flow_moves_on_when_its_endpoint_goes_or_the_first_one_comes(lab: Lab) -> None:
    async def scenario() -> None:
        async with running(lab, "pod-1", "pod-2") as cluster:
            first = (await cluster.udp("client", NODE, UDP_NODE_PORT, 40001))[0]
            assert {(await cluster.udp("client", NODE, UDP_NODE_PORT, 40001))[0] for _ in range(8)} == {first}
            other = "pod-2" if first == "pod-1" else "pod-1"
            await cluster.set_endpoints(other)
            assert (await cluster.udp("client", NODE, UDP_NODE_PORT, 40001))[0] == other
            await cluster.set_endpoints()
            with pytest.raises(OSError, match=r"refused|timed out"):
                await cluster.udp("client", NODE, UDP_NODE_PORT, 40001)
            await cluster.set_endpoints("pod-3")
            assert (await cluster.udp("client", NODE, UDP_NODE_PORT, 40001))[0] == "pod-3"

    asyncio.run(scenario())


def test_policy_local_keeps_the_clients_address_and_uses_this_nodes_pods_only(lab: Lab) -> None:
    async def scenario() -> None:
        async with running(lab, "pod-2", "pod-3", externalTrafficPolicy="Local") as cluster:
            for address, port in ((NODE, NODE_PORT), (LB, 80)):
                assert {await cluster.tcp("client", address, port) for _ in range(10)} == {("pod-2", CLIENT)}
                assert set(await cluster.many("pod-1", address, port, 25)) == {"pod-2", "pod-3"}
                assert set(await cluster.many("node", address, port, 25)) == {"pod-2", "pod-3"}
            await cluster.set_endpoints("pod-3")
            with pytest.raises(TimeoutError):
                await cluster.tcp("client", NODE, NODE_PORT, timeout=0.5)
            assert (await cluster.tcp("pod-1", LB, 80))[0] == "pod-3"

    asyncio.run(scenario())


def test_internal_policy_local_drops_where_only_other_nodes_have_endpoints(lab: Lab) -> None:
    async def scenario() -> None:
        async with running(lab, "pod-1", "pod-3", internalTrafficPolicy="Local") as cluster:
            assert await cluster.many("pod-2", VIP, 80, 10) == {"pod-1": 10}
            await cluster.set_endpoints("pod-3")
            with pytest.raises(TimeoutError):
                await cluster.tcp("pod-2", VIP, 80, timeout=0.5)

    asyncio.run(scenario())


def test_load_balancer_source_ranges_shut_others_out(lab: Lab) -> None:
    async def scenario() -> None:
        async with running(lab, "pod-1", loadBalancerSourceRanges=["203.0.113.0/24"]) as cluster:
            with pytest.raises(TimeoutError):
                await cluster.tcp("client", LB, 80, timeout=0.5)
            assert (await cluster.tcp("client", NODE, NODE_PORT))[0] == "pod-1"
        async with running(lab, "pod-1", loadBalancerSourceRanges=["203.0.113.0/24", f"{CLIENT}/32"]) as cluster:
            assert (await cluster.tcp("client", LB, 80))[0] == "pod-1"

    asyncio.run(scenario())


UNTRACKED = """add table ip lab_dns
add chain ip lab_dns prerouting {{ type filter hook prerouting priority raw; }}
add chain ip lab_dns output {{ type filter hook output priority raw; }}
add rule ip lab_dns prerouting ip daddr {vip} udp dport 53 notrack
add rule ip lab_dns prerouting ip saddr {vip} udp sport 53 notrack
add rule ip lab_dns output ip daddr {vip} udp dport 53 notrack
add rule ip lab_dns output ip saddr {vip} udp sport 53 notrack
"""


@pytest.mark.parametrize("endpoints", [(), ("pod-1", "pod-2")])
def test_an_untracked_address_on_the_node_itself_is_left_alone(lab: Lab, endpoints: tuple[str, ...]) -> None:
    path = str(lab.spaces["node"].path)

    def answer_on_the_node() -> socket.socket:
        with Network() as network:
            network.add_address("lo", f"{VIP}/32")
        server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        server.bind((VIP, 53))
        return server

    def take_address_away() -> None:
        with Network() as network:
            network.delete_address("lo", f"{VIP}/32")

    async def scenario() -> None:
        async with running(lab, *endpoints) as cluster:
            load(UNTRACKED.format(vip=VIP), path)
            with lab.spaces["node"].run_inside(answer_on_the_node) as server:
                thread = threading.Thread(target=serve_udp, args=(server, "node"))
                thread.start()
                try:
                    assert {await cluster.udp(source, VIP, 53) for _ in range(5) for source in ("pod-1", "node")} == {
                        ("node", PODS["pod-1"][0]), ("node", VIP),
                    }  # fmt: skip
                finally:
                    with suppress(OSError):
                        server.shutdown(socket.SHUT_RDWR)
                    thread.join()

    try:
        asyncio.run(scenario())
    finally:
        load("add table ip lab_dns\ndelete table ip lab_dns", path)
        lab.spaces["node"].run_inside(take_address_away)


MARKS = """add table ip lab_marks
add set ip lab_marks seen {{ type mark; flags dynamic; }}
add chain ip lab_marks {hook} {{ type filter hook {hook} priority -150; }}
add chain ip lab_marks postrouting {{ type filter hook postrouting priority 0; }}
add rule ip lab_marks {hook} tcp dport 80 meta mark set 0x77
add rule ip lab_marks postrouting tcp dport 8080 ct state new update @seen {{ meta mark }}
"""


@pytest.mark.parametrize(("source", "hook"), [("pod-1", "prerouting"), ("node", "output")])
def test_marks_of_others_are_given_back(lab: Lab, source: str, hook: str) -> None:
    path = str(lab.spaces["node"].path)

    async def scenario() -> None:
        async with running(lab, "pod-2", "pod-3") as cluster:
            load(MARKS.format(hook=hook), path)
            try:
                await cluster.many(source, VIP, 80, 8)
                listing = list_table("ip", "lab_marks", path) or ""
            finally:
                load("delete table ip lab_marks", path)
            assert "elements = { 0x00000077 }" in listing

    asyncio.run(scenario())


def test_table_that_somebody_damaged_is_restored_by_the_check(lab: Lab) -> None:
    path = str(lab.spaces["node"].path)

    async def scenario() -> None:
        async with running(lab, "pod-1") as cluster:
            table = cluster.proxy._tables[0]
            assert table.is_intact()
            load(f"delete element ip proa_proxy services {{ {VIP} . tcp . 80 }}", path)
            assert not table.is_intact()
            await cluster.proxy._check(table)
            assert table.is_intact()
            assert (await cluster.tcp("pod-2", VIP, 80))[0] == "pod-1"
        assert list_table("ip", "proa_proxy", path) is None

    asyncio.run(scenario())


def test_both_families_of_a_dual_stack_service_have_a_table_that_holds_what_it_should(lab: Lab) -> None:
    families = ProxyConfig("this", (NODE, "fd00::2"), ("10.96.0.0/16", "fd96::/112"), ("10.244.0.0/16", "fd24::/64"), (IPV4, IPV6))
    v6 = endpoint_slice() | {"addressType": "IPv6"}
    v6["metadata"] = {**v6["metadata"], "name": "shop-2"}
    v6["endpoints"] = [{"addresses": ["fd24::11"], "nodeName": "this"}, {"addresses": ["fd24::12"], "nodeName": "other"}]
    spec: dict[str, Any] = {"clusterIPs": [VIP, "fd96::7"], "externalTrafficPolicy": "Local", "sessionAffinity": "ClientIP"}
    path = str(lab.spaces["node"].path)

    async def scenario() -> None:
        async with running(lab, "pod-1", "pod-3", config=families, more=(v6,), **spec) as cluster:
            assert [table.is_intact() for table in cluster.proxy._tables] == [True, True]
            listing = list_table("ip6", "proa_proxy", path) or ""
            assert "fd96::7 . 6 . 80 : goto pick-2-sticky-10800" in listing
            assert "6 . 30080 : goto node-port-pick-1-outside-sticky-10800" in listing
            assert (await cluster.tcp("client", NODE, NODE_PORT)) == ("pod-1", CLIENT)
        assert list_table("ip6", "proa_proxy", path) is None

    asyncio.run(scenario())


def _mac(name: str) -> bytes:
    with Network() as network:
        link = network.link(name)
        return bytes.fromhex(link.mac.replace(":", "")) if link else b""


def _ip(address: str) -> bytes:
    return socket.inet_aton(address)


def _checksum(header: bytes) -> bytes:
    total = sum(struct.unpack(f">{len(header) // 2}H", header))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return struct.pack(">H", ~total & 0xFFFF)
