"""The CNI configuration of a node: ptp with host-local addresses from the node's pod CIDR, and portmap for hostPort.

`ptp` gives each pod a link of its own to the node, so traffic between pods of one node is routed like any other: translation and policy see
both directions, which a bridge hides from them. Whoever puts a configuration of his own into the directory gets it: ours is written only
where there is no other, and goes when one comes; its name sorts last, so that it never wins in between.
"""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

FILE_NAME = "99-proa.conflist"
_SUFFIXES = (".conf", ".conflist", ".json")


def conflist(pod_cidrs: Sequence[str], mtu: int) -> dict[str, Any]:
    """Gateways are the first address of each CIDR (host-local's default), which the node's end of every link carries."""
    defaults = [{"dst": "::/0" if ":" in cidr else "0.0.0.0/0"} for cidr in pod_cidrs]
    ipam = {"type": "host-local", "ranges": [[{"subnet": cidr}] for cidr in pod_cidrs], "routes": defaults}
    return {
        "cniVersion": "1.0.0",
        "name": "proa",
        "plugins": [
            {"type": "ptp", "ipMasq": False, "mtu": mtu, "ipam": ipam},
            {"type": "portmap", "capabilities": {"portMappings": True}, "snat": True},
        ],
    }


def foreign_configuration(directory: Path) -> str:
    """The name of a user's own configuration, "" if there is none."""
    if not directory.is_dir():
        return ""
    names = sorted(path.name for path in directory.iterdir() if path.suffix in _SUFFIXES and path.name != FILE_NAME)
    return names[0] if names else ""


def write(directory: Path, configuration: dict[str, Any]) -> bool:
    """Put the file there as a whole, never half: the runtime reads the directory on every change. Returns whether it changed."""
    path = directory / FILE_NAME
    text = json.dumps(configuration, indent=2) + "\n"
    if path.is_file() and path.read_text() == text:
        return False
    directory.mkdir(parents=True, exist_ok=True)
    # The runtime looks at names ending in the suffixes above only.
    temporary = directory / f".{FILE_NAME}.new"
    with open(temporary, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)
    return True


def remove(directory: Path) -> None:
    (directory / FILE_NAME).unlink(missing_ok=True)
