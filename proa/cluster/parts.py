"""Which processes a cluster consists of, from its settings: the table that the supervisor makes true.

Control plane: the API server, and one process for scheduler, controllers and this machine's own rules; per powered and prepared node its
containerd, its agent (kubelet, proxy, pod network) and its DNS.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from proa.cluster import control_plane, node_parts
from proa.cluster.nodes import node_group
from proa.cluster.paths import ClusterPaths
from proa.cluster.settings import ClusterSettings, NodeSettings, load
from proa.cluster.supervisor import ProcessSpec

MODULES = {
    "apiserver": ("uvloop", "orjson", "proa.apiserver.main", "proa.apiserver.server", "cryptography.x509"),
    "controllers": ("proa.cluster.control_loop",),
    "agent": (
        "proa.client.rest",
        "proa.proxy.agent",
        "proa.cni.agent",
        "proa.kubelet.agent",
        "proa.kubelet.cri.containerd",
        "proa.kubelet.server.main",
    ),
    "dns": ("proa.dns.agent",),
}
"""What each part has in common with others or needs at its restart. Nothing in it may start a thread, or a fork would lose it: gRPC does so
with its first channel only, numpy when it is imported.
"""


def modules_of_nodes(paths: ClusterPaths) -> tuple[str, ...]:
    """What will be needed as soon as the nodes are prepared."""
    settings = load(paths.settings)
    return (*MODULES["agent"], *MODULES["dns"]) if settings and settings.nodes else ()


def plan(paths: ClusterPaths) -> list[ProcessSpec]:
    """What should run now; nothing without settings, and nothing before there is what it stands on."""
    settings = load(paths.settings)
    if settings is None or not paths.prepared.exists():
        return []
    specs = _control_plane(paths, settings)
    for node in settings.nodes:
        if node.powered and paths.node(node.name).prepared.exists():
            specs += _node(paths, settings, node)
    return specs


NICENESS = {"apiserver": -10, "controllers": -5}
"""Who answers everybody goes first: thirty pods that start at once are a hundred processes that want the same few cores."""


def _control_plane(paths: ClusterPaths, settings: ClusterSettings) -> list[ProcessSpec]:
    group = f"proa/{settings.name}/control-plane" if settings.nodes else ""
    runs: dict[str, Callable[[ClusterPaths, ClusterSettings], None]] = {
        "apiserver": control_plane.run_api_server,
        "controllers": control_plane.run_controllers,
    }
    return [
        ProcessSpec(name, group, _log(paths, name), partial(run, paths, settings), modules=MODULES[name], niceness=NICENESS[name])
        for name, run in runs.items()
    ]


def _node(paths: ClusterPaths, settings: ClusterSettings, node: NodeSettings) -> list[ProcessSpec]:
    group = node_group(settings.name, node.name)
    runs: dict[str, Callable[[ClusterPaths, ClusterSettings, NodeSettings], None]] = {
        "containerd": node_parts.run_containerd,
        "agent": node_parts.run_agent,
        "dns": node_parts.run_dns,
    }
    return [
        ProcessSpec(
            f"{node.name}/{name}",
            f"{group}/system",
            _log(paths, f"{node.name}-{name}"),
            partial(run, paths, settings, node),
            kill_group=group,
            modules=MODULES.get(name, ()),
        )
        for name, run in runs.items()
    ]


def _log(paths: ClusterPaths, name: str) -> Path:
    return paths.logs / f"{name}.log"
