"""`proa up` and `proa down` as functions: bring the machine to what the settings say, or to where no cluster was.

Each step finds out what is there already, so `up` can be called again at any time, after a reboot too. A new cluster that can't be
completed is removed again.
"""

import os
import shutil
from contextlib import suppress

from proa.cluster import cgroup, credentials, forwarding, host_rules, kubeconfig, network, node_root, nodes, readiness, supervisor_process
from proa.cluster.access import Step, locked
from proa.cluster.errors import ClusterError
from proa.cluster.paths import ClusterPaths, home
from proa.cluster.request import Request, check_unchanged, new_settings
from proa.cluster.requirements import check_machine
from proa.cluster.settings import ClusterSettings, check_name, load, load_all, save


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


def _create(paths: ClusterPaths, settings: ClusterSettings) -> None:
    paths.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    save(settings, paths.settings)


def _converge(paths: ClusterPaths, settings: ClusterSettings, step: Step) -> None:
    paths.run.mkdir(parents=True, exist_ok=True)
    if settings.nodes:
        with step("Wiring the network"):
            network.create(settings)
            forwarding.enable(paths.home)
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
    forwarding.restore(paths.home)
    for directory in (paths.run.parent, paths.home):
        with suppress(OSError):
            directory.rmdir()
