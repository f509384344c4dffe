"""Finding a cluster by its name, and holding it while a command changes it."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress

from proa.cluster import supervisor_process
from proa.cluster.errors import ClusterError
from proa.cluster.paths import ClusterPaths, home
from proa.cluster.settings import ClusterSettings, check_name, load

Step = Callable[[str], AbstractContextManager[None]]
"""`with step("Starting ..."): ...` tells the user what goes on."""


def existing(name: str) -> tuple[ClusterPaths, ClusterSettings]:
    """The cluster of that name, or a clear error."""
    paths = ClusterPaths(home(), check_name(name))
    settings = load(paths.settings)
    if settings is None:
        raise ClusterError(f"there is no cluster {name!r}; create it: proa up{'' if name == 'proa' else ' ' + name}")
    return paths, settings


def is_running(paths: ClusterPaths) -> bool:
    return supervisor_process.pid(paths) != 0


@contextmanager
def locked(paths: ClusterPaths) -> Iterator[None]:
    """One command at a time for each cluster."""
    try:
        paths.home.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(paths.lock, os.O_RDWR | os.O_CREAT, 0o600)
    except PermissionError as error:
        raise ClusterError(f"{paths.home} can't be written: run as root, or set PROA_HOME to a folder of yours") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        paths.lock.unlink(missing_ok=True)
        os.close(descriptor)
        with suppress(OSError):
            paths.home.rmdir()
