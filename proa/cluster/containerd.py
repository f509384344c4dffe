"""The private containerd of one node: its configuration, and the image operations that go past the kubelet."""

import shutil
import subprocess
from pathlib import Path

from proa.cluster.errors import ClusterError
from proa.cluster.paths import NodePaths

PAUSE_IMAGE = "registry.k8s.io/pause:3.10"


def configuration(node: NodePaths, *, restrict_oom_score: bool) -> str:
    """config.toml (version 2, which containerd 1.6 to 2.x read). Paths are the node's own."""
    return f"""version = 2
root = "/var/lib/containerd"
state = "/run/containerd"
disabled_plugins = ["io.containerd.internal.v1.opt", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs",
  "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.aufs", "io.containerd.tracing.processor.v1.otlp",
  "io.containerd.internal.v1.tracing"]

[grpc]
address = "{node.containerd_socket}"

[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{PAUSE_IMAGE}"
restrict_oom_score_adj = {str(restrict_oom_score).lower()}
tolerate_missing_hugetlb_controller = true
stream_server_address = "127.0.0.1"
stream_server_port = "0"

[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "{cni_directory()}"
conf_dir = "/etc/cni/net.d"
max_conf_num = 1

[plugins."io.containerd.grpc.v1.cri".containerd]
default_runtime_name = "runc"
discard_unpacked_layers = false

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
SystemdCgroup = false
"""


def cni_directory() -> str:
    """Debian keeps the plugins in /usr/lib/cni, upstream's archives unpack into /opt/cni/bin."""
    for candidate in ("/usr/lib/cni", "/opt/cni/bin"):
        if Path(candidate, "ptp").exists():
            return candidate
    raise ClusterError("no CNI plugins on this machine; install them: apt-get install containernetworking-plugins")


def may_lower_oom_score() -> bool:
    """Whether this process has CAP_SYS_RESOURCE (bit 24), without which runc can't set negative oom_score_adj."""
    status = Path("/proc/self/status").read_text()
    effective = next(line.split()[1] for line in status.splitlines() if line.startswith("CapEff:"))
    return bool(int(effective, 16) >> 24 & 1)


def command(node: NodePaths) -> list[str]:
    """How containerd is started, inside the node."""
    return [_binary("containerd"), "--config", str(node.run / "containerd.toml"), "--log-level", "warn"]


def write_configuration(node: NodePaths) -> None:
    node.run.mkdir(parents=True, exist_ok=True)
    (node.run / "containerd.toml").write_text(configuration(node, restrict_oom_score=not may_lower_oom_score()))


def import_image(node: NodePaths, archive: Path) -> list[str]:
    """Import an OCI or docker archive for the kubelet's use; returns the image names.

    An archive may name platforms that it does not hold (newer `docker save` does): then this machine's own platform is enough.
    """
    done = _ctr(node, "images", "import", "--all-platforms", str(archive))
    if done.returncode != 0 and "not found" in done.stderr:
        done = _ctr(node, "images", "import", str(archive))
    if done.returncode != 0:
        raise ClusterError(import_failure(node.name, archive, done.stderr))
    return [line.split()[1] for line in done.stdout.splitlines() if line.startswith("unpacking ")]


def import_failure(node: str, archive: Path, said: str) -> str:
    """containerd's own words, but for those that say that the file is no image."""
    words = said.strip().removeprefix("ctr: ")
    if any(sign in words for sign in ("unrecognized image format", "invalid tar header", "unexpected EOF", "invalid argument")):
        return f"{archive} is no image archive ({words}); make one with `docker save -o FILE.tar IMAGE`, or as an OCI layout"
    if "no space left on device" in words:
        return f"the disk is full, so {archive} could not be imported on node {node!r}; free some space"
    return f"{archive} could not be imported on node {node!r}: {words or 'ctr ended without a word'}"


def list_images(node: NodePaths) -> list[str]:
    done = _ctr(node, "images", "list", "-q")
    if done.returncode != 0:
        raise ClusterError(f"containerd of node {node.name!r} does not list its images: {done.stderr.strip()}; see proa status")
    return sorted(name for name in done.stdout.split() if not name.startswith("sha256:"))


def _ctr(node: NodePaths, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [_binary("ctr"), "--address", str(node.containerd_socket), "--namespace", "k8s.io", *arguments]
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)


def _binary(name: str) -> str:
    if found := shutil.which(name):
        return found
    raise ClusterError(f"{name} is not on the PATH; install it: apt-get install containerd")
