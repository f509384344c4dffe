"""What nodes need of this machine: root, and programs from Debian's packages."""

import os
import shutil

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
