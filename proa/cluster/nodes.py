"""Nodes of a running cluster: preparing them, and adding, removing, powering off and starting one."""

import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace

from proa.cluster import (
    cgroup,
    containerd,
    credentials,
    forwarding,
    host_rules,
    machine,
    network,
    node_root,
    readiness,
    supervisor_process,
)
from proa.cluster.access import Step, existing, locked, running
from proa.cluster.node_images import import_archive, pause_archive
from proa.cluster.paths import ClusterPaths, NodePaths
from proa.cluster.removal import uninterrupted
from proa.cluster.requirements import check_machine
from proa.cluster.settings import ClusterSettings, NodeSettings, save


def node_group(cluster: str, node: str) -> str:
    """The cgroup that holds all of a node: its agents in `system`, its pods in `kubepods`."""
    return f"proa/{cluster}/{node}"


def prepare(paths: ClusterPaths, settings: ClusterSettings) -> None:
    """Make what each powered node needs before its processes start: network, root, certificates, configuration."""
    node_root.make_pinnable(paths.run)
    powered = [node for node in settings.nodes if node.powered]
    with ThreadPoolExecutor(max_workers=4) as pool:
        for _ in pool.map(lambda node: _prepare_node(paths.node(node.name), settings, node), powered):
            pass


def _prepare_node(paths: NodePaths, settings: ClusterSettings, node: NodeSettings) -> None:
    network.create_node(settings, node)
    credentials.create_for_node(paths, settings, node)
    node_root.create(paths, settings.dns_address)
    containerd.write_configuration(paths)
    paths.prepared.touch()


def import_pause_image(paths: ClusterPaths, nodes: Sequence[NodeSettings]) -> None:
    archive = pause_archive(paths)
    for node in nodes:
        readiness.wait_for_containerd(paths.node(node.name))
    import_archive(paths, [node.name for node in nodes], archive, unless_present=containerd.PAUSE_IMAGE)


def add_node(cluster: str, name: str, step: Step) -> str:
    """Returns its name. A node that does not come up is removed again."""
    with _held(cluster, step) as (paths, settings):
        node = settings.new_node(name)
        grown = settings.with_node(node)
        check_machine(grown)
        machine.check_namespaces(grown, machine.others(paths))
        save(grown, paths.settings)
        try:
            _boot(paths, grown, node, step)
        except BaseException:
            with uninterrupted():
                _remove(paths, grown, node.name)
            raise
    return node.name


def start_node(cluster: str, name: str, step: Step) -> None:
    with _held(cluster, step, name) as (paths, settings):
        node = replace(settings.node(name), powered=True)
        save(settings.with_node(node), paths.settings)
        _boot(paths, settings.with_node(node), node, step)


def stop_node(cluster: str, name: str, step: Step) -> bool:
    """False if it was off already."""
    with _held(cluster, step, name) as (paths, settings):
        node = settings.node(name)
        save(settings.with_node(replace(node, powered=False)), paths.settings)
        _power_off(paths, settings, name)
    return node.powered


def remove_node(cluster: str, name: str, step: Step) -> None:
    with _held(cluster, step, name) as (paths, settings):
        _remove(paths, settings, name)


@contextmanager
def _held(cluster: str, step: Step, node: str = "") -> Iterator[tuple[ClusterPaths, ClusterSettings]]:
    """A running cluster that no other command changes; its settings, with that node, are read once that is so."""
    paths, settings = existing(cluster)
    if node:
        settings.node(node)
    with locked(paths, step):
        paths, settings = running(cluster)
        if node:
            check_machine(settings)
        yield paths, settings


def _remove(paths: ClusterPaths, settings: ClusterSettings, name: str) -> None:
    save(settings.without_node(name), paths.settings)
    _power_off(paths, settings, name)
    readiness.delete_node(paths, settings, name)
    for folder in (paths.node(name).data, paths.node(name).run):
        shutil.rmtree(folder, ignore_errors=True)


def _boot(paths: ClusterPaths, settings: ClusterSettings, node: NodeSettings, step: Step) -> None:
    with step(f"Starting node {node.name}"):
        network.create(settings)
        forwarding.enable(paths.run.parent)
        host_rules.create(settings)
        prepare(paths, settings)
        supervisor_process.reload(paths)
        readiness.wait_for_api(paths, settings)
        import_pause_image(paths, [node])
        readiness.wait_for_nodes(paths, settings, [node.name])
        readiness.wait_for_names(settings, [node])


def _power_off(paths: ClusterPaths, settings: ClusterSettings, name: str) -> None:
    """The supervisor kills all that is in the node's cgroup at once; then goes what a machine without power has not: its memory."""
    supervisor_process.reload(paths)
    group = node_group(settings.name, name)
    readiness.wait_until_off(paths, name)
    cgroup.kill(group)
    node_root.destroy(paths.node(name))
    network.destroy_node(settings.name, name)
    cgroup.remove(group)
