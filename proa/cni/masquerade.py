"""Masquerade for pods that talk to the world, and for nothing else: the one table `proa_masquerade`.

Only what leaves by the default route's link and goes neither to pods, Services nor the nodes' own network gets the node's address. Inside
the cluster everyone sees the pod's own.
"""

from collections.abc import Iterator, Sequence

from proa.lib.dataclass import dataclass

TABLE = "proa_masquerade"


@dataclass(frozen=True, slots=True)
class Masquerade:
    """`pods` are this node's CIDRs, `inside` all networks that see pods as they are; `link` that of the default route ("": no rule)."""

    pods: tuple[str, ...]
    inside: tuple[str, ...]
    link: str


def compile_masquerade(masquerade: Masquerade) -> str:
    """Text that makes the tables of both families what they should be, in one transaction."""
    lines: list[str] = []
    for protocol, multicast, ipv6 in (("ip", "224.0.0.0/4", False), ("ip6", "ff00::/8", True)):
        table = f"{protocol} {TABLE}"
        lines += [f"add table {table}", f"delete table {table}"]
        pods, inside = _of(masquerade.pods, ipv6), _of(masquerade.inside, ipv6)
        if pods and masquerade.link:
            lines += [f"add table {table}", *_rules(protocol, table, pods, [*inside, multicast], masquerade.link)]
    return "\n".join(lines) + "\n"


def compile_removal() -> str:
    return compile_masquerade(Masquerade((), (), ""))


def _rules(protocol: str, table: str, pods: Sequence[str], inside: Sequence[str], link: str) -> Iterator[str]:
    yield f"add set {table} inside {{ type {'ipv6_addr' if protocol == 'ip6' else 'ipv4_addr'}; flags interval; auto-merge; }}"
    yield f"add element {table} inside {{ {', '.join(inside)} }}"
    yield f"add chain {table} postrouting {{ type nat hook postrouting priority srcnat; }}"
    for cidr in pods:
        outgoing = f'{protocol} saddr {cidr} oifname "{link}"'
        yield f"add rule {table} postrouting {outgoing} {protocol} daddr != @inside masquerade fully-random"


def _of(cidrs: Sequence[str], ipv6: bool) -> list[str]:
    return sorted({cidr for cidr in cidrs if (":" in cidr) == ipv6})
