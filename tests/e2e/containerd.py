"""A private containerd for tests: its own root, state, socket, CNI configuration and network namespace; gone without a trace afterwards."""

import asyncio
import ctypes
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from proa.cluster import cgroup
from proa.cluster.oci_image import RunDefaults, archive, busybox_content
from proa.kubelet.cri.containerd import ContainerdRuntime
from proa.kubelet.volumes.mounts import mounted_below, unmount_below

PAUSE = "registry.k8s.io/pause:3.10"
_CLONE_NEWNET = 0x40000000
BUSYBOX = "docker.io/library/busybox:1.36"


@dataclass(frozen=True, slots=True)
class PrivateContainerd:
    directory: Path
    namespace: str
    cgroup_root: str

    @property
    def socket(self) -> str:
        return str(self.directory / "c.sock")


_CONFIG = """version = 2
root = "{d}/root"
state = "{d}/state"
disabled_plugins = ["io.containerd.internal.v1.opt", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs",
  "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.aufs"]
[grpc]
address = "{d}/c.sock"
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{pause}"
restrict_oom_score_adj = true
tolerate_missing_hugetlb_controller = true
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "/usr/lib/cni"
conf_dir = "{d}/cni"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
"""
_CNI = """{{"cniVersion": "0.4.0", "name": "test", "plugins": [
 {{"type": "ptp", "ipMasq": false, "ipam": {{"type": "host-local", "dataDir": "{d}/ipam", "routes": [{{"dst": "0.0.0.0/0"}}],
   "ranges": [[{{"subnet": "10.77.0.0/24"}}]]}}}},
 {{"type": "portmap", "capabilities": {{"portMappings": true}}}}]}}
"""


@contextmanager
def inside(namespace: str) -> Iterator[None]:
    """This thread's sockets are the network namespace's, as an agent's on a real node are."""
    libc, own = ctypes.CDLL(None, use_errno=True), os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    other = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
    try:
        if libc.setns(other, _CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns")
        yield
    finally:
        libc.setns(own, _CLONE_NEWNET)
        os.close(own)
        os.close(other)


@contextmanager
def private_containerd(directory: Path, name: str) -> Iterator[PrivateContainerd]:
    """`directory` must have a short name: Unix sockets lie in it."""
    containerd = PrivateContainerd(directory, f"proa-test-{name}", f"proa-test-{name}")
    (directory / "cni").mkdir(parents=True)
    (directory / "config.toml").write_text(_CONFIG.format(d=directory, pause=PAUSE))
    (directory / "cni" / "10-test.conflist").write_text(_CNI.format(d=directory))
    subprocess.run(["ip", "netns", "add", containerd.namespace], check=True)
    subprocess.run(["ip", "-n", containerd.namespace, "link", "set", "lo", "up"], check=True)
    inside = ["nsenter", f"--net=/run/netns/{containerd.namespace}"]
    log = (directory / "containerd.log").open("wb")
    process = subprocess.Popen([*inside, "containerd", "--config", str(directory / "config.toml")], stdout=log, stderr=log)
    try:
        _wait_until_up(containerd)
        _import_images(containerd)
        yield containerd
    finally:
        log.close()
        _tear_down(containerd, process)


def _wait_until_up(containerd: PrivateContainerd) -> None:
    deadline = time.monotonic() + 20
    while ctr(containerd, "version", check=False).returncode != 0:
        if time.monotonic() > deadline:
            raise RuntimeError((containerd.directory / "containerd.log").read_text()[-2000:])
        time.sleep(0.05)


def ctr(containerd: PrivateContainerd, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[bytes]:
    command = ["ctr", "--address", containerd.socket, "--namespace", "k8s.io", *arguments]
    return subprocess.run(command, check=check, capture_output=True)


def _import_images(containerd: PrivateContainerd) -> None:
    content = busybox_content()
    for name, entrypoint in ((BUSYBOX, ()), (PAUSE, ("/bin/sleep", "2147483647"))):
        file = containerd.directory / "image.tar"
        file.write_bytes(archive(name, content, RunDefaults(entrypoint=entrypoint)))
        ctr(containerd, "images", "import", str(file))
        file.unlink()


async def _remove_pods(containerd: PrivateContainerd) -> None:
    """So that containerd gives back the network namespaces that it made outside of its own directories."""
    runtime = ContainerdRuntime(containerd.socket)
    for sandbox in await runtime.list_pod_sandboxes():
        await runtime.stop_pod_sandbox(sandbox.id)
        await runtime.remove_pod_sandbox(sandbox.id)
    await runtime.close()


def _tear_down(containerd: PrivateContainerd, process: "subprocess.Popen[bytes]") -> None:
    """Containers first, then what held them, by id; then their cgroups, mounts and files."""
    cgroup.kill(containerd.cgroup_root)
    if process.poll() is None and Path(containerd.socket).exists():
        asyncio.run(_remove_pods(containerd))
    process.terminate()
    process.wait(20)
    for pid in _shims(containerd):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + 5
    while _shims(containerd) and time.monotonic() < deadline:
        time.sleep(0.02)
    cgroup.remove(containerd.cgroup_root)
    subprocess.run(["ip", "netns", "del", containerd.namespace], check=True)
    unmount_below(containerd.directory)
    assert not mounted_below(containerd.directory)
    shutil.rmtree(containerd.directory, ignore_errors=True)


def _shims(containerd: PrivateContainerd) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            words = _text(entry / "cmdline").split("\0")
            if words[0].endswith("containerd-shim-runc-v2") and containerd.socket in words:
                found.append(int(entry.name))
    return found


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
