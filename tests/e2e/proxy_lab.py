"""A client outside, a node and three pods, each a network namespace, and a proxy at work on the node.

    client 192.168.50.1 --- 192.168.50.2 node ---+--- pod-1 10.244.1.11   on this node
    (knows 10.96/16 and 172.16.0/24 via node)    +--- pod-2 10.244.1.12   on this node
                                                 +--- pod-3 10.244.2.13   said to be on another node

A socket belongs to the namespace that its thread was in when it was made: servers are ordinary threads here.
"""

import asyncio
import os
import socket
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from proa.api.meta import Object
from proa.client.fake import FakeClient
from proa.lib.netlink import sysctl
from proa.lib.netlink.namespaces import NetworkNamespace
from proa.lib.netlink.network import Network, Route
from proa.proxy.agent import Proxy
from proa.proxy.config import ProxyConfig
from proa.proxy.nftables.kernel import LinuxKernel

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
        self._serve(name, socket.SOCK_DGRAM, 5353, serve_udp)

    def _serve(self, name: str, kind: int, port: int, serve: Callable[[socket.socket, str], None]) -> None:
        server = socket.socket(socket.AF_INET, kind)
        server.bind(("0.0.0.0", port))
        self._sockets.append(server)
        threading.Thread(target=serve, args=(server, name), daemon=True).start()


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


def serve_udp(server: socket.socket, name: str) -> None:
    with suppress(OSError):
        while peer := server.recvfrom(100)[1]:
            server.sendto(f"{name} {peer[0]}".encode(), peer)
