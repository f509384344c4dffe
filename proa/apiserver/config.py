"""Everything that the API server is told from outside, as one plain value."""

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ApiServerConfig:
    """Paths point to PEM files. `listen` holds (host, port) pairs that serve TLS; `unix_socket` (mode 0600) serves the control plane's own
    parts, who state who they are (X-Remote-User, X-Remote-Group), as only root can open it."""

    data_directory: Path
    listen: tuple[tuple[str, int], ...]
    unix_socket: Path | None
    certificate: Path
    private_key: Path
    client_ca: Path
    service_account_key: Path
    """Private key (PEM, ECDSA P-256 or RSA) that signs service-account tokens."""
    kubelet_client_certificate: Path | None = None
    kubelet_client_key: Path | None = None
    proxy_client_certificate: Path | None = None
    """Who this server is to extension API servers and webhooks: a certificate of `requestheader_client_ca`."""
    proxy_client_key: Path | None = None
    requestheader_client_ca: Path | None = None
    """The authority of front proxies: whoever has a certificate of it may say in headers who asks. None: nobody may."""
    requestheader_allowed_names: tuple[str, ...] = ()
    """Common names of front proxies; empty for every name."""
    requestheader_username_headers: tuple[str, ...] = ("X-Remote-User",)
    requestheader_group_headers: tuple[str, ...] = ("X-Remote-Group",)
    requestheader_uid_headers: tuple[str, ...] = ("X-Remote-Uid",)
    requestheader_extra_headers_prefix: tuple[str, ...] = ("X-Remote-Extra-",)
    advertise_address: str = "127.0.0.1"
    """The address behind the `kubernetes` Service."""
    advertise_port: int = 6443
    service_cidr: str = "10.96.0.0/16"
    node_port_range: tuple[int, int] = (30000, 32767)
    cluster_domain: str = "cluster.local"
    issuer: str = "https://kubernetes.default.svc.cluster.local"
    api_audiences: tuple[str, ...] = ("https://kubernetes.default.svc.cluster.local",)
    kubernetes_version: str = "1.37"
    storage: str = "sqlite"
    """sqlite or memory."""
    compaction_interval: float = 300.0
    runtime_config: dict[str, bool] = field(default_factory=dict)
    enable_admission_plugins: tuple[str, ...] = ()
    """Beside those that are on by default."""
    disable_admission_plugins: tuple[str, ...] = ()
    feature_gates: dict[str, bool] = field(default_factory=dict)
    """Upstream's feature gates that differ from their defaults; those that this server heeds are in flags.py."""
