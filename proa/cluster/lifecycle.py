"""`proa up` and `proa down` as functions: bring the machine to what the settings say, or to where no cluster was.

Each step finds out what is there already, so `up` can be called again at any time, after a reboot too. A new cluster that can't be
completed is removed again.
"""

import os
from contextlib import nullcontext

from proa.cluster import credentials, forwarding, host_rules, kubeconfig, machine, network, nodes, readiness, supervisor_process
from proa.cluster.access import Step, is_running, locked
from proa.cluster.errors import ClusterError
from proa.cluster.paths import ClusterPaths, check_socket_path, home
from proa.cluster.removal import remove, uninterrupted
from proa.cluster.request import Request, check_port, check_unchanged, new_settings
from proa.cluster.requirements import check_machine, check_space
from proa.cluster.settings import ClusterSettings, check_name, load, load_readable, save


def bring_up(request: Request, step: Step) -> ClusterSettings:
    """Create or start the cluster; returns when the API is ready, all nodes are Ready and a service name resolves on each."""
    paths = ClusterPaths(home(), check_name(request.name))
    check_socket_path(paths.api_socket)
    with locked(paths, step):
        machine.check_home(paths)
        kubeconfig.check_user_file()
        known = load(paths.settings)
        if known is None:
            return _create(paths, request, step)
        check_unchanged(request, known)
        check_machine(known)
        if not is_running(paths):
            supervisor_process.end_leftovers(paths)
            check_port(known.api_port)
        _converge(paths, known, step)
        return known


def tear_down(name: str, step: Step = lambda _: nullcontext()) -> bool:
    """Remove every trace of the cluster; False if there was none."""
    paths = ClusterPaths(home(), check_name(name))
    machine.check_home(paths)
    if not paths.data.exists() and not paths.run.exists():
        return False
    with locked(paths, step):
        if not paths.data.exists() and not paths.run.exists():
            return False  # another command removed it while this one waited
        settings = load_readable(paths.settings)
        if settings and settings.nodes and os.geteuid() != 0:
            raise ClusterError(f"cluster {name!r} has nodes, which only root can remove; try: sudo proa down {name}")
        remove(paths, settings)
        return True


def _create(paths: ClusterPaths, request: Request, step: Step) -> ClusterSettings:
    settings = _chosen(paths, request)
    try:
        _converge(paths, settings, step)
    except BaseException:
        with uninterrupted():
            remove(paths, settings)
        raise
    return settings


def _chosen(paths: ClusterPaths, request: Request) -> ClusterSettings:
    """New settings, written down where every other command sees them."""
    with machine.choosing(paths):
        others = machine.others(paths)
        settings = new_settings(request, others, network.routed_networks())
        machine.check_namespaces(settings, others)
        check_machine(settings)
        check_space(paths.home, len(settings.nodes))
        try:
            paths.data.mkdir(parents=True, exist_ok=True, mode=0o700)
            save(settings, paths.settings)
            machine.note_home(paths)
        except BaseException:
            with uninterrupted():
                remove(paths, settings)
            raise
    return settings


def _converge(paths: ClusterPaths, settings: ClusterSettings, step: Step) -> None:
    machine.note_home(paths)
    launched = supervisor_process.launch(paths)
    if settings.nodes:
        with step("Wiring the network"):
            network.create(settings)
            forwarding.enable(paths.run.parent)
            host_rules.create(settings)
    with step("Starting the API server"):
        credentials.create_for_cluster(paths, settings)
        paths.prepared.touch()
        supervisor_process.wait_launched(paths, launched)
        supervisor_process.reload(paths)
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
