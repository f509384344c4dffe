"""The node's kernel and CNI directory as the pod network needs them. All calls block; run them in a thread."""

import ipaddress
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, TypeVar

from proa.cni import conflist
from proa.cni.routes import PROTOCOL, RoutePlan
from proa.lib.dataclass import dataclass
from proa.lib.netlink import ip_command
from proa.lib.netlink.namespaces import NetworkNamespace
from proa.lib.netlink.network import Route

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Uplink:
    """The default route's link: `networks` are its addresses' own."""

    name: str = ""
    mtu: int = 1500
    networks: tuple[str, ...] = ()


class Host(Protocol):
    def prepare(self) -> None:
        """The switches of a router."""
        ...

    def uplink(self) -> Uplink: ...

    def routes(self) -> list[Route]:
        """Those that carry our protocol number."""
        ...

    def apply_routes(self, plan: RoutePlan) -> None: ...

    def load(self, commands: str) -> None: ...

    def has_table(self, family: str, table: str) -> bool: ...

    def foreign_configuration(self) -> str: ...

    def write_configuration(self, configuration: dict[str, Any]) -> bool: ...

    def remove_configuration(self) -> None: ...


class LinuxHost:
    """The machine's own, in `namespace` or, without one, where this process is."""

    def __init__(self, conf_dir: Path, namespace: NetworkNamespace | None = None) -> None:
        self._conf_dir, self._namespace = conf_dir, namespace

    def prepare(self) -> None:
        self._inside(_prepare)

    def uplink(self) -> Uplink:
        return self._inside(_uplink)

    def routes(self) -> list[Route]:
        return self._inside(lambda: ip_command.routes(PROTOCOL))

    def apply_routes(self, plan: RoutePlan) -> None:
        if plan.delete or plan.replace:
            self._inside(lambda: ip_command.change_routes(plan.replace, plan.delete))

    def load(self, commands: str) -> None:
        from proa.lib.nft.load import load

        load(commands, self._path)

    def has_table(self, family: str, table: str) -> bool:
        from proa.lib.nft.load import list_table

        return list_table(family, table, self._path, elements=False) is not None

    def foreign_configuration(self) -> str:
        return conflist.foreign_configuration(self._conf_dir)

    def write_configuration(self, configuration: dict[str, Any]) -> bool:
        return conflist.write(self._conf_dir, configuration)

    def remove_configuration(self) -> None:
        conflist.remove(self._conf_dir)

    @property
    def _path(self) -> str:
        return str(self._namespace.path) if self._namespace else ""

    def _inside(self, function: Callable[[], T]) -> T:
        return self._namespace.run_inside(function) if self._namespace else function()


def _prepare() -> None:
    from proa.lib.netlink import sysctl

    sysctl.write("net.ipv4.ip_forward", 1)
    # A pod that reaches itself through a Service enters and leaves by one link. Redirects for that would use up the budget of ICMP errors
    # to it, and refusals of UDP would come late or never. Links made later inherit `default`.
    for which in ("all", "default"):
        sysctl.write(f"net.ipv4.conf.{which}.send_redirects", 0)


def _uplink() -> Uplink:
    link = ip_command.default_link()
    if not link:
        return Uplink()
    mtu, addresses = ip_command.link_networks(link)
    networks = {str(ipaddress.ip_interface(address).network) for address in addresses}
    return Uplink(link, mtu, tuple(sorted(networks)))
