"""The part of the table that does not depend on any Service: maps, hooks and the few chains. README.md follows a packet through it.

Everything is declared so that it may be declared again over a table that is in use: a restarted agent takes its own table over in one
transaction, without a moment in which a Service is missing, and with the affinity map kept.
"""

import ipaddress
from collections.abc import Iterable, Iterator

from proa.lib.dataclass import dataclass
from proa.proxy.nftables.elements import ALLOWED, HAIRPIN, LIMITED, NODE_PORT_MAPS, OUTSIDE, VIP_MAPS, Pick
from proa.proxy.nftables.family import Family

NODE_ADDRESSES = "node_addresses"
KEPT = ("affinity", "borrowed_marks", "to_masquerade")
"""Filled by packets, so a whole load leaves them alone."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Addresses of one family. Node ports answer on `node_addresses` (and on loopback in IPv4); pods have theirs in `cluster_cidrs`."""

    node_addresses: tuple[str, ...]
    service_cidrs: tuple[str, ...]
    cluster_cidrs: tuple[str, ...]

    def in_service_network(self, address: str) -> bool:
        return bool(address) and any(ipaddress.ip_address(address) in ipaddress.ip_network(cidr) for cidr in self.service_cidrs)

    def of(self, family: Family) -> "Surroundings":
        """Only what belongs to that family."""
        return Surroundings(*(tuple(each for each in some if (":" in each) == (family.protocol == "ip6")) for some in self._all()))

    def _all(self) -> tuple[tuple[str, ...], ...]:
        return self.node_addresses, self.service_cidrs, self.cluster_cidrs


def declarations(family: Family) -> Iterator[tuple[str, str, str]]:
    """(map or set, name, specification) of each."""
    vip = f"{family.nft_type} . inet_proto . inet_service"
    port = "inet_proto . inet_service"
    for maps, key in ((VIP_MAPS, vip), (NODE_PORT_MAPS, port)):
        for name in (maps.verdicts, maps.from_outside, maps.otherwise, maps.external):
            yield "map", name, f"type {key} : verdict;"
        yield "map", maps.endpoints, f"type {key} . mark : {family.nft_type} . inet_service;"
        yield "map", maps.identities, f"type {key} . mark : mark;"
    if family.protocol == "ip":
        yield "map", "affinity", f"type {family.nft_type} . {vip} : mark; size 1048576; flags dynamic,timeout;"
    yield "map", "borrowed_marks", "typeof ct id : meta mark; size 65536; flags dynamic,timeout; timeout 5s;"
    yield "set", "to_masquerade", "typeof ct id; size 65536; flags dynamic,timeout; timeout 5s;"
    yield "set", HAIRPIN, f"type {family.nft_type} . {family.nft_type};"
    yield "set", NODE_ADDRESSES, f"type {family.nft_type};"
    yield "set", LIMITED, f"type {vip};"
    yield "set", ALLOWED, f"type {vip} . {family.nft_type}; flags interval;"


def base_chains(family: Family, around: Surroundings) -> Iterator[tuple[str, str, list[str]]]:
    """(name, hook, rules) of each chain but the pick chains; in nat chains priorities only order chains among themselves."""
    ip, services, pods = family.protocol, _cidrs(around.service_cidrs), _cidrs(around.cluster_cidrs)
    if family.protocol == "ip":
        # With route_localnet a neighbour could otherwise reach what listens on 127.0.0.1 only.
        yield "guard-loopback", "type filter hook prerouting priority raw;", [
            'iif != "lo" ip daddr 127.0.0.0/8 drop',
            'iif != "lo" ip saddr 127.0.0.0/8 drop',
        ]  # fmt: skip
    yield "refuse", "", ["meta l4proto tcp reject with tcp reset", "reject"]
    yield "masquerade-all", "", ["update @to_masquerade { ct id }"]
    yield "masquerade-own", "", ["fib saddr type local update @to_masquerade { ct id }"]
    yield "check-source", "", [f"ct state new {_key(family)} @{LIMITED} {_key(family)} . {ip} saddr != @{ALLOWED} drop"]
    yield "check-source-prerouting", "type filter hook prerouting priority -101;", ["jump check-source"]
    yield "check-source-output", "type filter hook output priority -101;", ["jump check-source"]
    yield "from-outside", "", _dispatch(family, "from_outside")
    clustered = [f"{ip} daddr {services} {ip} saddr != {pods} update @to_masquerade {{ ct id }}"] if services and pods else []
    yield "to-service", "", clustered + _dispatch(family, "external") + _dispatch(family, "verdicts")
    outside = f"{ip} saddr != {pods} jump from-outside" if pods else "jump from-outside"
    yield "prerouting", "type nat hook prerouting priority dstnat;", [outside, "jump to-service"]
    yield "output", "type nat hook output priority -100;", ["jump to-service"]
    invalid = [f"{ip} daddr {services} ct state invalid drop"] if services else []
    refused = [f"{ip} daddr {services} goto refuse"] if services else []
    yield "after-translation", "", [
        "ct state new meta mark set ct id map @borrowed_marks delete @borrowed_marks { ct id : meta mark }",
        "ct state untracked accept",
        *invalid,
        *_dispatch(family, "otherwise"),
        *refused,
    ]  # fmt: skip
    yield "after-prerouting", "type filter hook prerouting priority -99;", ["jump after-translation"]
    yield "after-output", "type route hook output priority -99;", ["jump after-translation"]
    yield "forward", "type filter hook forward priority filter;", [f"{ip} saddr {pods} ct state invalid drop"] if pods else []
    yield "postrouting", "type nat hook postrouting priority srcnat;", [
        f"ct status dnat {ip} saddr . {ip} daddr @{HAIRPIN} masquerade fully-random",
        "ct status dnat ct id @to_masquerade delete @to_masquerade { ct id } masquerade fully-random",
    ]  # fmt: skip


def pick_rules(family: Family, pick: Pick) -> list[str]:
    """Draw a slot in the packet's mark and translate by it. The mark's owner gets it back in after-translation."""
    maps = NODE_PORT_MAPS if pick.node_port else VIP_MAPS
    key = "meta l4proto . th dport" if pick.node_port else _key(family)
    offset = f" offset {OUTSIDE}" if pick.outside else ""
    draw = f"meta mark set numgen random mod {pick.size}{offset}"
    translate = f"dnat to {key} . meta mark map @{maps.endpoints}"
    borrow = "update @borrowed_marks { ct id : meta mark }"
    if not pick.affinity_seconds:
        return [borrow, draw, translate]
    client = f"{family.protocol} saddr . {_key(family)}"
    look_up = f"meta mark set {key} . meta mark map @{maps.identities}"
    if family.protocol == "ip6":
        # nft 1.0.6 dies over a dynamic map with a key of more than 16 bytes: a hash of the client stays the same without memory, but only
        # as long as the number of endpoints does.
        return [borrow, f"meta mark set jhash {client} mod {pick.size}{offset}", look_up, translate]
    remember = f"update @affinity {{ {client} timeout {pick.affinity_seconds}s : meta mark }}"
    return [
        borrow,
        f"meta mark set {client} map @affinity {remember} {translate}",
        # Still here: a client seen first, or one whose endpoint is gone. `update` would keep the old number, so forget it.
        f"delete @affinity {{ {client} : meta mark }}",
        draw,
        look_up,
        remember,
        translate,
    ]


def _dispatch(family: Family, which: str) -> list[str]:
    vip, node_port = getattr(VIP_MAPS, which), getattr(NODE_PORT_MAPS, which)
    return [
        f"{_key(family)} vmap @{vip}",
        f"{family.protocol} daddr @{NODE_ADDRESSES} meta l4proto . th dport vmap @{node_port}",
    ]


def _key(family: Family) -> str:
    return f"{family.protocol} daddr . meta l4proto . th dport"


def _cidrs(cidrs: Iterable[str]) -> str:
    listed = list(cidrs)
    return listed[0] if len(listed) == 1 else f"{{ {', '.join(listed)} }}" if listed else ""
