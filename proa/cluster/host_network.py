"""How this machine reaches its cluster: routes to the pods and to load-balancer addresses, and localhost:nodePort.

Observe Nodes and Services, `plan` the routes and node ports as plain values, apply what differs. A localhost port goes to whoever claims it
first, another cluster or any program: the claim is a socket bound to it, which is never listened on. Who comes second says so in an Event.
"""

import asyncio
import logging
import socket
from collections.abc import Iterable, Sequence
from contextlib import suppress

from proa.api.kinds import NODES, SERVICES
from proa.api.meta import Object, name
from proa.api.node import internal_ip, pod_cidrs, ready_status
from proa.client.informer import InformerFactory
from proa.client.interface import Handlers
from proa.cluster.host_rules import table_name
from proa.cluster.settings import ClusterSettings
from proa.lib.dataclass import dataclass
from proa.lib.netlink import ip_command
from proa.lib.netlink.network import NextHop, Route
from proa.lib.nft.load import load
from proa.runtime.event_recorder import Recorder

ROUTE_PROTOCOL = 92
"""Marks our routes in the kernel's table (a number no routing daemon uses)."""
KINDS = {"TCP": socket.SOCK_STREAM, "UDP": socket.SOCK_DGRAM}
Port = tuple[str, int]
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class HostPlan:
    """`node_ports` maps (protocol, port) to the service that has it; `gateway` is the node that answers for them, "" if none is up."""

    routes: tuple[Route, ...]
    node_ports: dict[Port, Object]
    gateway: str


def plan(nodes: Iterable[Object], services: Iterable[Object], settings: ClusterSettings) -> HostPlan:
    """Pods by their node; the load-balancer pool spread over the Ready nodes."""
    known = sorted(nodes, key=name)
    ready = [address for node in known if ready_status(node) == "True" and (address := internal_ip(node))]
    routes = [
        Route(cidr, gateway=internal_ip(node), protocol=ROUTE_PROTOCOL)
        for node in known
        for cidr in pod_cidrs(node)
        if ":" not in cidr and internal_ip(node)
    ]
    pool = settings.load_balancer_pool
    if len(ready) == 1:
        routes.append(Route(pool, gateway=ready[0], protocol=ROUTE_PROTOCOL))
    elif ready:
        routes.append(Route(pool, next_hops=tuple(NextHop(address) for address in ready), protocol=ROUTE_PROTOCOL))
    return HostPlan(tuple(routes), _node_ports(services), ready[0] if ready else "")


def route_changes(wanted: Sequence[Route], actual: Sequence[Route]) -> tuple[list[Route], list[str]]:
    """(to put in place, destinations to take out); the kernel adds link names, which don't count."""
    present = {route.destination: (route.gateway, tuple(hop.gateway for hop in route.next_hops)) for route in actual}
    replace = [r for r in wanted if present.get(r.destination) != (r.gateway, tuple(hop.gateway for hop in r.next_hops))]
    return replace, sorted(present.keys() - {route.destination for route in wanted})


def _node_ports(services: Iterable[Object]) -> dict[Port, Object]:
    found: dict[Port, Object] = {}
    for service in services:
        for port in service["spec"].get("ports") or []:
            if port.get("nodePort") and port.get("protocol", "TCP") in KINDS:
                found[port.get("protocol", "TCP"), port["nodePort"]] = service
    return found


class PortClaims:
    """The localhost ports that this cluster holds."""

    def __init__(self) -> None:
        self._sockets: dict[Port, socket.socket] = {}

    @property
    def held(self) -> set[Port]:
        return set(self._sockets)

    def claim(self, port: Port) -> bool:
        """Whether the port is ours now."""
        if port in self._sockets:
            return True
        claim = socket.socket(socket.AF_INET, KINDS[port[0]])
        try:
            claim.bind(("127.0.0.1", port[1]))
        except OSError:
            claim.close()
            return False
        self._sockets[port] = claim
        return True

    def release(self, port: Port) -> None:
        self._sockets.pop(port).close()


class HostNetwork:
    """Runs beside the controllers, over their caches."""

    def __init__(self, settings: ClusterSettings, informers: InformerFactory, recorder: Recorder) -> None:
        self._settings = settings
        self._recorder = recorder
        self._informers = [informers.informer(resource) for resource in (NODES, SERVICES)]
        self._claims = PortClaims()
        self._refused: set[Port] = set()
        self._loaded: dict[Port, str] | None = None
        self._changed = asyncio.Event()
        for informer in self._informers:
            informer.add_handlers(Handlers(lambda _: self._changed.set(), lambda _, __: self._changed.set(), lambda _: self._changed.set()))

    async def run(self) -> None:
        for informer in self._informers:
            await informer.wait_synced()
        while True:
            self._changed.clear()
            nodes, services = (informer.lister.list() for informer in self._informers)
            wanted = plan(nodes, services, self._settings)
            try:
                await self._apply(wanted)
            except OSError as error:
                log.error("host network: %s", error)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), 30)
            await asyncio.sleep(0.01)

    async def _apply(self, wanted: HostPlan) -> None:
        await asyncio.to_thread(_apply_routes, wanted.routes, self._settings)
        for port in self._claims.held - wanted.node_ports.keys():
            self._claims.release(port)
        self._refused &= wanted.node_ports.keys()
        for port, service in wanted.node_ports.items():
            if not self._claims.claim(port):
                self._say_taken(port, service)
        targets = dict.fromkeys(sorted(self._claims.held), wanted.gateway) if wanted.gateway else {}
        if targets != self._loaded:
            await asyncio.to_thread(load, node_port_commands(table_name(self._settings.name), targets))
            self._loaded = targets

    def _say_taken(self, port: Port, service: Object) -> None:
        if port not in self._refused:
            self._refused.add(port)
            message = f"127.0.0.1:{port[1]}/{port[0]} of this machine is taken; the node port answers on the nodes' addresses only"
            self._recorder.event(service, "Warning", "LocalhostPortTaken", message)


def node_port_commands(table: str, targets: dict[Port, str]) -> str:
    """Replace the map of localhost node ports, in one transaction."""
    elements = ", ".join(f"{protocol.lower()} . {port} : {address} . {port}" for (protocol, port), address in targets.items())
    flush = f"flush map ip {table} node_ports\n"
    return flush + (f"add element ip {table} node_ports {{ {elements} }}\n" if elements else "")


def _apply_routes(wanted: Sequence[Route], settings: ClusterSettings) -> None:
    gateways = settings.node_network
    actual = [route for route in ip_command.routes(ROUTE_PROTOCOL) if _is_ours(route, gateways)]
    ip_command.change_routes(*route_changes(wanted, actual))


def _is_ours(route: Route, node_network: str) -> bool:
    """Another cluster's routes carry the same mark but lead to its own nodes."""
    import ipaddress

    gateway = route.gateway or (route.next_hops[0].gateway if route.next_hops else "")
    return bool(gateway) and ipaddress.ip_address(gateway) in ipaddress.ip_network(node_network)
