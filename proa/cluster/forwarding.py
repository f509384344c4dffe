"""Forwarding on the link of this machine's default route, which nodes need to reach the world: switched on with the first cluster that
has nodes, and back with the last, where it was off before. A marker file in the home tells what was changed.
"""

from pathlib import Path

from proa.cluster.network import default_link
from proa.lib.netlink import sysctl

MARKER = ".forwarding"


def enable(home: Path) -> None:
    """Switch it on; remember that it was off."""
    link = default_link()
    if link and sysctl.read(_name(link)) == "0":
        (home / MARKER).write_text(link)
        sysctl.write(_name(link), 1)


def restore(home: Path) -> None:
    """Switch it off again if we switched it on and no cluster is left in this home."""
    marker = home / MARKER
    if marker.exists() and not any(home.glob("*/cluster.json")):
        link = marker.read_text()
        if Path("/proc/sys", _name(link)).exists():
            sysctl.write(_name(link), 0)
        marker.unlink()


def _name(link: str) -> str:
    return f"net/ipv4/conf/{link}/forwarding"
