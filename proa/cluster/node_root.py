"""A node's own root file system and its pinned mount and UTS namespaces.

Programs (`/usr`, the Python environment) are the machine's own, bound into place; `/var`, `/run`, `/tmp` and every other path belong
to the node alone, and `/etc` is an overlay of the machine's. So hostPath volumes, host names and the places that container engines
share never cross nodes.
"""

import os
import shlex
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import proa
from proa.cluster.errors import ClusterError
from proa.cluster.paths import NodePaths

MACHINE_DIRECTORIES = ("bin", "sbin", "lib", "lib64", "lib32", "libx32", "usr", "proc", "sys", "dev")
NODE_DIRECTORIES = (
    "etc",
    "var/lib/kubelet",
    "var/lib/cni",
    "var/lib/containerd",
    "var/log/pods",
    "var/log/containers",
    "root",
    "mnt",
    "opt",
    "srv",
    "home",
)


def program_directories() -> list[Path]:
    """Where this Python, its packages and proa lie, as far as `/usr` does not hold them."""
    package = Path(proa.__path__[0]).resolve().parent
    found = {Path(sys.prefix).resolve(), Path(sys.base_prefix).resolve(), package, *(Path(p).resolve() for p in sys.path if p)}
    outside = sorted(path for path in found if path.is_dir() and not path.is_relative_to("/usr") and path != Path("/"))
    return [path for path in outside if not any(path != other and path.is_relative_to(other) for other in outside)]


def mount_script(node: NodePaths, shared: Sequence[Path], resolv_conf: str) -> str:
    """The shell script that builds the root inside the new mount namespace. `shared` are bound at their own paths."""
    root = shlex.quote(str(node.root))
    lines = ["set -e", f"mount --bind {root} {root}", f"cd {root}"]
    for name in MACHINE_DIRECTORIES:
        source = Path("/", name)
        if source.is_symlink():
            lines.append(f"ln -sfn {shlex.quote(os.readlink(source))} {name}")
        elif source.is_dir():
            lines.append(f"mkdir -p {name} && mount --rbind /{name} {name}")
    lines += [f"mkdir -p {name}" for name in NODE_DIRECTORIES]
    upper, work = (shlex.quote(str(node.etc_upper / part)) for part in ("upper", "work"))
    lines += [f"mkdir -p {upper} {work}", f"mount -t overlay overlay -o lowerdir=/etc,upperdir={upper},workdir={work} etc"]
    lines += ["mkdir -p tmp run", "chmod 1777 tmp", "mount -t tmpfs -o mode=755 tmpfs run"]
    for path in shared:
        quoted = shlex.quote(str(path).lstrip("/"))
        lines.append(f"mkdir -p {quoted} && mount --rbind {shlex.quote(str(path))} {quoted}")
    lines += ["mkdir -p .machine run/netns run/lock", "pivot_root . .machine", "umount -l /.machine", "rmdir /.machine || true"]
    lines += ["ln -sfn /run /var/run", f"printf '%s\\n' {shlex.quote(node.name)} > /etc/hostname", f"hostname {shlex.quote(node.name)}"]
    lines += ["mkdir -p /etc/cni/net.d", "rm -f /etc/resolv.conf", f"printf %s {shlex.quote(resolv_conf)} > /etc/resolv.conf"]
    return "\n".join(lines) + "\n"


def node_resolv_conf(machine: str, dns_address: str) -> str:
    """The machine's resolv.conf with what no node can reach, a resolver on loopback, replaced by the cluster's, which asks that one."""
    lines: list[str] = []
    for line in machine.splitlines():
        words = line.split()
        if len(words) > 1 and words[0] == "nameserver" and (words[1].startswith("127.") or words[1] == "::1"):
            line = f"nameserver {dns_address}"
        if line not in lines:
            lines.append(line)
    return "".join(f"{line}\n" for line in lines)


def create(node: NodePaths, dns_address: str) -> None:
    """Make and pin the namespaces on a run folder that `make_pinnable` has seen; does nothing if they are there."""
    if _is_mounted(node.mount_namespace):
        return
    for directory in (node.root, node.etc_upper, node.run):
        directory.mkdir(parents=True, exist_ok=True, mode=0o755)
    for pin in (node.mount_namespace, node.uts_namespace):
        pin.touch()
    shared = [*program_directories(), node.run, node.credentials]
    command = ["unshare", f"--mount={node.mount_namespace}", f"--uts={node.uts_namespace}", "--propagation", "private", "sh", "-c"]
    done = subprocess.run(
        [*command, mount_script(node, shared, node_resolv_conf(_read(Path("/etc/resolv.conf")), dns_address))],
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        destroy(node)
        raise ClusterError(f"the root of node {node.name!r} could not be made: {done.stderr.strip()}")


def destroy(node: NodePaths) -> None:
    """Let go of the namespaces; their mounts end with their last process."""
    node.prepared.unlink(missing_ok=True)
    for pin in (node.mount_namespace, node.uts_namespace):
        while _is_mounted(pin):
            if subprocess.run(["umount", "-l", str(pin)], capture_output=True).returncode != 0:
                break
        with suppress(FileNotFoundError):
            pin.unlink()


def release(run: Path) -> None:
    """Undo `make_pinnable` once no node is left."""
    while _is_mounted(run):
        if subprocess.run(["umount", str(run)], capture_output=True).returncode != 0:
            break


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except FileNotFoundError:
        return ""


def make_pinnable(run: Path) -> None:
    """A mount namespace can be pinned only on a mount that is not shared, or it would hold itself."""
    run.mkdir(parents=True, exist_ok=True)
    if not _is_mounted(run):
        subprocess.run(["mount", "--bind", str(run), str(run)], check=True)
        subprocess.run(["mount", "--make-private", str(run)], check=True)


def _is_mounted(path: Path) -> bool:
    return any(line.split()[1] == str(path) for line in Path("/proc/mounts").read_text().splitlines())
