"""What a cluster is meant to be: its settings file, and the choice of addresses that overlap with nothing else on this machine.

The file is the desired state. Commands change it, then the supervisor and the node set-up make it true.
"""

import ipaddress
import json
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, field, replace
from pathlib import Path

from proa.cluster.errors import ClusterError
from proa.lib.dataclass import dataclass

DEFAULT_NAME = "proa"
DEFAULT_API_PORT = 6443
RESERVED_NODE_NAMES = ("control-plane", "switch")
Network = ipaddress.IPv4Network


@dataclass(frozen=True, slots=True)
class NodeSettings:
    """`index` gives the node its address; `powered` is what `proa node stop` and `start` switch."""

    name: str
    index: int
    powered: bool = True


@dataclass(frozen=True, slots=True)
class ClusterSettings:
    """One cluster. Addresses of the node network: .1 is the control plane, nodes follow, the upper quarter is the load-balancer pool."""

    name: str
    api_port: int
    pod_network_cidr: str
    service_cidr: str
    node_network: str
    kubernetes_version: str
    nodes: tuple[NodeSettings, ...] = field(default_factory=tuple)
    kube_apiserver_args: tuple[str, ...] = ()
    """NAME=VALUE each, by upstream's names."""

    @property
    def control_plane_address(self) -> str:
        return str(Network(self.node_network)[1])

    @property
    def load_balancer_pool(self) -> str:
        return str(list(Network(self.node_network).subnets(prefixlen_diff=2))[3])

    @property
    def dns_address(self) -> str:
        return str(Network(self.service_cidr)[10])

    @property
    def context(self) -> str:
        """The kubeconfig context: `proa`, else `proa-NAME`."""
        return context_name(self.name)

    def node_address(self, node: NodeSettings) -> str:
        return str(Network(self.node_network)[node.index + 1])

    def node(self, name: str) -> NodeSettings:
        for node in self.nodes:
            if node.name == name:
                return node
        raise ClusterError(f"cluster {self.name!r} has no node {name!r}; it has {', '.join(n.name for n in self.nodes) or 'none'}")

    def with_node(self, changed: NodeSettings) -> "ClusterSettings":
        """A copy in which that node is added or replaced."""
        others = [node for node in self.nodes if node.name != changed.name]
        return replace(self, nodes=tuple(sorted([*others, changed], key=lambda node: node.index)))

    def without_node(self, name: str) -> "ClusterSettings":
        return replace(self, nodes=tuple(node for node in self.nodes if node.name != name))

    def new_node(self, name: str = "") -> NodeSettings:
        """The next node; its name is `NAME-node-N` unless given."""
        used = {node.index for node in self.nodes}
        index = next(i for i in range(1, 1000) if i not in used)
        if index > Network(self.node_network).num_addresses * 3 // 4 - 3:
            raise ClusterError(f"the node network {self.node_network} has no address left for another node")
        chosen = name or f"{self.name}-node-{index}"
        if any(node.name == chosen for node in self.nodes):
            raise ClusterError(f"cluster {self.name!r} already has a node {chosen!r}; choose another name, or none")
        if chosen in RESERVED_NODE_NAMES:
            raise ClusterError(f"no node can be called {chosen!r}, which is a part of each cluster; choose another name")
        return NodeSettings(check_name(chosen, "node"), index)


def context_name(cluster: str) -> str:
    return DEFAULT_NAME if cluster == DEFAULT_NAME else f"proa-{cluster}"


def check_name(name: str, what: str = "cluster") -> str:
    """Names become host names, cgroups and file names."""
    if not re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,30}[a-z0-9])?", name):
        raise ClusterError(
            f"{what} name {name!r} must be 1 to 32 lower-case letters, digits or '-', and start and end with a letter or digit"
        )
    return name


def parse_cidr(text: str, option: str, largest_prefix: int) -> Network:
    """An IPv4 network from a command line; `largest_prefix` is the smallest network that is of use."""
    try:
        network = Network(text)
    except ValueError as error:
        raise ClusterError(f"{option} {text!r} is not an IPv4 network: {error}") from error
    if network.prefixlen > largest_prefix:
        raise ClusterError(f"{option} {text!r} is too small, it must be /{largest_prefix} or larger")
    return network


def overlap(candidate: Network, taken: Iterable[Network]) -> Network | None:
    """The first taken network that shares an address with the candidate."""
    return next((other for other in taken if candidate.overlaps(other)), None)


def choose_network(option: str, wanted: str | None, candidates: Iterable[str], taken: Sequence[Network], largest_prefix: int) -> Network:
    """The wanted network if it is free, else the first free candidate."""
    if wanted is not None:
        network = parse_cidr(wanted, option, largest_prefix)
        if clash := overlap(network, taken):
            raise ClusterError(f"{option} {wanted} overlaps with {clash}, which this machine or another cluster uses; choose another")
        return network
    for text in candidates:
        if not overlap(Network(text), taken):
            return Network(text)
    raise ClusterError(f"no free network found for {option}; give one")


def choose_networks(pods: str | None, services: str | None, taken: Sequence[Network]) -> tuple[Network, Network, Network]:
    """(pod, service, node) networks that overlap neither with `taken` nor with each other."""
    explicit = [Network(text) for text in (pods, services) if text is not None and _is_network(text)]
    pod_network = choose_network(
        "--pod-network-cidr", pods, (f"10.{244 - i}.0.0/16" for i in range(60)), taken if pods else [*taken, *explicit], 22
    )
    in_use = [*taken, pod_network]
    service_network = choose_network("--service-cidr", services, (f"10.{96 + i}.0.0/16" for i in range(60)), in_use, 24)
    node_network = choose_network("node network", None, (f"172.30.{i}.0/24" for i in range(256)), [*in_use, service_network], 24)
    return pod_network, service_network, node_network


def _is_network(text: str) -> bool:
    try:
        Network(text)
    except ValueError:
        return False
    return True


def load(path: Path) -> ClusterSettings | None:
    """The settings of a cluster, None if there is no such cluster."""
    try:
        text = path.read_text()
    except FileNotFoundError:
        return None
    try:
        raw = json.loads(text)
        nodes = tuple(NodeSettings(**node) for node in raw.pop("nodes"))
        arguments = tuple(raw.pop("kube_apiserver_args", ()))
        return _checked(ClusterSettings(**raw, nodes=nodes, kube_apiserver_args=arguments))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        name = path.parent.name
        remedy = f"mend it, or remove the cluster: proa down {name}"
        raise ClusterError(f"{path} does not describe a cluster ({_reason(error)}); {remedy}") from error


def _checked(settings: ClusterSettings) -> ClusterSettings:
    """Raises ValueError for what only a hand can have written."""
    for cidr in (settings.pod_network_cidr, settings.service_cidr, settings.node_network):
        Network(cidr)
    if not isinstance(settings.api_port, int) or any(not isinstance(node.index, int) for node in settings.nodes):
        raise ValueError("ports and indexes are numbers")
    return settings


def _reason(error: Exception) -> str:
    return f"no {error}" if isinstance(error, KeyError) else str(error)


def load_readable(path: Path) -> ClusterSettings | None:
    """The same for a look around: None too if the file is of no use."""
    try:
        return load(path)
    except (ClusterError, OSError):
        return None


def save(settings: ClusterSettings, path: Path) -> None:
    """Replace the file whole, so that a reader never sees half of it."""
    temporary = path.with_suffix(".new")
    temporary.write_text(json.dumps(asdict(settings), indent=2) + "\n")
    temporary.chmod(0o600)
    os.replace(temporary, path)


def load_all(home: Path) -> list[ClusterSettings]:
    """Every cluster under this home whose settings can be read, by name."""
    found = (load_readable(path) for path in sorted(home.glob("*/cluster.json")))
    return [settings for settings in found if settings is not None]


def cluster_names(home: Path) -> list[str]:
    """Every cluster under this home, readable or not."""
    folders = home.iterdir() if home.is_dir() else ()
    return sorted(folder.name for folder in folders if not folder.name.startswith(".") and _has_settings(folder))


def _has_settings(folder: Path) -> bool:
    try:
        (folder / "cluster.json").stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except PermissionError:
        pass
    return True
