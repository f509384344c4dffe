"""What `proa status` reports: each part with its process and its share of memory."""

import json
from contextlib import suppress
from pathlib import Path

from proa.cluster import supervisor_process
from proa.cluster.access import existing
from proa.cluster.settings import ClusterSettings
from proa.lib.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class PartStatus:
    name: str
    pid: int
    restarts: int
    memory_megabytes: float
    """Proportional set size: shared pages count by share."""


@dataclass(frozen=True, slots=True)
class ClusterStatus:
    settings: ClusterSettings
    running: bool
    parts: tuple[PartStatus, ...]


def describe(cluster: str) -> ClusterStatus:
    paths, settings = existing(cluster)
    supervisor = supervisor_process.pid(paths)
    parts = [PartStatus("supervisor", supervisor, 0, proportional_set_size(supervisor))] if supervisor else []
    with suppress(FileNotFoundError):
        for name, part in json.loads(paths.state.read_text()).items() if supervisor else ():
            parts.append(PartStatus(name, part["pid"], part["restarts"], proportional_set_size(part["pid"])))
    return ClusterStatus(settings, bool(supervisor), tuple(parts))


def proportional_set_size(pid: int) -> float:
    """In megabytes (10^6 bytes); 0 for a process that is gone."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024 / 1e6
    return 0.0
