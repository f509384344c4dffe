"""Everything that the API server is told from outside, as one plain value."""

from dataclasses import field
from pathlib import Path

from proa.apiserver.audit.options import AuditOptions
from proa.lib.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class ApiServerConfig(AuditOptions):
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
    """One range, or one of each family joined by a comma; the first one's family is the default."""
    node_port_range: tuple[int, int] = (30000, 32767)
    cluster_domain: str = "cluster.local"
    issuer: str = "https://kubernetes.default.svc.cluster.local"
    """What new service-account tokens name as their issuer."""
    accepted_issuers: tuple[str, ...] = ()
    """Other issuers whose tokens, signed with one of the keys below, count as well."""
    api_audiences: tuple[str, ...] = ()
    """Whom tokens for this API server are made for; the issuers if empty."""
    service_account_key_files: tuple[Path, ...] = ()
    """Public (or private) keys that verify service-account tokens, beside `service_account_key`."""
    service_account_max_token_expiration: float = 0.0
    """Seconds that no requested token outlives; 0 for no limit."""
    service_account_extend_token_expiration: bool = True
    """Whether the tokens that pods mount live for a year, so that clients which never read them again go on working."""
    service_account_jwks_uri: str = ""
    """Where the keys are published, if not by this server."""
    anonymous_auth: bool = True
    """Whether requests without credentials are those of system:anonymous; else they are refused."""
    authentication_config: Path | None = None
    """AuthenticationConfiguration: external issuers, and who may be anonymous where. Read again when it changes."""
    token_auth_file: Path | None = None
    """Static tokens: token,user,uid,"group1,group2"."""
    enable_bootstrap_token_auth: bool = True
    """Whether Secrets of type bootstrap.kubernetes.io/token let nodes in."""
    authentication_token_webhook_config: Path | None = None
    """Kubeconfig of a service that knows tokens."""
    authentication_token_webhook_version: str = "v1"
    """Of the TokenReview that it is sent: v1 or v1beta1."""
    authentication_token_webhook_cache_ttl: float = 120.0
    oidc_issuer_url: str = ""
    """One external issuer, for whoever does not need more than these options say."""
    oidc_client_id: str = ""
    oidc_username_claim: str = "sub"
    oidc_username_prefix: str = ""
    """"" is the issuer's URL and #, except before e-mail addresses; - is none."""
    oidc_groups_claim: str = ""
    oidc_groups_prefix: str = ""
    oidc_required_claims: dict[str, str] = field(default_factory=dict)
    oidc_signing_algs: tuple[str, ...] = ("RS256",)
    oidc_ca: Path | None = None
    authorization_mode: tuple[str, ...] = ("Node", "RBAC")
    """Who is asked, in this order: Node, RBAC, Webhook, AlwaysAllow, AlwaysDeny."""
    authorization_config: Path | None = None
    """AuthorizationConfiguration, instead of the mode and of a webhook's options. Read again when it changes."""
    authorization_webhook_config: Path | None = None
    """Kubeconfig of a service that decides."""
    authorization_webhook_version: str = "v1"
    """Of the SubjectAccessReview that it is sent: v1 or v1beta1."""
    authorization_webhook_cache_authorized_ttl: float = 300.0
    authorization_webhook_cache_unauthorized_ttl: float = 30.0
    kubernetes_version: str = "1.37"
    storage: str = "sqlite"
    """sqlite or memory."""
    compaction_interval: float = 300.0
    max_requests_inflight: int = 400
    max_mutating_requests_inflight: int = 200
    """With priority and fairness, the sum of both is what the priority levels share; without, each is a limit. 0: no limit."""
    enable_priority_and_fairness: bool = True
    request_timeout: float = 60.0
    """Seconds after which a request is given up, long-running ones left out."""
    min_request_timeout: float = 1800.0
    """Seconds that a watch lasts at least if the client does not say how long."""
    runtime_config: dict[str, bool] = field(default_factory=dict)
    enable_admission_plugins: tuple[str, ...] = ()
    """Beside those that are on by default."""
    disable_admission_plugins: tuple[str, ...] = ()
    admission_control_config_file: Path | None = None
    """An AdmissionConfiguration: settings of PodSecurity, ResourceQuota, EventRateLimit, webhooks and others."""
    feature_gates: dict[str, bool] = field(default_factory=dict)
    """Upstream's feature gates that differ from their defaults; those that this server heeds are in flags.py."""

    @property
    def audiences(self) -> tuple[str, ...]:
        """`api_audiences` as they hold."""
        return self.api_audiences or self.issuers

    @property
    def issuers(self) -> tuple[str, ...]:
        return (self.issuer, *self.accepted_issuers)

    @property
    def service_cidrs(self) -> tuple[str, ...]:
        return tuple(each.strip() for each in self.service_cidr.split(","))
