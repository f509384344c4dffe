"""The clusters of this machine beyond one home: names, networks and links are the machine's, whatever `$PROA_HOME` a cluster lies in.

Each cluster of root leaves its home's path in /run/proa/NAME/home. Addresses are chosen under one lock for all, and written down before
it is released, so that two commands at the same moment never choose the same.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from proa.cluster import file_lock
from proa.cluster.errors import ClusterError
from proa.cluster.network import node_namespace, switch_namespace
from proa.cluster.paths import ClusterPaths
from proa.cluster.settings import ClusterSettings, load_all, load_readable

HOME = "home"


@contextmanager
def choosing(paths: ClusterPaths) -> Iterator[None]:
    """One new cluster at a time, on the machine for root, in the home for anybody else."""
    folder = paths.run.parent if os.geteuid() == 0 else paths.home
    try:
        with file_lock.locked(folder / ".choosing"):
            yield
    finally:
        with suppress(OSError):
            folder.rmdir()


def others(paths: ClusterPaths) -> list[ClusterSettings]:
    """Every cluster that a new one must not collide with."""
    found = load_all(paths.home)
    for mark in paths.run.parent.glob(f"*/{HOME}") if os.geteuid() == 0 else ():
        elsewhere = ClusterPaths(_read(mark), mark.parent.name)
        if elsewhere.home != paths.home and (settings := load_readable(elsewhere.settings)):
            found.append(settings)
    return found


def namespaces(settings: ClusterSettings) -> dict[str, str]:
    """The network namespaces of a cluster: by name, whose they are."""
    nodes = {node_namespace(settings.name, node.name): f"node {node.name!r} of cluster {settings.name!r}" for node in settings.nodes}
    return nodes | {switch_namespace(settings.name): f"cluster {settings.name!r} itself"}


def check_namespaces(settings: ClusterSettings, others: Iterable[ClusterSettings]) -> None:
    """Fail where two pairs of names are one when joined: node "c" of "a-b", and node "b-c" of "a"."""
    taken = {name: owner for other in others if other.name != settings.name for name, owner in namespaces(other).items()}
    for name, owner in namespaces(settings).items():
        if name in taken:
            raise ClusterError(f"{owner} would share its network namespace {name!r} with {taken[name]}; choose another name")


def check_home(paths: ClusterPaths) -> None:
    """Fail if a cluster of this name runs from another home."""
    mark = paths.run / HOME
    if os.geteuid() == 0 and mark.exists():
        elsewhere = ClusterPaths(_read(mark), paths.name)
        if elsewhere.home != paths.home and elsewhere.settings.exists():
            raise ClusterError(f"cluster {paths.name!r} lives in {elsewhere.home}; set PROA_HOME to that, or choose another name")


def note_home(paths: ClusterPaths) -> None:
    paths.run.mkdir(parents=True, exist_ok=True)
    (paths.run / HOME).write_text(str(paths.home))


def _read(mark: Path) -> Path:
    return Path(mark.read_text())
