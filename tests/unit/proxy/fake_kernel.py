"""A kernel that remembers what it was told, and can be made to refuse."""

import socket
from collections.abc import Iterable

from proa.lib.netlink.conntrack import UdpFlow
from proa.lib.nft.errors import NftError


class FakeKernel:
    """`loads` and `changes` are texts, in order. `broken` makes the next so many calls fail."""

    def __init__(self, flows: Iterable[UdpFlow] = ()) -> None:
        self.loads: list[str] = []
        self.changes: list[str] = []
        self.flows = list(flows)
        self.listing: str | None = None
        self.prepared = False
        self.broken = 0
        self.broken_flows = 0
        self.listeners: dict[int, socket.socket] = {}

    def prepare(self) -> None:
        self.prepared = True

    def load(self, commands: str) -> None:
        self._fail_if_broken()
        self.loads.append(commands)

    def change(self, commands: str) -> None:
        self._fail_if_broken()
        self.changes.append(commands)

    def list_table(self, family: str, table: str) -> str | None:
        return self.listing

    def udp_flows(self) -> list[UdpFlow]:
        if self.broken_flows:
            self.broken_flows -= 1
            raise OSError("No buffer space available")
        return list(self.flows)

    def forget(self, flows: Iterable[UdpFlow]) -> None:
        self.flows = [flow for flow in self.flows if flow not in list(flows)]

    def listen(self, port: int) -> socket.socket:
        """On a free port instead."""
        self.listeners[port] = socket.create_server(("127.0.0.1", 0))
        return self.listeners[port]

    def _fail_if_broken(self) -> None:
        if self.broken:
            self.broken -= 1
            raise NftError("Could not process rule: Device or resource busy", "add element ...")
