"""A rule as elements of the table's maps, one frontend at a time: what `compile` loads whole and `diff` changes piece by piece.

Endpoints of a sticky Service are numbered twice. Drawn is a slot, 0 to N-1; the slot leads to the endpoint's identity, a hash of its
address, and that is what the affinity map remembers and the endpoint map knows. So a remembered client keeps its endpoint however slots
move, an identity is never taken over by another endpoint, and one that is gone is simply not found.
"""

import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from proa.proxy.rules import Endpoint, Frontend, Rule

OUTSIDE = 1 << 16
"""Slots of endpoints for clients outside the cluster start here, if those have endpoints of their own (traffic policy Local)."""

Element = tuple[str, str]
"""(map, key)."""
Elements = dict[Element, str]
"""To each element its value, "" in a set."""


class Pick(NamedTuple):
    """A chain that draws one of `size` slots and translates. It serves every frontend of that kind with as many endpoints."""

    size: int
    node_port: bool = False
    outside: bool = False
    affinity_seconds: int = 0

    @property
    def chain(self) -> str:
        parts = ["node-port" if self.node_port else "", f"pick-{self.size}", "outside" if self.outside else ""]
        parts.append(f"sticky-{self.affinity_seconds}" if self.affinity_seconds else "")
        return "-".join(part for part in parts if part)


class Maps(NamedTuple):
    """The names of one kind of frontend's maps: VIPs and node ports have their own, as their keys differ."""

    verdicts: str
    from_outside: str
    otherwise: str
    external: str
    endpoints: str
    identities: str


VIP_MAPS = Maps("services", "services_from_outside", "services_otherwise", "external_services", "endpoints", "identities")
NODE_PORT_MAPS = Maps(
    "node_ports", "node_ports_from_outside", "node_ports_otherwise", "external_node_ports", "node_port_endpoints", "node_port_identities"
)  # fmt: skip
LIMITED, ALLOWED, HAIRPIN = "source_limited", "allowed_sources", "hairpin"


def picks(frontend: Frontend, rule: Rule) -> Iterator[Pick]:
    """The chains that this rule's verdicts lead to."""
    node_port = not frontend.address
    if rule.endpoints:
        yield Pick(len(rule.endpoints), node_port, False, rule.affinity_seconds)
    if rule.outside:
        yield Pick(len(rule.outside), node_port, True, rule.affinity_seconds)


def elements(frontend: Frontend, rule: Rule, in_service_network: bool = True) -> Iterator[tuple[str, str, str]]:
    """(map, key, value) of everything that makes this rule. Packets to the service network are refused by default, others pass by."""
    maps = VIP_MAPS if frontend.address else NODE_PORT_MAPS
    key = frontend_key(frontend)
    for pick in picks(frontend, rule):
        yield (maps.from_outside if pick.outside else maps.verdicts), key, f"goto {pick.chain}"
    yield from _endpoints(maps, key, rule.endpoints, 0, rule)
    yield from _endpoints(maps, key, rule.outside or (), OUTSIDE, rule)
    if rule.outside == ():
        yield maps.from_outside, key, "accept"
    if not (rule.endpoints if rule.outside is None else rule.outside) and (rule.otherwise == "drop" or not in_service_network):
        yield maps.otherwise, key, "drop" if rule.otherwise == "drop" else "goto refuse"
    if rule.external and rule.all_endpoints:
        yield maps.external, key, "jump masquerade-all" if rule.outside is None else "jump masquerade-own"
    if rule.allowed_sources is not None:
        yield LIMITED, key, ""
        for source in rule.allowed_sources:
            yield ALLOWED, f"{key} . {source}", ""


def frontend_key(frontend: Frontend) -> str:
    port = f"{frontend.protocol} . {frontend.port}"
    return f"{frontend.address} . {port}" if frontend.address else port


def hairpin_key(ip: str) -> str:
    return f"{ip} . {ip}"


def _endpoints(maps: Maps, key: str, endpoints: Sequence[Endpoint], offset: int, rule: Rule) -> Iterator[tuple[str, str, str]]:
    if not rule.affinity_seconds:
        for slot, (ip, port) in enumerate(endpoints, offset):
            yield maps.endpoints, f"{key} . 0x{slot:08x}", f"{ip} . {port}"
        return
    numbers = identities(rule.all_endpoints)
    for slot, endpoint in enumerate(endpoints, offset):
        yield maps.identities, f"{key} . 0x{slot:08x}", f"0x{numbers[endpoint]:08x}"
        yield maps.endpoints, f"{key} . 0x{numbers[endpoint]:08x}", f"{endpoint.ip} . {endpoint.port}"


def identities(endpoints: frozenset[Endpoint]) -> Mapping[Endpoint, int]:
    """A 32-bit number of each; the very rare clash goes to the next free number, in the order of addresses."""
    taken: dict[int, Endpoint] = {}
    for endpoint in sorted(endpoints):
        number = zlib.crc32(f"{endpoint.ip}/{endpoint.port}".encode())
        while number in taken:
            number = (number + 1) % (1 << 32)
        taken[number] = endpoint
    return {endpoint: number for number, endpoint in taken.items()}
