"""Where a cluster's state lives: one place that knows every path under `$PROA_HOME` (default /var/lib/proa) and /run/proa.

`/run/proa/NAME` holds what a reboot forgets (sockets, pinned namespaces, pids), the data directory what it must not.
"""

import os
from pathlib import Path

from proa.cluster.errors import ClusterError
from proa.lib.dataclass import dataclass

LONGEST_SOCKET_PATH = 107


def home() -> Path:
    """`$PROA_HOME`; without it /var/lib/proa for root, else ~/.local/share/proa (a cluster without nodes needs no root)."""
    if configured := os.environ.get("PROA_HOME"):
        return Path(configured).absolute()
    if os.geteuid() == 0:
        return Path("/var/lib/proa")
    try:
        return Path.home() / ".local/share/proa"
    except RuntimeError as error:
        raise ClusterError("this user has no home folder; set PROA_HOME to a folder of yours") from error


def check_socket_path(path: Path) -> None:
    if len(os.fsencode(path)) > LONGEST_SOCKET_PATH:
        raise ClusterError(f"{path} is too long for a socket ({LONGEST_SOCKET_PATH} bytes); set PROA_HOME to a shorter path")


@dataclass(frozen=True, slots=True)
class ClusterPaths:
    """The paths of one cluster."""

    home: Path
    name: str

    @property
    def data(self) -> Path:
        return self.home / self.name

    @property
    def settings(self) -> Path:
        return self.data / "cluster.json"

    @property
    def lock(self) -> Path:
        return self.home / f".{self.name}.lock"

    @property
    def pki(self) -> Path:
        return self.data / "pki"

    @property
    def admin_kubeconfig(self) -> Path:
        return self.data / "admin.kubeconfig"

    @property
    def logs(self) -> Path:
        return self.data / "logs"

    @property
    def images(self) -> Path:
        return self.data / "images"

    @property
    def run(self) -> Path:
        """Kept short: a Unix socket's path has 107 bytes at most."""
        return Path("/run/proa") / self.name if os.geteuid() == 0 else self.data / "run"

    @property
    def api_socket(self) -> Path:
        return self.run / "api.sock"

    @property
    def supervisor_pid(self) -> Path:
        return self.run / "supervisor.pid"

    @property
    def state(self) -> Path:
        """What the supervisor runs, as JSON, for `proa status`."""
        return self.run / "state.json"

    @property
    def prepared(self) -> Path:
        """Exists once the control plane's network and certificates are there; a reboot forgets it."""
        return self.run / "prepared"

    def node(self, node: str) -> "NodePaths":
        return NodePaths(self, node)


@dataclass(frozen=True, slots=True)
class NodePaths:
    """The paths of one node. `root` is the node's root file system; inside, `var` and `etc` are its own."""

    cluster: ClusterPaths
    name: str

    @property
    def data(self) -> Path:
        return self.cluster.data / "nodes" / self.name

    @property
    def root(self) -> Path:
        return self.data / "root"

    @property
    def etc_upper(self) -> Path:
        return self.data / "etc"

    @property
    def credentials(self) -> Path:
        return self.data / "pki"

    @property
    def run(self) -> Path:
        return self.cluster.run / "nodes" / self.name

    @property
    def mount_namespace(self) -> Path:
        return self.run / "mnt"

    @property
    def uts_namespace(self) -> Path:
        return self.run / "uts"

    @property
    def prepared(self) -> Path:
        """Exists once all is there that the node's processes start on."""
        return self.run / "prepared"

    @property
    def containerd_socket(self) -> Path:
        """The same path outside and inside of the node."""
        return self.run / "containerd.sock"
