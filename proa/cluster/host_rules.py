"""This machine's own nft table for a cluster: node traffic out of the default route is masqueraded, and localhost:nodePort reaches a node.

The table is this module's alone (`proa_CLUSTER`); the map of localhost node ports is kept by `proa.cluster.host_network`.
"""

import shutil

from proa.cluster.errors import ClusterError
from proa.cluster.network import default_link, host_link
from proa.cluster.settings import ClusterSettings
from proa.lib.nft.errors import NftError
from proa.lib.nft.load import list_table, load


def table_name(cluster: str) -> str:
    """nft names have no '-'."""
    return f"proa_{cluster.replace('-', '_')}"


def ruleset(settings: ClusterSettings) -> str:
    """The table with its rules, in one transaction; a map of node ports that is there already keeps what it holds."""
    table, link, way_out = table_name(settings.name), host_link(settings), default_link()
    masquerade = f'    ip saddr {settings.node_network} oifname "{way_out}" masquerade\n' if way_out else ""
    return f"""table ip {table} {{
  map node_ports {{
    type inet_proto . inet_service : ipv4_addr . inet_service
  }}
  chain output {{
    type nat hook output priority -100; policy accept;
  }}
  chain postrouting {{
    type nat hook postrouting priority 100; policy accept;
  }}
}}
flush chain ip {table} output
flush chain ip {table} postrouting
table ip {table} {{
  chain output {{
    ip daddr 127.0.0.0/8 dnat ip to meta l4proto . th dport map @node_ports
  }}
  chain postrouting {{
    ip saddr 127.0.0.0/8 oifname "{link}" masquerade
{masquerade}  }}
}}
"""


def create(settings: ClusterSettings) -> None:
    """Load the table, or load its rules again."""
    try:
        load(ruleset(settings))
    except NftError as error:
        raise ClusterError(f"this machine's kernel refuses the nftables rules that nodes need: {error}") from error


def destroy(cluster: str) -> None:
    """A machine without nft never had the table."""
    if shutil.which("nft") and list_table("ip", table_name(cluster), elements=False) is not None:
        load(f"delete table ip {table_name(cluster)}\n")
