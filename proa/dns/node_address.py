"""The cluster DNS address on a node: a /32 on lo, kept out of connection tracking.

The kube-dns Service has the same address, and kube-proxy would send its packets elsewhere or refuse them; without tracking there is no
NAT, so the packets reach the socket here. The table `proa_dns` is this module's alone.
"""

from proa.lib.netlink.ip_command import add_address
from proa.lib.nft.load import load

TABLE = "proa_dns"


def ruleset(address: str) -> str:
    """Both directions, for packets from pods (prerouting) and from the node itself (output)."""
    return f"""add table ip {TABLE}
delete table ip {TABLE}
table ip {TABLE} {{
  chain prerouting {{
    type filter hook prerouting priority raw; policy accept;
    ip daddr {address} meta l4proto {{ tcp, udp }} th dport 53 notrack
  }}
  chain output {{
    type filter hook output priority raw; policy accept;
    ip daddr {address} meta l4proto {{ tcp, udp }} th dport 53 notrack
    ip saddr {address} meta l4proto {{ tcp, udp }} th sport 53 notrack
  }}
}}
"""


def claim(address: str) -> None:
    """Give this node (the network namespace of this process) the address; idempotent."""
    add_address("lo", f"{address}/32")
    load(ruleset(address))
