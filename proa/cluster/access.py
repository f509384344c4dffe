"""Finding a cluster by its name, and holding it while a command changes it."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress

from proa.cluster import file_lock, supervisor_process
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
        raise ClusterError(f"there is no cluster {name!r}; create it: {_command('up', name)}")
    return paths, settings


def running(name: str) -> tuple[ClusterPaths, ClusterSettings]:
    """The same, of a cluster that runs."""
    paths, settings = existing(name)
    if not is_running(paths):
        raise ClusterError(f"cluster {name!r} is stopped; start it: {_command('up', name)}")
    return paths, settings


def is_running(paths: ClusterPaths) -> bool:
    return supervisor_process.pid(paths) != 0


@contextmanager
def locked(paths: ClusterPaths, step: Step) -> Iterator[None]:
    """One command at a time for each cluster."""
    try:
        with file_lock.locked(paths.lock, lambda: step(f"Waiting for another command on cluster {paths.name}")):
            yield
    finally:
        with suppress(OSError):
            paths.home.rmdir()


def _command(verb: str, name: str) -> str:
    return f"proa {verb}" if name == "proa" else f"proa {verb} {name}"
