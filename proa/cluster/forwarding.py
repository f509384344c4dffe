"""Forwarding on the link of this machine's default route, which nodes need to reach the world: switched on with the first cluster that
has nodes, and back with the last, where it was off before. A marker file in /run/proa tells what was changed, as a reboot undoes it.
"""

from pathlib import Path

from proa.cluster.network import default_link
from proa.lib.netlink import sysctl

MARKER = ".forwarding"


def enable(run: Path) -> None:
    """Switch it on; remember that it was off. `run` is the folder of all clusters' run folders."""
    link = default_link()
    if link and sysctl.read(_name(link)) == "0":
        (run / MARKER).write_text(link)
        sysctl.write(_name(link), 1)


def restore(run: Path) -> None:
    """Switch it off again if we switched it on and no cluster is left on this machine."""
    marker = run / MARKER
    if marker.exists() and not any(path.is_dir() for path in run.iterdir()):
        link = marker.read_text()
        if Path("/proc/sys", _name(link)).exists():
            sysctl.write(_name(link), 0)
        marker.unlink()


def _name(link: str) -> str:
    return f"net/ipv4/conf/{link}/forwarding"
