"""Routes to the pods of other nodes, through those nodes' own addresses: no tunnel, so pods see each other's addresses as they are.

The routes carry a protocol number of their own, by which a restarted agent finds what it made and removes what is no longer wanted.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from proa.api import meta
from proa.api.meta import Object
from proa.api.node import internal_ip, pod_cidrs
from proa.lib.netlink.network import Route

PROTOCOL = 112


class RoutePlan(NamedTuple):
    replace: tuple[Route, ...]
    delete: tuple[str, ...]


def wanted_routes(nodes: Iterable[Object], node_name: str) -> list[Route]:
    """One route per pod CIDR of each other node. This node's own CIDR is unreachable but for the pods that exist: a packet to one that
    is gone would else leave by the default route and come back, until its TTL ends."""
    routes = []
    for node in sorted(nodes, key=meta.name):
        for cidr in pod_cidrs(node):
            if meta.name(node) == node_name:
                routes.append(Route(cidr, protocol=PROTOCOL, unreachable=True))
            elif address := internal_ip(node, ipv6=":" in cidr):
                routes.append(Route(cidr, gateway=address, protocol=PROTOCOL))
    return routes


def plan_routes(wanted: Sequence[Route], present: Sequence[Route]) -> RoutePlan:
    """`present` are the routes with our protocol number."""
    have = {route.destination: (route.gateway, route.unreachable) for route in present}
    destinations = {route.destination for route in wanted}
    return RoutePlan(
        replace=tuple(route for route in wanted if have.get(route.destination) != (route.gateway, route.unreachable)),
        delete=tuple(route.destination for route in present if route.destination not in destinations),
    )
