"""What a user asked `proa up` for, turned into settings: new ones, or the existing ones if they say the same."""

import socket
from collections.abc import Sequence

from proa.cluster.errors import ClusterError
from proa.cluster.settings import DEFAULT_API_PORT, ClusterSettings, Network, check_name, choose_networks
from proa.lib.dataclass import dataclass

DEFAULT_NODES = 2
DEFAULT_KUBERNETES_VERSION = "1.37"
SUPPORTED_VERSIONS = tuple(f"1.{minor}" for minor in range(25, 38))


@dataclass(frozen=True, slots=True)
class Request:
    """None means: whatever the cluster has, or the default."""

    name: str
    nodes: int | None = None
    pod_network_cidr: str | None = None
    service_cidr: str | None = None
    api_port: int | None = None
    kubernetes_version: str | None = None
    kube_apiserver_args: tuple[str, ...] = ()
    """None of them means what None means elsewhere."""


def check_unchanged(request: Request, settings: ClusterSettings) -> None:
    """A running cluster can't be given other settings by `up`."""
    asked: dict[str, tuple[object, object]] = {
        "--nodes": (request.nodes, len(settings.nodes)),
        "--pod-network-cidr": (request.pod_network_cidr, settings.pod_network_cidr),
        "--service-cidr": (request.service_cidr, settings.service_cidr),
        "--api-port": (request.api_port, settings.api_port),
        "--kubernetes-version": (_minor(request.kubernetes_version), settings.kubernetes_version),
        "--kube-apiserver-arg": (" ".join(_arguments(request)) or None, " ".join(settings.kube_apiserver_args)),
    }
    for option, (wanted, actual) in asked.items():
        if wanted is not None and wanted != actual:
            remedy = "`proa node add` and `proa node remove` change that" if option == "--nodes" else f"`proa down {settings.name}` first"
            raise ClusterError(f"cluster {settings.name!r} exists with {option} {actual}, not {wanted}; {remedy}")


def new_settings(request: Request, others: Sequence[ClusterSettings], taken: Sequence[Network]) -> ClusterSettings:
    """Settings for a new cluster beside `others`; `taken` are networks that this machine has routes to."""
    check_name(request.name)
    version = _minor(request.kubernetes_version) or DEFAULT_KUBERNETES_VERSION
    if version not in SUPPORTED_VERSIONS:
        raise ClusterError(f"--kubernetes-version {request.kubernetes_version} is not one of {', '.join(SUPPORTED_VERSIONS)}")
    in_use = [*taken]
    for other in others:
        in_use += [Network(other.pod_network_cidr), Network(other.service_cidr), Network(other.node_network)]
    pods, services, nodes = choose_networks(request.pod_network_cidr, request.service_cidr, in_use)
    port = _choose_port(request.api_port, others)
    settings = ClusterSettings(
        request.name, port, str(pods), str(services), str(nodes), version, kube_apiserver_args=_arguments(request)
    )  # fmt: skip
    for _ in range(DEFAULT_NODES if request.nodes is None else request.nodes):
        settings = settings.with_node(settings.new_node())
    return settings


def _arguments(request: Request) -> tuple[str, ...]:
    from proa.apiserver.flags import settled

    try:
        return settled(request.kube_apiserver_args)
    except ValueError as error:
        raise ClusterError(f"--kube-apiserver-arg: {error}") from None


def _minor(version: str | None) -> str | None:
    return None if version is None else ".".join(version.removeprefix("v").split(".")[:2])


def _choose_port(wanted: int | None, others: Sequence[ClusterSettings]) -> int:
    reserved = {other.api_port for other in others}
    if wanted is not None:
        if wanted in reserved:
            raise ClusterError(f"port {wanted} on 127.0.0.1 is another cluster's; choose another with --api-port")
        if not _is_free(wanted):
            raise ClusterError(f"port {wanted} on 127.0.0.1 is taken; choose another with --api-port")
        return wanted
    for port in range(DEFAULT_API_PORT, DEFAULT_API_PORT + 500):
        if port not in reserved and _is_free(port):
            return port
    raise ClusterError("no free port found for the API server; give one with --api-port")


def check_port(port: int) -> None:
    """Of a cluster that is to be started again."""
    if not _is_free(port):
        raise ClusterError(f"port {port} on 127.0.0.1, which is the cluster's, is taken by another program; stop that one first")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except PermissionError as error:
            raise ClusterError(f"port {port} is for root only; choose one above 1023 with --api-port") from error
        except OSError:
            return False
    return True
