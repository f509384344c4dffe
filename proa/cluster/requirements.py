"""What nodes need of this machine: root, and programs from Debian's packages."""

import os
import shutil
from pathlib import Path

from proa.cluster.errors import ClusterError
from proa.cluster.settings import ClusterSettings

PACKAGES = {
    "containerd": "containerd",
    "runc": "runc",
    "nft": "nftables",
    "ip": "iproute2",
    "unshare": "util-linux",
    "busybox": "busybox-static",
}
"""The Debian package of each program that nodes need."""


CONTROL_PLANE_SPACE = 30_000_000
NODE_SPACE = 30_000_000
"""Bytes that a new cluster, and each of its nodes with the image that holds pods, writes before it is of use."""


def check_space(folder: Path, nodes: int) -> None:
    """Fail before anything is made if the disk of that folder can't hold it."""
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    needed, free = CONTROL_PLANE_SPACE + nodes * NODE_SPACE, shutil.disk_usage(existing).free
    if free < needed:
        space = f"has {free // 1_000_000} MB free and needs {needed // 1_000_000} MB"
        raise ClusterError(f"the disk of {folder} {space}; free some space, or set PROA_HOME to a folder on another disk")


def check_machine(settings: ClusterSettings) -> None:
    """Fail before anything is made if nodes can't run here."""
    if not settings.nodes:
        return
    if os.geteuid() != 0:
        raise ClusterError("nodes need root: run with sudo, or ask for --nodes 0")
    missing = sorted({package for binary, package in PACKAGES.items() if not shutil.which(binary)})
    if not any(os.path.exists(f"{directory}/ptp") for directory in ("/usr/lib/cni", "/opt/cni/bin")):
        missing.append("containernetworking-plugins")
    if missing:
        raise ClusterError(f"missing on this machine: {', '.join(missing)}; install with: apt-get install {' '.join(missing)}")
