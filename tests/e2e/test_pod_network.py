"""The pod network under real packets: two nodes on one switch, pods made by the CNI plugins themselves.

world 192.168.60.1 (switch, default gateway; knows no pods)
  |--- node-a 192.168.60.11 --- pod-a1, pod-a2  10.244.1.0/24
  '--- node-b 192.168.60.12 --- pod-b           10.244.2.0/24
"""

import asyncio
import json
import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from proa.api.meta import Object
from proa.client.fake import FakeClient
from proa.cni.agent import PodNetwork
from proa.cni.conflist import FILE_NAME
from proa.lib.netlink.namespaces import NetworkNamespace
from proa.lib.netlink.network import Network, Route
from proa.lib.nft.load import list_table

PLUGINS = Path("/usr/lib/cni")
pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root"),
    pytest.mark.skipif(not (PLUGINS / "ptp").exists(), reason="needs the package containernetworking-plugins"),
]
WORLD = "192.168.60.1"
NODES = {"node-a": ("192.168.60.11", "10.244.1.0/24"), "node-b": ("192.168.60.12", "10.244.2.0/24")}
PODS = {"pod-a1": "node-a", "pod-a2": "node-a", "pod-b": "node-b"}
PORT, HOST_PORT = 9000, 9100


class Lab:
    """`addresses` has every pod's, once it is made."""

    def __init__(self, directory: Path) -> None:
        prefix = f"proa-net-{os.getpid()}"
        self.spaces = {name: NetworkNamespace(f"{prefix}-{name}") for name in ("world", *NODES, *PODS)}
        self.directory = directory
        self.addresses = {"world": WORLD} | {name: address for name, (address, _) in NODES.items()}
        self._sockets: list[socket.socket] = []

    def build(self) -> None:
        for space in self.spaces.values():
            space.create()
        self.spaces["world"].run_inside(self._build_switch)
        for name, (address, _) in NODES.items():
            self.spaces[name].run_inside(lambda address=address: self._build_node(address))  # type: ignore[misc]
        for space in self.spaces.values():
            space.run_inside(self._serve)

    def destroy(self) -> None:
        for each in self._sockets:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        for space in self.spaces.values():
            space.delete()

    def seen_by(self, source: str, address: str, port: int = PORT) -> str:
        """The source address that the server sees."""

        def ask() -> str:
            with socket.create_connection((address, port), timeout=2) as connection:
                return connection.recv(100).decode()

        return self.spaces[source].run_inside(ask)

    def add_pod(self, name: str, port_mappings: list[Object] | None = None) -> Object:
        result = self._plugins("ADD", name, port_mappings)
        self.addresses[name] = result["ips"][0]["address"].partition("/")[0]
        return result

    def delete_pod(self, name: str) -> None:
        self._plugins("DEL", name, None)

    def conf_dir(self, node: str) -> Path:
        return self.directory / node

    def _plugins(self, command: str, name: str, port_mappings: list[Object] | None) -> Object:
        """What a container runtime does with a conflist (CNI specification 1.0, section 3)."""
        node = PODS[name]
        configuration = json.loads((self.conf_dir(node) / FILE_NAME).read_text())
        result: Object = {}
        plugins = configuration["plugins"] if command == "ADD" else configuration["plugins"][::-1]
        for plugin in plugins:
            stdin: Object = {"cniVersion": configuration["cniVersion"], "name": configuration["name"], **plugin}
            if stdin.get("ipam"):
                stdin["ipam"] = {**stdin["ipam"], "dataDir": str(self.directory / f"{node}-leases")}
            if port_mappings and "capabilities" in plugin:
                stdin["runtimeConfig"] = {"portMappings": port_mappings}
            if result:
                stdin["prevResult"] = result
            result = self._run_plugin(command, name, node, stdin) or result
        return result

    def _run_plugin(self, command: str, name: str, node: str, stdin: Object) -> Object:
        environment = {
            "CNI_COMMAND": command, "CNI_CONTAINERID": f"lab-{name}", "CNI_NETNS": str(self.spaces[name].path), "CNI_IFNAME": "eth0",
            "CNI_PATH": str(PLUGINS), "PATH": os.environ["PATH"],
        }  # fmt: skip
        arguments = ["nsenter", f"--net={self.spaces[node].path}", str(PLUGINS / stdin["type"])]
        done = subprocess.run(arguments, input=json.dumps(stdin), env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout) if done.stdout else {}

    def _build_switch(self) -> None:
        with Network() as network:
            network.add_bridge("switch")
            network.add_address("switch", f"{WORLD}/24")
            network.set_up("switch")
            for name in NODES:
                network.add_veth(name, "eth0", peer_namespace=self.spaces[name].path, mtu=1400)
                network.set_master(name, "switch")
                network.set_up(name)

    def _build_node(self, address: str) -> None:
        with Network() as network:
            network.add_address("eth0", f"{address}/24")
            network.set_up("eth0")
            network.replace_route(Route("0.0.0.0/0", gateway=WORLD))

    def _serve(self) -> None:
        server = socket.socket()
        server.bind(("0.0.0.0", PORT))
        server.listen(16)
        self._sockets.append(server)
        threading.Thread(target=_answer_forever, args=(server,), daemon=True).start()


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    lab = Lab(tmp_path)
    try:
        lab.build()
        yield lab
    finally:
        lab.destroy()


def node(name: str) -> Object:
    address, cidr = NODES[name]
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name},
        "spec": {"podCIDR": cidr, "podCIDRs": [cidr]},
        "status": {"addresses": [{"type": "InternalIP", "address": address}]},
    }


def pod_network(lab: Lab, client: FakeClient, name: str) -> PodNetwork:
    return PodNetwork(client, name, ["10.244.0.0/16"], ["10.96.0.0/16"], lab.conf_dir(name), namespace=lab.spaces[name])


async def both_nodes(lab: Lab, client: FakeClient, scenario: Any) -> None:
    agents = [pod_network(lab, client, name) for name in NODES]
    tasks = [asyncio.create_task(agent.run()) for agent in agents]
    try:
        for agent in agents:
            await asyncio.wait_for(agent.ready.wait(), 10)
        await asyncio.to_thread(scenario)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for agent in agents:
            await agent.clean_up()


def test_pods_see_each_others_addresses_and_the_world_sees_the_nodes(lab: Lab) -> None:
    def scenario() -> None:
        result = lab.add_pod("pod-a1", [{"hostPort": HOST_PORT, "containerPort": PORT, "protocol": "tcp"}])
        lab.add_pod("pod-a2")
        lab.add_pod("pod-b")
        pods = lab.addresses
        assert result["ips"][0]["gateway"] == "10.244.1.1"
        assert lab.spaces["pod-a1"].run_inside(_mtu) == 1400
        assert lab.seen_by("pod-a1", pods["pod-a2"]) == pods["pod-a1"], "same node"
        assert lab.seen_by("pod-a1", pods["pod-b"]) == pods["pod-a1"], "other node"
        assert lab.seen_by("pod-a1", pods["node-b"]) == pods["pod-a1"], "another node itself"
        assert lab.seen_by("pod-a1", pods["node-a"]) == pods["pod-a1"], "its own node"
        assert lab.seen_by("node-a", pods["pod-b"]) == pods["node-a"], "from a node"
        assert lab.seen_by("pod-a1", "203.0.113.1") == pods["node-a"], "the world"
        assert lab.seen_by("world", pods["node-a"], HOST_PORT) == WORLD, "hostPort"
        with pytest.raises(OSError, match=r"unreachable|No route"):
            lab.seen_by("node-b", "10.244.2.250")
        for name in PODS:
            lab.delete_pod(name)

    lab.spaces["world"].run_inside(lambda: _add_address("switch", "203.0.113.1/32"))
    asyncio.run(both_nodes(lab, FakeClient(node("node-a"), node("node-b")), scenario))
    for name in NODES:
        assert lab.spaces[name].run_inside(_own_routes) == []
        assert list_table("ip", "proa_masquerade", str(lab.spaces[name].path)) is None


def test_routes_follow_the_nodes_and_a_users_conflist_wins(lab: Lab) -> None:
    async def scenario() -> None:
        client = FakeClient(node("node-a"))
        agent = pod_network(lab, client, "node-a")
        task = asyncio.create_task(agent.run())
        space, directory = lab.spaces["node-a"], lab.conf_dir("node-a")
        own, other = Route("10.244.1.0/24", protocol=112, unreachable=True), Route("10.244.2.0/24", "192.168.60.12", "eth0", protocol=112)
        try:
            await asyncio.wait_for(agent.ready.wait(), 10)
            client.add(node("node-b"))
            await _until(lambda: space.run_inside(_own_routes) == [own, other])
            await client.delete(_nodes(), "node-b")
            await _until(lambda: space.run_inside(_own_routes) == [own])
            (directory / "10-mine.conflist").write_text("{}")
            client.add(node("node-b"))
            await _until(lambda: not (directory / FILE_NAME).exists() and not space.run_inside(_own_routes))
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    asyncio.run(scenario())


def _nodes() -> Any:
    from proa.api.kinds import NODES as RESOURCE

    return RESOURCE


async def _until(condition: Any) -> None:
    async with asyncio.timeout(5):
        while not await asyncio.to_thread(condition):  # noqa: ASYNC110 (the kernel tells nobody)
            await asyncio.sleep(0.01)


def _own_routes() -> list[Route]:
    with Network() as network:
        return sorted(network.routes(112), key=lambda route: route.destination)


def _mtu() -> int:
    with Network() as network:
        link = network.link("eth0")
        return link.mtu if link else 0


def _add_address(link: str, address: str) -> None:
    with Network() as network:
        network.add_address(link, address)


def _answer_forever(server: socket.socket) -> None:
    with suppress(OSError):
        while True:
            connection, peer = server.accept()
            connection.sendall(peer[0].encode())
            connection.close()
