"""`proa up` and `proa down` as functions: bring the machine to what the settings say, or to where no cluster was.

Each step finds out what is there already, so `up` can be called again at any time, after a reboot too. A new cluster that can't be
completed is removed again.
"""

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress

from proa.cluster import cgroup, credentials, host_rules, kubeconfig, network, node_root, nodes, readiness, supervisor_process
from proa.cluster.errors import ClusterError
from proa.cluster.paths import ClusterPaths, home
from proa.cluster.request import Request, check_unchanged, new_settings
from proa.cluster.settings import ClusterSettings, check_name, load, load_all, save

PACKAGES = {"containerd": "containerd", "runc": "runc", "nft": "nftables", "unshare": "util-linux", "busybox": "busybox-static"}
"""The Debian package of each program that nodes need."""
Step = Callable[[str], AbstractContextManager[None]]


def existing(name: str) -> tuple[ClusterPaths, ClusterSettings]:
    """The cluster of that name, or a clear error."""
    paths = ClusterPaths(home(), check_name(name))
    settings = load(paths.settings)
    if settings is None:
        raise ClusterError(f"there is no cluster {name!r}; create it: proa up{'' if name == 'proa' else ' ' + name}")
    return paths, settings


def is_running(paths: ClusterPaths) -> bool:
    return supervisor_process.pid(paths) != 0


def bring_up(request: Request, step: Step) -> ClusterSettings:
    """Create or start the cluster; returns when the API is ready, all nodes are Ready and a service name resolves on each."""
    paths = ClusterPaths(home(), check_name(request.name))
    with locked(paths):
        known = load(paths.settings)
        if known is not None:
            check_unchanged(request, known)
            check_machine(known)
            _converge(paths, known, step)
            return known
        settings = new_settings(request, load_all(paths.home), network.routed_networks())
        check_machine(settings)
        try:
            _create(paths, settings)
            _converge(paths, settings, step)
        except BaseException:
            _remove(paths, settings)
            raise
        return settings


def tear_down(name: str) -> bool:
    """Remove every trace of the cluster; False if there was none."""
    paths = ClusterPaths(home(), check_name(name))
    if not paths.data.exists():
        return False
    with locked(paths):
        settings = load(paths.settings)
        if settings is None:
            shutil.rmtree(paths.data, ignore_errors=True)
            return False
        if settings.nodes and os.geteuid() != 0:
            raise ClusterError(f"cluster {name!r} has nodes, which only root can remove; try: sudo proa down {name}")
        _remove(paths, settings)
        return True


def check_machine(settings: ClusterSettings) -> None:
    """Fail before anything is made if nodes can't run here."""
    if not settings.nodes:
        return
    if os.geteuid() != 0:
        raise ClusterError("nodes need root: run with sudo, or ask for --nodes 0")
    missing = sorted({package for binary, package in PACKAGES.items() if not shutil.which(binary)})
    if not any(os.path.exists(f"{directory}/ptp") for directory in ("/usr/lib/cni", "/opt/cni/bin")):
        missing.append("containernetworking-plugins")
    if missing:
        raise ClusterError(f"missing on this machine: {', '.join(missing)}; install with: apt-get install {' '.join(missing)}")


def _create(paths: ClusterPaths, settings: ClusterSettings) -> None:
    paths.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    save(settings, paths.settings)


def _converge(paths: ClusterPaths, settings: ClusterSettings, step: Step) -> None:
    paths.run.mkdir(parents=True, exist_ok=True)
    if settings.nodes:
        with step("Wiring the network"):
            network.create(settings)
            host_rules.create(settings)
    with step("Starting the API server"):
        credentials.create_for_cluster(paths, settings)
        supervisor_process.start(paths)
        if settings.nodes:
            nodes.prepare(paths, settings)
            supervisor_process.reload(paths)
        readiness.wait_for_api(paths, settings)
    if powered := [node for node in settings.nodes if node.powered]:
        with step(f"Starting {len(powered)} nodes" if len(powered) > 1 else "Starting 1 node"):
            nodes.import_pause_image(paths, powered)
            readiness.wait_for_nodes(paths, settings, [node.name for node in powered])
        with step("Resolving a service name on each node"):
            readiness.wait_for_names(settings, powered)
    kubeconfig.merge_into_user_file(credentials.admin_kubeconfig(paths, settings))


def _remove(paths: ClusterPaths, settings: ClusterSettings) -> None:
    supervisor_process.stop(paths)
    if settings.nodes or os.geteuid() == 0:
        group = f"proa/{settings.name}"
        cgroup.kill(group)
        for node in settings.nodes:
            node_root.destroy(paths.node(node.name))
        host_rules.destroy(settings)
        network.destroy(settings)
        node_root.release(paths.run)
        cgroup.remove(group)
        cgroup.remove_if_empty("proa")
    kubeconfig.remove_from_user_file(settings.context)
    for directory in (paths.run, paths.data):
        shutil.rmtree(directory)
    for directory in (paths.run.parent, paths.home):
        with suppress(OSError):
            directory.rmdir()


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
