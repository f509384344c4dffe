"""What the node as a whole uses: of its own cgroup where it has one (several nodes may share a machine), else of the machine."""

import os
from pathlib import Path

from proa.kubelet import machine
from proa.kubelet.server.stats import NodeUsage

CGROUPS = Path("/sys/fs/cgroup")


def node_usage(cgroup_root: str, now: int, root: Path = CGROUPS) -> NodeUsage:
    """`now` in nanoseconds since 1970."""
    memory = machine.memory_info()
    available = memory["MemAvailable"]
    group = cgroup_root.strip("/")
    if group and (usage := _of_cgroup(root, group)):
        return NodeUsage(now, usage[0], usage[1], available)
    return NodeUsage(now, machine_cpu(Path("/proc/stat").read_text()), memory["MemTotal"] - available, available)


def machine_cpu(stat: str) -> int:
    """Core-nanoseconds at work, from /proc/stat: all but idle and waiting for disks."""
    ticks = [int(word) for word in stat.splitlines()[0].split()[1:9]]
    return (sum(ticks) - ticks[3] - ticks[4]) * 10**9 // os.sysconf("SC_CLK_TCK")


def _of_cgroup(root: Path, group: str) -> tuple[int, int] | None:
    """(CPU, working set): used memory less what the kernel can drop at once."""
    try:
        if (root / "cgroup.controllers").exists():
            cpu = _field(root / group / "cpu.stat", "usage_usec") * 1000
            used, inactive = int((root / group / "memory.current").read_text()), _field(root / group / "memory.stat", "inactive_file")
        else:
            cpu = int((root / "cpuacct" / group / "cpuacct.usage").read_text())
            memory = root / "memory" / group
            used, inactive = int((memory / "memory.usage_in_bytes").read_text()), _field(memory / "memory.stat", "total_inactive_file")
    except (OSError, ValueError):
        return None
    return cpu, max(used - inactive, 0)


def _field(path: Path, name: str) -> int:
    for line in path.read_text().splitlines():
        key, _, value = line.partition(" ")
        if key == name:
            return int(value)
    raise ValueError(f"{path} has no {name}")
