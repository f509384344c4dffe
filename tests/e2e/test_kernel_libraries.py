"""The nftables and netlink libraries against the kernel, in namespaces of their own."""

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from proa.lib.netlink import ip_command, sysctl
from proa.lib.netlink.conntrack import UdpFlow, forget, udp_flows
from proa.lib.netlink.namespaces import NetworkNamespace
from proa.lib.netlink.network import NetlinkError, Network, NextHop, Route
from proa.lib.nft.errors import NftError
from proa.lib.nft.library import Nftables
from proa.lib.nft.load import list_table, load

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(os.geteuid() != 0, reason="needs root")]


@pytest.fixture
def space() -> Iterator[NetworkNamespace]:
    namespace = NetworkNamespace(f"proa-lib-{os.getpid()}")
    namespace.create()
    try:
        yield namespace
    finally:
        namespace.delete()


def test_namespace_is_created_once_entered_by_a_thread_and_deleted_for_good(space: NetworkNamespace) -> None:
    outside = [name for _, name in socket.if_nameindex()]
    assert space.exists()
    with pytest.raises(FileExistsError):
        space.create()
    assert space.exists()
    assert [name for _, name in space.run_inside(socket.if_nameindex)] == ["lo"]
    assert [name for _, name in socket.if_nameindex()] == outside
    with pytest.raises(ZeroDivisionError):
        space.run_inside(lambda: 1 // 0)
    space.delete()
    space.delete()
    assert not space.exists()


def test_addresses_and_routes_are_idempotent_and_read_back(space: NetworkNamespace) -> None:
    multipath = Route("10.3.0.0/16", next_hops=(NextHop("10.1.0.2", "left"), NextHop("10.1.0.3", "left", 2)))
    routes = [Route("10.2.0.0/16", "10.1.0.2", "left"), multipath, Route("10.4.0.0/16", unreachable=True)]

    def scenario() -> None:
        with Network() as network:
            network.add_veth("left", "right", mtu=1380)
            for _ in range(2):
                network.add_address("left", "10.1.0.1/24")
                network.set_up("left")
                network.set_up("right")
                for route in routes:
                    network.replace_route(route)
            assert network.addresses("left")[0] == "10.1.0.1/24"
            assert [route for route in network.routes(protocol=4) if ":" not in route.destination] == routes
            link = network.link("left")
            assert link is not None
            assert (link.mtu, link.is_up) == (1380, True)
            assert network.default_link() == ""
            network.replace_route(Route("0.0.0.0/0", "10.1.0.2", "left"))
            assert network.default_link() == "left"
            for _ in range(2):
                for route in [*routes, Route("0.0.0.0/0")]:
                    network.delete_route(route.destination)
                network.delete_address("left", "10.1.0.1/24")
            assert network.routes(protocol=4) == []
            with pytest.raises(NetlinkError, match="no link 'absent'"):
                network.set_up("absent")
            for _ in range(2):
                network.delete_link("left")
            assert network.link("right") is None

    space.run_inside(scenario)


def test_the_ip_command_agrees_with_netlink(space: NetworkNamespace) -> None:
    routes = [
        Route("10.2.0.0/16", "10.1.0.2", "left", protocol=112),
        Route("10.4.0.0/16", protocol=112, unreachable=True),
        Route("fd02:1::/64", "fd00::2", "left", protocol=112),
        Route("fd02:2::/64", protocol=112, unreachable=True),
    ]

    def scenario() -> None:
        with Network() as network:
            network.add_veth("left", "right", mtu=1380)
            network.add_address("left", "10.1.0.1/24")
            network.add_address("left", "fd00::1/64")
            network.set_up("left")
            for _ in range(2):
                ip_command.change_routes(routes, ["10.99.0.0/16"])
            assert ip_command.routes(112) == routes
            assert network.routes(112) == routes
            assert ip_command.default_link() == ""
            ip_command.change_routes([Route("0.0.0.0/0", "10.1.0.2", "left")], [route.destination for route in routes])
            assert ip_command.routes(112) == network.routes(112) == []
            assert ip_command.default_link() == network.default_link() == "left"
            mtu, addresses = ip_command.link_networks("left")
            assert mtu == 1380
            assert {each for each in addresses if not each.startswith("fe80")} == {"10.1.0.1/24", "fd00::1/64"}

    space.run_inside(scenario)


def test_sysctl_belongs_to_the_namespace(space: NetworkNamespace) -> None:
    before = sysctl.read("net.ipv4.ip_forward")
    space.run_inside(lambda: sysctl.write("net.ipv4.ip_forward", 1 - int(before)))
    assert space.run_inside(lambda: sysctl.read("net.ipv4.ip_forward")) == str(1 - int(before))
    assert sysctl.read("net.ipv4.ip_forward") == before


def test_batch_is_all_or_nothing_and_the_error_names_the_line(space: NetworkNamespace) -> None:
    path = str(space.path)
    with space.run_inside(Nftables) as nftables:
        nftables.run("add table ip t\nadd chain ip t c")
        assert "chain c" in nftables.run("list table ip t")
        with pytest.raises(NftError) as caught:
            nftables.run("add chain ip t d\nadd rule ip t absent accept")
        assert caught.value.line == "add rule ip t absent accept"
        with pytest.raises(NftError):
            load("add chain ip t d\nadd rule ip t absent accept\n", path)
        assert "chain d" not in (list_table("ip", "t", path) or "")
    load("delete table ip t\n", path)
    assert list_table("ip", "t", path) is None
    with pytest.raises(NftError, match="closed"):
        nftables.run("list tables")


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_udp_flows_are_listed_and_forgotten_one_by_one(space: NetworkNamespace, address: str) -> None:
    load(
        "add table inet t\nadd chain inet t c { type filter hook output priority 0; }\nadd rule inet t c ct state new accept\n",
        str(space.path),
    )

    def scenario() -> None:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with ExitStack() as stack:
            server = stack.enter_context(socket.socket(family, socket.SOCK_DGRAM))
            other = stack.enter_context(socket.create_server((address, 0), family=family))
            server.bind((address, 0))
            flows = []
            for _ in range(200):
                # All stay open, so that no two get the same port.
                client = stack.enter_context(socket.socket(family, socket.SOCK_DGRAM))
                client.connect(server.getsockname())
                client.send(b"x")
                source, destination = client.getsockname()[:2], client.getpeername()[:2]
                flows.append(UdpFlow(source, destination, destination))
            socket.create_connection(other.getsockname()[:2]).close()
            assert set(udp_flows()) == set(flows)
            forget(flows[:150])
            assert set(udp_flows()) == set(flows[150:])
            forget(flows)
            assert udp_flows() == []

    space.run_inside(scenario)
