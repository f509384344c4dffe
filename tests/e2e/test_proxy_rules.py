"""The proxy's rules under real packets: a client outside, a node, and three pods, each a network namespace.

    client 192.168.50.1 --- 192.168.50.2 node ---+--- pod-1 10.244.1.11   on this node
    (knows 10.96/16 and 172.16.0/24 via node)    +--- pod-2 10.244.1.12   on this node
                                                 +--- pod-3 10.244.2.13   said to be on another node

A socket belongs to the namespace that its thread was in when it was made: servers are ordinary threads here.
"""

import asyncio
import os
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import pytest

from proa.api.meta import Object
from proa.client.fake import FakeClient
from proa.lib.netlink import sysctl
from proa.lib.netlink.namespaces import NetworkNamespace
from proa.lib.netlink.network import Network, Route
from proa.lib.nft.load import list_table, load
from proa.proxy.agent import Proxy
from proa.proxy.config import ProxyConfig
from proa.proxy.nftables.family import IPV4, IPV6
from proa.proxy.nftables.kernel import LinuxKernel

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(os.geteuid() != 0, reason="needs root")]

CLIENT, NODE, GATEWAY = "192.168.50.1", "192.168.50.2", "10.244.1.1"
PODS = {"pod-1": ("10.244.1.11", "this"), "pod-2": ("10.244.1.12", "this"), "pod-3": ("10.244.2.13", "other")}
ALL = tuple(PODS)
VIP, LB, NODE_PORT, UDP_NODE_PORT = "10.96.0.7", "172.16.0.7", 30080, 30053
CONFIG = ProxyConfig("this", (NODE,), ("10.96.0.0/16",), ("10.244.0.0/16",))
Answer = tuple[str, str]
"""(which pod, the client's address that it saw)."""


class Lab:
    """The namespaces, and a TCP server on 8080 and a UDP server on 5353 in each pod."""

    def __init__(self) -> None:
        prefix = f"proa-lab-{os.getpid()}"
        self.spaces = {name: NetworkNamespace(f"{prefix}-{name}") for name in ("client", "node", *PODS)}
        self._sockets: list[socket.socket] = []

    def build(self) -> None:
        for space in self.spaces.values():
            space.create()
        self.spaces["node"].run_inside(self._build_node)
        self.spaces["client"].run_inside(self._build_client)
        for name, (ip, _) in PODS.items():
            self.spaces[name].run_inside(lambda name=name, ip=ip: self._build_pod(name, ip))  # type: ignore[misc]

    def destroy(self) -> None:
        for each in self._sockets:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        for space in self.spaces.values():
            space.delete()

    def tcp(self, source: str, address: str, port: int, timeout: float = 2, **options: Any) -> Answer:
        return self.spaces[source].run_inside(lambda: _ask_tcp(address, port, timeout, **options))

    def udp(self, source: str, address: str, port: int, local_port: int = 0) -> Answer:
        return self.spaces[source].run_inside(lambda: _ask_udp(address, port, local_port))

    def _build_node(self) -> None:
        sysctl.write("net.ipv4.ip_forward", 1)
        # A redirect to a pod that reached itself uses up the budget of ICMP errors to it, and refusals of UDP would be late.
        for which in ("all", "default"):
            sysctl.write(f"net.ipv4.conf.{which}.send_redirects", 0)
        with Network() as network:
            network.add_veth("eth0", "eth0", peer_namespace=self.spaces["client"].path)
            network.add_address("eth0", f"{NODE}/24")
            network.set_up("eth0")
            network.replace_route(Route("0.0.0.0/0", gateway=CLIENT))
            for name, (ip, _) in PODS.items():
                network.add_veth(name, "eth0", peer_namespace=self.spaces[name].path)
                network.add_address(name, f"{GATEWAY}/32")
                network.set_up(name)
                network.replace_route(Route(f"{ip}/32", link=name))

    def _build_client(self) -> None:
        with Network() as network:
            network.add_address("eth0", f"{CLIENT}/24")
            network.set_up("eth0")
            for destination in ("10.96.0.0/16", "172.16.0.0/24"):
                network.replace_route(Route(destination, gateway=NODE))

    def _build_pod(self, name: str, ip: str) -> None:
        with Network() as network:
            network.add_address("eth0", f"{ip}/32")
            network.set_up("eth0")
            network.replace_route(Route(f"{GATEWAY}/32", link="eth0"))
            network.replace_route(Route("0.0.0.0/0", gateway=GATEWAY))
        self._serve(name, socket.SOCK_STREAM, 8080, _serve_tcp)
        self._serve(name, socket.SOCK_DGRAM, 5353, _serve_udp)

    def _serve(self, name: str, kind: int, port: int, serve: Callable[[socket.socket, str], None]) -> None:
        server = socket.socket(socket.AF_INET, kind)
        server.bind(("0.0.0.0", port))
        self._sockets.append(server)
        threading.Thread(target=serve, args=(server, name), daemon=True).start()


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    lab = Lab()
    try:
        lab.build()
        yield lab
    finally:
        lab.destroy()


def service(**spec: Any) -> Object:
    ports = [
        {"name": "web", "port": 80, "protocol": "TCP", "nodePort": NODE_PORT},
        {"name": "dns", "port": 53, "protocol": "UDP", "nodePort": UDP_NODE_PORT},
    ]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "shop", "namespace": "default"},
        "spec": {"clusterIP": VIP, "type": "LoadBalancer", "ports": ports, **spec},
        "status": {"loadBalancer": {"ingress": [{"ip": LB}]}},
    }


def endpoint_slice(*pods: str) -> Object:
    ready = {"ready": True, "serving": True, "terminating": False}
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": "shop-1", "namespace": "default", "labels": {"kubernetes.io/service-name": "shop"}},
        "addressType": "IPv4",
        "ports": [{"name": "web", "port": 8080, "protocol": "TCP"}, {"name": "dns", "port": 5353, "protocol": "UDP"}],
        "endpoints": [{"addresses": [PODS[pod][0]], "nodeName": PODS[pod][1], "conditions": ready} for pod in pods],
    }


@dataclass
class Running:
    """A proxy at work on the lab's node."""

    lab: Lab
    client: FakeClient
    proxy: Proxy

    async def tcp(self, source: str, address: str, port: int, **options: Any) -> Answer:
        return await asyncio.to_thread(self.lab.tcp, source, address, port, **options)

    async def udp(self, source: str, address: str, port: int, local_port: int = 0) -> Answer:
        return await asyncio.to_thread(self.lab.udp, source, address, port, local_port)

    async def many(self, source: str, address: str, port: int, times: int) -> Counter[str]:
        return Counter([(await self.tcp(source, address, port))[0] for _ in range(times)])

    async def set_endpoints(self, *pods: str) -> None:
        """Returns once the kernel knows."""
        self.client.modify(endpoint_slice(*pods))
        wanted = {PODS[pod][0] for pod in pods}
        deadline = time.monotonic() + 5
        while self.known_ips() != wanted:
            assert time.monotonic() < deadline, "the change did not reach the kernel"
            await asyncio.sleep(0.002)
        # The flows are forgotten right after the rules change.
        async with self.proxy._turn:
            pass

    def known_ips(self) -> set[str]:
        ruleset = self.proxy._tables[0].ruleset
        return {endpoint.ip for _, rule in ruleset.rules() for endpoint in rule.all_endpoints}


@asynccontextmanager
async def running(
    lab: Lab, *pods: str, config: ProxyConfig = CONFIG, more: tuple[Object, ...] = (), **spec: Any
) -> AsyncIterator[Running]:  # fmt: skip
    client = FakeClient(service(**spec), endpoint_slice(*pods), *more)
    kernel = LinuxKernel(lab.spaces["node"])
    proxy = Proxy(client, config, kernel=kernel)
    task = asyncio.create_task(proxy.run())
    try:
        await asyncio.wait_for(proxy.synced.wait(), 10)
        yield Running(lab, client, proxy)
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await proxy.clean_up()
        kernel.close()


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
                thread = threading.Thread(target=_serve_udp, args=(server, "node"))
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


def _ask_tcp(address: str, port: int, timeout: float) -> Answer:
    with socket.create_connection((address, port), timeout=timeout) as connection:
        return _answer(connection.recv(100))


def _ask_udp(address: str, port: int, local_port: int) -> Answer:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(2)
        if local_port:
            client.bind(("0.0.0.0", local_port))
        client.connect((address, port))
        client.send(b"who?")
        return _answer(client.recv(100))


def _answer(data: bytes) -> Answer:
    pod, _, seen = data.decode().partition(" ")
    return pod, seen


def _serve_tcp(server: socket.socket, name: str) -> None:
    server.listen(64)
    with suppress(OSError):
        while True:
            connection, peer = server.accept()
            connection.sendall(f"{name} {peer[0]}".encode())
            connection.close()


def _serve_udp(server: socket.socket, name: str) -> None:
    with suppress(OSError):
        while peer := server.recvfrom(100)[1]:
            server.sendto(f"{name} {peer[0]}".encode(), peer)
