"""The cgroups of pods: `kubepods`, its QoS classes, and one per pod with the pod's own limits, in cgroup v1 and v2.

The runtime puts containers below the pod's cgroup. In a v1 layout each controller has a tree of its own; what the runtime makes in trees
that are not used here goes away with the pod too.
"""

import os
import time
from contextlib import suppress
from pathlib import Path

from proa.api.meta import Object
from proa.kubelet.resources import CPU_PERIOD, cgroup_parent, pod_cgroup_limits

ROOT = Path("/sys/fs/cgroup")
_CONTROLLERS = ("cpu", "memory", "pids")
_QOS = ("", "burstable", "besteffort")
_REMOVAL_SECONDS = 2.0


class PodCgroups:
    """`kubepods` is absolute within each hierarchy (`/proa/NAME/NODE/kubepods`)."""

    def __init__(self, kubepods: str, root: Path = ROOT) -> None:
        self._kubepods, self._root = kubepods, root
        self.is_v2 = (root / "cgroup.controllers").exists()

    def ensure_root(self) -> None:
        """The cgroups of the QoS classes."""
        for quality in _QOS:
            self._make(f"{self._kubepods}/{quality}".rstrip("/"))
        self._write_limits(f"{self._kubepods}/besteffort", {"cpu_shares": 2})

    def ensure(self, pod: Object) -> None:
        parent = cgroup_parent(pod, self._kubepods)
        self._make(parent)
        self._write_limits(parent, pod_cgroup_limits(pod))

    def remove(self, uid: str) -> None:
        """The pod's cgroup in every hierarchy; it must have no processes. What can't be removed yet is found again by `leftovers`."""
        deadline = time.monotonic() + _REMOVAL_SECONDS
        for hierarchy in self._hierarchies():
            for quality in _QOS:
                path = Path(f"{hierarchy}{self._kubepods}", quality, f"pod{uid}")
                while path.exists() and not _remove_tree(path) and time.monotonic() < deadline:
                    time.sleep(0.01)

    def leftovers(self, known: set[str]) -> set[str]:
        """Uids that have a cgroup and are not known."""
        found: set[str] = set()
        for hierarchy in self._hierarchies():
            for quality in _QOS:
                with suppress(OSError):
                    found.update(entry.name[3:] for entry in Path(f"{hierarchy}{self._kubepods}", quality).iterdir() if _is_pod(entry))
        return found - known

    def _hierarchies(self) -> list[Path]:
        if self.is_v2:
            return [self._root]
        # Controllers may be mounted together; a link and its target are one tree.
        return sorted({path.resolve() for path in self._root.iterdir() if path.is_dir()})

    def _controllers(self) -> list[Path]:
        return [self._root] if self.is_v2 else [path for name in _CONTROLLERS if (path := self._root / name).is_dir()]

    def _make(self, group: str) -> None:
        for hierarchy in self._controllers():
            path = Path(f"{hierarchy}{group}")
            if self.is_v2:
                self._make_v2(path)
            else:
                path.mkdir(parents=True, exist_ok=True)

    def _make_v2(self, path: Path) -> None:
        """A controller must be switched on in every parent, from the root down."""
        for parent in [each for each in path.parents if each == self._root or self._root in each.parents][::-1]:
            parent.mkdir(exist_ok=True)
            available = (parent / "cgroup.controllers").read_text().split()
            for controller in available:
                with suppress(OSError):
                    (parent / "cgroup.subtree_control").write_text(f"+{controller}")
        path.mkdir(exist_ok=True)

    def _write_limits(self, group: str, limits: dict[str, int]) -> None:
        for controller, name, value in _v2_files(limits) if self.is_v2 else _v1_files(limits):
            path = Path(f"{self._root if self.is_v2 else self._root / controller}{group}", name)
            # A controller that the machine does not have has no such file, and none is made.
            if path.exists():
                path.write_text(value)


def _v1_files(limits: dict[str, int]) -> list[tuple[str, str, str]]:
    files = [("cpu", "cpu.shares", str(limits["cpu_shares"]))]
    if quota := limits.get("cpu_quota"):
        files += [("cpu", "cpu.cfs_period_us", str(CPU_PERIOD)), ("cpu", "cpu.cfs_quota_us", str(quota))]
    if memory := limits.get("memory_limit"):
        files.append(("memory", "memory.limit_in_bytes", str(memory)))
    return files


def _v2_files(limits: dict[str, int]) -> list[tuple[str, str, str]]:
    files = [("", "cpu.weight", str(cpu_weight(limits["cpu_shares"])))]
    if quota := limits.get("cpu_quota"):
        files.append(("", "cpu.max", f"{quota} {CPU_PERIOD}"))
    if memory := limits.get("memory_limit"):
        files.append(("", "memory.max", str(memory)))
    return files


def cpu_weight(shares: int) -> int:
    """v1's 2..262144 on v2's 1..10000, as the OCI runtimes map it."""
    return 1 + (shares - 2) * 9999 // 262142


def _is_pod(path: Path) -> bool:
    return path.name.startswith("pod") and path.is_dir()


def _remove_tree(path: Path) -> bool:
    for directory, _, _ in os.walk(path, topdown=False):
        with suppress(OSError):
            os.rmdir(directory)
    return not path.exists()
