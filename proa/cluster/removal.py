"""Removing a cluster, whatever is there of it: by its name and what lies on disk, so that broken settings are no obstacle.

What the user must be told (a kubeconfig that can't be changed) is said at the end, when all the rest is gone.
"""

import os
import shutil
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from proa.cluster import cgroup, forwarding, host_rules, kubeconfig, network, node_root, supervisor_process
from proa.cluster.paths import ClusterPaths
from proa.cluster.settings import ClusterSettings, context_name


def remove(paths: ClusterPaths, settings: ClusterSettings | None) -> None:
    """Every trace; `settings` may be missing or of a cluster that was never completed."""
    supervisor_process.stop(paths)
    if os.geteuid() == 0:
        _remove_nodes(paths, settings)
    for directory in (paths.run, paths.data):
        if directory.exists():
            shutil.rmtree(directory)
    forwarding.restore(paths.run.parent)
    for directory in (paths.run.parent, paths.home):
        with suppress(OSError):
            directory.rmdir()
    kubeconfig.remove_from_user_file(context_name(paths.name))


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Ctrl-C and SIGTERM wait: what cleans up after them must not stop half-way."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _remove_nodes(paths: ClusterPaths, settings: ClusterSettings | None) -> None:
    group = f"proa/{paths.name}"
    cgroup.kill(group)
    names = node_names(paths, settings)
    for name in names:
        node_root.destroy(paths.node(name))
    host_rules.destroy(paths.name)
    network.destroy(paths.name, names, network.host_link(settings) if settings else "")
    node_root.release(paths.run)
    cgroup.remove(group)
    cgroup.remove_if_empty("proa")


def node_names(paths: ClusterPaths, settings: ClusterSettings | None) -> list[str]:
    """The nodes that the settings have, and those that have left something on disk."""
    found = {node.name for node in settings.nodes} if settings else set()
    for folder in (paths.data / "nodes", paths.run / "nodes"):
        found |= {path.name for path in _folders(folder)}
    return sorted(found)


def _folders(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.is_dir()] if folder.is_dir() else []
