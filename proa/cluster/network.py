"""The cluster's wires: a switch in a network namespace of its own, a link to it for this machine and one for each node.

The switch plays the physical network: no address, no netfilter (bridge-nf-call-iptables off there), so traffic between nodes is real and a
FORWARD policy of this machine does it no harm. This machine's end carries the control plane's address.
"""

import ipaddress
from collections.abc import Iterable
from pathlib import Path

from proa.cluster.settings import ClusterSettings, Network, NodeSettings
from proa.lib.netlink import sysctl
from proa.lib.netlink.namespaces import NetworkNamespace
from proa.lib.netlink.network import Network as Netlink
from proa.lib.netlink.network import Route

UPLINK = "eth0"


def switch_namespace(cluster: str) -> str:
    return f"proa-{cluster}-switch"


def node_namespace(cluster: str, node: str) -> str:
    return f"proa-{cluster}-{node}"


def host_link(settings: ClusterSettings) -> str:
    """`proa7`: link names have 15 bytes at most, so it is named after the node network's third byte."""
    return f"proa{Network(settings.node_network).network_address.packed[2]}"


def routed_networks() -> list[Network]:
    """Every IPv4 network that this machine has a route to, but for the default route (/proc/net/route)."""
    found = []
    for line in Path("/proc/net/route").read_text().splitlines()[1:]:
        columns = line.split()
        address, mask = (ipaddress.IPv4Address(int(text, 16).to_bytes(4, "little")) for text in (columns[1], columns[7]))
        if int(mask):
            found.append(Network(f"{address}/{mask}"))
    return found


def default_link() -> str:
    """The link of the default route, "" without one."""
    for line in Path("/proc/net/route").read_text().splitlines()[1:]:
        columns = line.split()
        if columns[1] == columns[7] == "00000000":
            return columns[0]
    return ""


def create(settings: ClusterSettings) -> None:
    """The switch, this machine's link and address, and the forwarding of node traffic."""
    switch, link = NetworkNamespace(switch_namespace(settings.name)), host_link(settings)
    if not switch.exists():
        switch.create()
        switch.run_inside(_make_bridge)
    prefix = Network(settings.node_network).prefixlen
    with Netlink() as host:
        if host.link(link) is None:
            host.add_veth(link, "host", peer_namespace=switch.path)
            switch.run_inside(lambda: _plug("host"))
        host.add_address(link, f"{settings.control_plane_address}/{prefix}")
        host.set_up(link)
    sysctl.write(f"net/ipv4/conf/{link}/forwarding", 1)
    sysctl.write(f"net/ipv4/conf/{link}/route_localnet", 1)


def create_node(settings: ClusterSettings, node: NodeSettings) -> None:
    """The node's network namespace, wired to the switch, with its address and default route."""
    switch = NetworkNamespace(switch_namespace(settings.name))
    namespace = NetworkNamespace(node_namespace(settings.name, node.name))
    if namespace.exists():
        return
    namespace.create()
    port = f"node{node.index}"
    namespace.run_inside(lambda: _wire_node(settings, node, port, switch.path))
    switch.run_inside(lambda: _plug(port))


def destroy_node(cluster: str, node: str) -> None:
    NetworkNamespace(node_namespace(cluster, node)).delete()


def destroy(cluster: str, nodes: Iterable[str], link: str) -> None:
    """Everything that `create` made; missing parts are fine. Without `link` it goes when the kernel removes the switch."""
    for node in nodes:
        destroy_node(cluster, node)
    if link and Path("/sys/class/net", link).exists():
        with Netlink() as host:
            host.delete_link(link)
    NetworkNamespace(switch_namespace(cluster)).delete()


def _make_bridge() -> None:
    with Netlink() as network:
        network.add_bridge("bridge")
        network.set_up("bridge")
    if Path("/proc/sys/net/bridge/bridge-nf-call-iptables").exists():
        sysctl.write("net.bridge.bridge-nf-call-iptables", 0)


def _plug(port: str) -> None:
    with Netlink() as network:
        network.set_master(port, "bridge")
        network.set_up(port)


def _wire_node(settings: ClusterSettings, node: NodeSettings, port: str, switch: Path) -> None:
    prefix = Network(settings.node_network).prefixlen
    with Netlink() as network:
        network.add_veth(UPLINK, port, peer_namespace=switch)
        network.add_address(UPLINK, f"{settings.node_address(node)}/{prefix}")
        network.set_up(UPLINK)
        network.replace_route(Route("0.0.0.0/0", gateway=settings.control_plane_address))
    sysctl.write("net.ipv4.ip_forward", 1)
    for link in ("all", "default", UPLINK):  # hairpin traffic would be answered by redirects, which use up the ICMP budget
        sysctl.write(f"net/ipv4/conf/{link}/send_redirects", 0)
