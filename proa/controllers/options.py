"""What the controllers are told from outside, as one plain value."""

from pathlib import Path

from proa.lib.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class ControllerOptions:
    """Durations are seconds; an empty pool means that no load-balancer address is ever given."""

    cluster_cidr: str = "10.244.0.0/16"
    node_cidr_mask: int = 24
    root_ca: str = ""
    """PEM, published in every namespace."""
    service_account_key: str = ""
    """File of the key that signs tokens which lie in Secrets; none are made without."""
    signing_certificate: Path | None = None
    """The authority (PEM) that signs approved certificate requests, and its key; None: nothing is signed."""
    signing_key: Path | None = None
    signing_duration: float = 365 * 86400.0
    """The longest life of what is signed."""
    load_balancer_pool: tuple[str, ...] = ()
    node_monitor_period: float = 5.0
    node_monitor_grace_period: float = 40.0
    node_startup_grace_period: float = 60.0
    terminated_pod_threshold: int = 12500
    cluster_name: str = "kubernetes"
