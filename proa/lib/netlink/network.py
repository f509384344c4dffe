"""Links, addresses and routes of the network namespace that the calling thread is in: a small, typed face of pyroute2.

pyroute2 is imported late (136 ms). Operations that put something in place are idempotent where the kernel can tell (addresses, routes,
deletions), so that a reconciler may repeat them. `NetlinkError` is what pyroute2 raises, translated once.
"""

import errno
import ipaddress
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

from proa.lib.dataclass import dataclass


class NetlinkError(OSError):
    """The kernel refused; `errno` is its reason."""


@dataclass(frozen=True, slots=True)
class NextHop:
    """One way of a multipath route."""

    gateway: str
    link: str = ""
    weight: int = 1


@dataclass(frozen=True, slots=True)
class Route:
    """`destination` is a CIDR, "0.0.0.0/0" for the default. Either `next_hops` or `gateway` and/or `link`. `protocol` marks whose it is."""

    destination: str
    gateway: str = ""
    link: str = ""
    source: str = ""
    next_hops: tuple[NextHop, ...] = ()
    protocol: int = 4
    """4 is `static`; a component that must find its own routes again takes a number of its own."""
    on_link: bool = False
    local: bool = False
    unreachable: bool = False
    """Refuse at once what no longer prefix takes, instead of sending it to the default gateway."""


@dataclass(frozen=True, slots=True)
class Link:
    index: int
    name: str
    mtu: int
    is_up: bool
    mac: str


class Network:
    """A netlink socket; use it as a context manager."""

    def __init__(self) -> None:
        from pyroute2 import IPRoute

        self._ip = IPRoute()

    def __enter__(self) -> "Network":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self._ip.close()

    # Links

    def links(self) -> list[Link]:
        with _translated():
            return [_link(message) for message in self._ip.get_links()]

    def link(self, name: str) -> Link | None:
        with _translated():
            found = self._ip.link_lookup(ifname=name)
            return _link(next(iter(self._ip.get_links(found[0])))) if found else None

    def add_veth(self, name: str, peer: str, *, peer_namespace: Path | str = "", mtu: int = 0) -> None:
        """A pair of links, the peer created right inside the namespace at that path."""
        peer_options: dict[str, Any] = {"ifname": peer}
        options: dict[str, Any] = {"ifname": name, "kind": "veth"}
        if mtu:
            options["mtu"] = peer_options["mtu"] = mtu
        with _translated(), _descriptor(peer_namespace) as descriptor:
            if descriptor is not None:
                peer_options["net_ns_fd"] = descriptor
            self._ip.link("add", peer=peer_options, **options)

    def add_bridge(self, name: str, *, mtu: int = 0) -> None:
        with _translated():
            self._ip.link("add", ifname=name, kind="bridge", **({"mtu": mtu} if mtu else {}))

    def delete_link(self, name: str) -> None:
        """Not an error if absent."""
        with suppress_errno(errno.ENODEV), _translated():
            self._ip.link("del", index=self._index(name))

    def set_up(self, name: str) -> None:
        with _translated():
            self._ip.link("set", index=self._index(name), state="up")

    def set_down(self, name: str) -> None:
        with _translated():
            self._ip.link("set", index=self._index(name), state="down")

    def set_mtu(self, name: str, mtu: int) -> None:
        with _translated():
            self._ip.link("set", index=self._index(name), mtu=mtu)

    def set_master(self, name: str, bridge: str) -> None:
        """Make `name` a port of the bridge."""
        with _translated():
            self._ip.link("set", index=self._index(name), master=self._index(bridge))

    def move(self, name: str, namespace: Path | str) -> None:
        with _translated(), _descriptor(namespace) as descriptor:
            self._ip.link("set", index=self._index(name), net_ns_fd=descriptor)

    # Addresses

    def add_address(self, link: str, address: str) -> None:
        """`address` is IP/prefix; no error if it is there already."""
        interface = ipaddress.ip_interface(address)
        with suppress_errno(errno.EEXIST), _translated():
            self._ip.addr("add", index=self._index(link), address=str(interface.ip), prefixlen=interface.network.prefixlen)

    def delete_address(self, link: str, address: str) -> None:
        interface = ipaddress.ip_interface(address)
        with suppress_errno(errno.EADDRNOTAVAIL, errno.ENODEV), _translated():
            self._ip.addr("del", index=self._index(link), address=str(interface.ip), prefixlen=interface.network.prefixlen)

    def addresses(self, link: str = "") -> list[str]:
        """IP/prefix of one link or of all."""
        with _translated():
            filters = {"index": self._index(link)} if link else {}
            return [f"{message.get('address')}/{message['prefixlen']}" for message in self._ip.get_addr(**filters)]

    # Routes

    def replace_route(self, route: Route) -> None:
        with _translated():
            self._ip.route("replace", **self._route_options(route))

    def delete_route(self, destination: str) -> None:
        """Not an error if absent."""
        with suppress_errno(errno.ESRCH), _translated():
            self._ip.route("del", dst=_destination(destination), family=_family(destination))

    def routes(self, protocol: int | None = None) -> list[Route]:
        """The main table, IPv4 and IPv6, or of it what carries `protocol`."""
        with _translated():
            names = {message["index"]: message.get("ifname") for message in self._ip.get_links()}
            messages = [*self._ip.get_routes(family=socket.AF_INET, table=254), *self._ip.get_routes(family=socket.AF_INET6, table=254)]
            return [_route(message, names) for message in messages if protocol in (None, message["proto"])]

    def default_link(self) -> str:
        """The link of the IPv4 default route with the least metric, "" if there is none."""
        with _translated():
            names = {message["index"]: message.get("ifname") for message in self._ip.get_links()}
            defaults = [m for m in self._ip.get_routes(family=socket.AF_INET, table=254) if m["dst_len"] == 0 and m.get("oif")]
            defaults.sort(key=lambda message: message.get("priority") or 0)
            return str(names[defaults[0].get("oif")]) if defaults else ""

    def _route_options(self, route: Route) -> dict[str, Any]:
        options: dict[str, Any] = {"dst": _destination(route.destination), "family": _family(route.destination), "proto": route.protocol}
        if route.gateway:
            options["gateway"] = route.gateway
        if route.link:
            options["oif"] = self._index(route.link)
        if route.source:
            options["prefsrc"] = route.source
        if route.local:
            options |= {"type": "local", "table": 255, "scope": 254}
        elif route.unreachable:
            options["type"] = "unreachable"
        elif route.on_link:
            options["flags"] = ["onlink"]
        elif route.link and not route.gateway:
            options["scope"] = 253
        if route.next_hops:
            options["multipath"] = [self._hop_options(hop) for hop in route.next_hops]
        return options

    def _hop_options(self, hop: NextHop) -> dict[str, Any]:
        options: dict[str, Any] = {"gateway": hop.gateway, "hops": hop.weight - 1}
        if hop.link:
            options["oif"] = self._index(hop.link)
        return options

    def _index(self, name: str) -> int:
        found = self._ip.link_lookup(ifname=name)
        if not found:
            raise NetlinkError(errno.ENODEV, f"there is no link {name!r} in this network namespace")
        return int(found[0])


@contextmanager
def suppress_errno(*numbers: int) -> Iterator[None]:
    try:
        yield
    except NetlinkError as error:
        if error.errno not in numbers:
            raise


@contextmanager
def _translated() -> Iterator[None]:
    from pyroute2.netlink.exceptions import NetlinkError as Foreign

    try:
        yield
    except Foreign as error:
        raise NetlinkError(error.code, str(error)) from error


@contextmanager
def _descriptor(namespace: Path | str) -> Iterator[int | None]:
    if not namespace:
        yield None
        return
    with open(namespace, "rb") as file:
        yield file.fileno()


def _family(destination: str) -> int:
    return socket.AF_INET6 if ":" in destination else socket.AF_INET


def _destination(destination: str) -> str:
    return "default" if destination in ("0.0.0.0/0", "::/0") else destination


def _link(message: Any) -> Link:
    return Link(message["index"], message.get("ifname"), message.get("mtu"), bool(message["flags"] & 1), message.get("address") or "")


def _route(message: Any, names: dict[int, str]) -> Route:
    everything = "::" if message["family"] == socket.AF_INET6 else "0.0.0.0"
    hops = tuple(
        NextHop(hop.get("gateway") or "", names.get(hop["oif"], ""), hop["hops"] + 1) for hop in (message.get("multipath") or [])
    )  # fmt: skip
    return Route(
        destination=f"{message.get('dst') or everything}/{message['dst_len']}",
        gateway=message.get("gateway") or "",
        link="" if message["type"] == 7 else names.get(message.get("oif"), ""),
        source=message.get("prefsrc") or "",
        next_hops=hops,
        protocol=message["proto"],
        on_link=bool(message["flags"] & 4),
        unreachable=message["type"] == 7,
    )
