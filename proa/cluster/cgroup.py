"""The control groups of a cluster: every process of a node, its containers included, is below `proa/CLUSTER/NODE`.

That is how a node is powered off (all of it dies at once) and how nothing is left behind. Version 1, version 2 and the hybrid layout
(a v2 tree at /sys/fs/cgroup/unified beside v1) are all walked through the same list of hierarchies.
"""

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")


def hierarchies() -> list[Path]:
    """The root of every cgroup tree of this machine; the one that tracks processes for us comes first."""
    if (ROOT / "cgroup.controllers").exists():
        return [ROOT]
    mounted = [Path(line.split()[1]) for line in Path("/proc/mounts").read_text().splitlines() if line.split()[2] in ("cgroup", "cgroup2")]
    return sorted({path for path in mounted if path.is_dir()}, key=lambda path: (path.name != "unified", path.name != "systemd", path.name))


def join(group: str) -> None:
    """Move this process into `group` ("proa/NAME/NODE/system"), in the hierarchy that tracks."""
    path = hierarchies()[0] / group
    path.mkdir(parents=True, exist_ok=True)
    (path / "cgroup.procs").write_text(str(os.getpid()))


def processes(group: str) -> set[int]:
    """Every process below `group`, in any hierarchy."""
    found: set[int] = set()
    for hierarchy in hierarchies():
        for directory, _, _ in os.walk(hierarchy / group):
            with suppress(OSError):
                found.update(int(pid) for pid in Path(directory, "cgroup.procs").read_text().split())
    return found


def kill(group: str, patience: float = 10.0) -> None:
    """End every process below `group` with SIGKILL, and return when they are gone."""
    deadline = time.monotonic() + patience
    while (alive := processes(group)) and time.monotonic() < deadline:
        for pid in alive:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)


def remove(group: str, patience: float = 5.0) -> None:
    """Remove `group` and all below it from every hierarchy; it must have no processes."""
    for hierarchy in hierarchies():
        deadline = time.monotonic() + patience
        while (hierarchy / group).exists():
            for directory, _, _ in os.walk(hierarchy / group, topdown=False):
                with suppress(OSError):
                    os.rmdir(directory)
            if time.monotonic() > deadline:
                break
            time.sleep(0.005)


def remove_if_empty(group: str) -> None:
    """Remove `group` where nothing is below it (other clusters may be)."""
    for hierarchy in hierarchies():
        with suppress(OSError):
            (hierarchy / group).rmdir()
