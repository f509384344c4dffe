"""The certificates of a cluster: one authority (and one for front proxies), and a credential for each part under upstream's user names.

Everything is made once, renewed when two thirds of its life are over, and kept in files of mode 0600.
"""

from collections.abc import Sequence
from pathlib import Path

from proa.cluster import kubeconfig
from proa.cluster.paths import ClusterPaths, NodePaths
from proa.cluster.settings import ClusterSettings, Network, NodeSettings
from proa.lib.dataclass import dataclass
from proa.lib.pki import CertificateAuthority, load_or_create_private_key, needs_renewal, write_file


@dataclass(frozen=True, slots=True)
class Credential:
    """What a certificate says and where it is kept (`NAME.crt`, `NAME.key`)."""

    name: str
    common_name: str
    organizations: tuple[str, ...] = ()
    dns_names: tuple[str, ...] = ()
    ip_addresses: tuple[str, ...] = ()
    server: bool = False
    client: bool = False


def api_server_credential(settings: ClusterSettings) -> Credential:
    """Valid for every name under which pods, nodes and this machine reach the API."""
    names = ("kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local", "localhost")
    addresses = ("127.0.0.1", "::1", settings.control_plane_address, str(Network(settings.service_cidr)[1]))
    return Credential("apiserver", "kube-apiserver", dns_names=names, ip_addresses=addresses, server=True)


CONTROL_PLANE = (
    Credential("admin", "kubernetes-admin", ("system:masters",), client=True),
    Credential("apiserver-kubelet-client", "kube-apiserver-kubelet-client", ("system:masters",), client=True),
)


FRONT_PROXY = Credential("front-proxy-client", "front-proxy-client", client=True)
"""What the API server shows to extension API servers. Of an authority of its own: a certificate of the cluster's would be a user's."""
FRONT_PROXY_AUTHORITY = "front-proxy-ca"


def node_credentials(settings: ClusterSettings, node: NodeSettings) -> tuple[Credential, ...]:
    """The kubelet's client and serving certificates, and one each for the proxy and DNS of the node."""
    address = settings.node_address(node)
    return (
        Credential("kubelet", f"system:node:{node.name}", ("system:nodes",), client=True),
        Credential("kubelet-server", f"system:node:{node.name}", ("system:nodes",), (node.name,), (address, "127.0.0.1"), server=True),
        Credential("kube-proxy", "system:kube-proxy", client=True),
        Credential("dns", "system:serviceaccount:kube-system:coredns", ("system:serviceaccounts",), client=True),
    )


def create_for_cluster(paths: ClusterPaths, settings: ClusterSettings) -> None:
    """Authorities, API server, front proxy, administrator; the service-account key; admin.kubeconfig."""
    authority = CertificateAuthority.load_or_create(paths.pki, "ca")
    _issue(authority, paths.pki, (api_server_credential(settings), *CONTROL_PLANE))
    _issue(CertificateAuthority.load_or_create(paths.pki, FRONT_PROXY_AUTHORITY), paths.pki, (FRONT_PROXY,))
    load_or_create_private_key(paths.pki / "service-account.key")
    kubeconfig.write_private(paths.admin_kubeconfig, admin_kubeconfig(paths, settings))


def create_for_node(paths: NodePaths, settings: ClusterSettings, node: NodeSettings) -> None:
    authority = CertificateAuthority.load_or_create(paths.cluster.pki, "ca")
    _issue(authority, paths.credentials, node_credentials(settings, node))
    write_file(paths.credentials / "ca.crt", (paths.cluster.pki / "ca.crt").read_bytes())


def admin_kubeconfig(paths: ClusterPaths, settings: ClusterSettings) -> kubeconfig.Config:
    ca, certificate, key = ((paths.pki / name).read_bytes() for name in ("ca.crt", "admin.crt", "admin.key"))
    return kubeconfig.make(settings.context, f"https://127.0.0.1:{settings.api_port}", ca, certificate, key)


def _issue(authority: CertificateAuthority, directory: Path, credentials: Sequence[Credential]) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    for credential in credentials:
        certificate, key = directory / f"{credential.name}.crt", directory / f"{credential.name}.key"
        if certificate.exists() and key.exists() and not needs_renewal(certificate.read_bytes()):
            continue
        issued = authority.issue(
            credential.common_name,
            organizations=credential.organizations,
            dns_names=credential.dns_names,
            ip_addresses=credential.ip_addresses,
            server=credential.server,
            client=credential.client,
        )
        write_file(certificate, issued[0])
        write_file(key, issued[1])
