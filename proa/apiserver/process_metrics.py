"""What Prometheus' client libraries tell of any process, and which build this is: read at the scrape, so it costs nothing in between."""

import asyncio
import os
import resource
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from proa.api.meta import Object
from proa.lib.metrics import GaugeFunction, Labels, Registry

_STATUS, _DESCRIPTORS = Path("/proc/self/statm"), Path("/proc/self/fd")
_BUILD = {
    "build_date": "buildDate", "compiler": "compiler", "git_commit": "gitCommit", "git_tree_state": "gitTreeState",
    "git_version": "gitVersion", "go_version": "goVersion", "major": "major", "minor": "minor", "platform": "platform",
}  # fmt: skip


def add_process_metrics(registry: Registry, version: Callable[[], Object]) -> None:
    started = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME) + _start_ticks()
    page = resource.getpagesize()
    one: dict[str, tuple[str, Callable[[], float]]] = {
        "asyncio_tasks": ("Number of tasks that currently exist.", lambda: len(asyncio.all_tasks())),
        "process_cpu_seconds_total": ("Total user and system CPU time spent in seconds.", time.process_time),
        "process_max_fds": ("Maximum number of open file descriptors.", lambda: resource.getrlimit(resource.RLIMIT_NOFILE)[0]),
        "process_open_fds": ("Number of open file descriptors.", lambda: len(os.listdir(_DESCRIPTORS))),
        "process_resident_memory_bytes": ("Resident memory size in bytes.", lambda: _pages(1) * page),
        "process_start_time_seconds": ("Start time of the process since unix epoch in seconds.", lambda: started),
        "process_virtual_memory_bytes": ("Virtual memory size in bytes.", lambda: _pages(0) * page),
    }
    for name, (text, read) in one.items():
        metric = registry.add(GaugeFunction(name, text, (), _single(read)))
        if name.endswith("_total"):
            metric.kind = "counter"

    def build() -> Iterable[tuple[Labels, float]]:
        told = version()
        yield tuple(str(told[key]) for key in _BUILD.values()), 1

    text = "A metric with a constant '1' value labeled by what this server is built of."
    registry.add(GaugeFunction("kubernetes_build_info", text, tuple(_BUILD), build))


def _single(read: Callable[[], float]) -> Callable[[], Iterable[tuple[Labels, float]]]:
    return lambda: [((), read())]


def _pages(column: int) -> int:
    return int(_STATUS.read_text().split()[column])


def _start_ticks() -> float:
    """Seconds between the machine's start and this process's."""
    fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    return int(fields[19]) / os.sysconf("SC_CLK_TCK")
