"""The kernel as the proxy needs it, in one network namespace: loads, deltas, listings, UDP flows. All calls block; run them in a thread."""

import socket
from collections.abc import Callable, Iterable
from typing import Protocol, TypeVar

from proa.lib.netlink.conntrack import UdpFlow
from proa.lib.netlink.namespaces import NetworkNamespace, in_own_thread

T = TypeVar("T")


class Kernel(Protocol):
    """Errors are `proa.lib.nft.errors.NftError`, after which nothing was changed."""

    def prepare(self) -> None:
        """Switch on what node ports on localhost need."""
        ...

    def load(self, commands: str) -> None:
        """A whole table."""
        ...

    def change(self, commands: str) -> None:
        """A few commands."""
        ...

    def list_table(self, family: str, table: str) -> str | None: ...

    def udp_flows(self) -> list[UdpFlow]: ...

    def forget(self, flows: Iterable[UdpFlow]) -> None: ...

    def listen(self, port: int) -> socket.socket:
        """A TCP listener on all addresses; raises OSError."""
        ...


class LinuxKernel:
    """The machine's own, in `namespace` or, without one, where this process is."""

    def __init__(self, namespace: NetworkNamespace | None = None) -> None:
        from proa.lib.nft.library import Nftables

        self._namespace = namespace
        self._path = str(namespace.path) if namespace else ""
        self._nftables: Nftables = self._inside(Nftables)

    def prepare(self) -> None:
        from proa.lib.netlink import sysctl

        self._inside(lambda: sysctl.write("net.ipv4.conf.all.route_localnet", 1))

    def load(self, commands: str) -> None:
        from proa.lib.nft.load import load

        load(commands, self._path)

    def change(self, commands: str) -> None:
        self._nftables.run(commands)

    def list_table(self, family: str, table: str) -> str | None:
        from proa.lib.nft.load import list_table

        return list_table(family, table, self._path)

    def udp_flows(self) -> list[UdpFlow]:
        from proa.lib.netlink.conntrack import udp_flows

        return self._inside(udp_flows)

    def forget(self, flows: Iterable[UdpFlow]) -> None:
        from proa.lib.netlink.conntrack import forget

        self._inside(lambda: forget(flows))

    def listen(self, port: int) -> socket.socket:
        return self._inside(lambda: socket.create_server(("", port), backlog=32))

    def close(self) -> None:
        self._nftables.close()

    def _inside(self, function: Callable[[], T]) -> T:
        return self._namespace.run_inside(function) if self._namespace else in_own_thread(function)
