"""What a node agent is told at its start. Every field can stand in the JSON file that `python -m proa.kubelet --config` reads.

Field names are snake_case; times are in seconds, sizes in bytes. Unknown names are refused, so that a typing error is not silently ignored.
"""

import json
from dataclasses import field, fields
from pathlib import Path
from typing import Any

from proa.api.meta import Object
from proa.lib.dataclass import dataclass


@dataclass(slots=True)
class KubeletConfiguration:
    """The configuration of one node's agent."""

    node_name: str
    node_ip: str = ""
    root_directory: str = "/var/lib/kubelet"
    pod_log_directory: str = "/var/log/pods"
    container_log_directory: str = "/var/log/containers"
    """Where links to the logs lie for collectors that look there (/var/log/containers); "" for none."""
    containerd_socket: str = "/run/containerd/containerd.sock"
    cgroup_root: str = ""
    """The cgroup below which `kubepods` is made ("proa/NAME/NODE"); "" is the root."""
    cluster_dns: list[str] = field(default_factory=list)
    cluster_domain: str = "cluster.local"
    resolv_conf: str = "/etc/resolv.conf"
    """The host's resolver configuration, for dnsPolicy Default and as the tail of ClusterFirst."""
    kubeconfig: str = ""
    """How to reach the API; one of kubeconfig or api_socket."""
    api_socket: str = ""
    kubernetes_version: str = "1.37"
    """What the node says it speaks: the API server's, which no kubelet may be ahead of."""
    max_pods: int = 110
    node_labels: dict[str, str] = field(default_factory=dict)
    register_taints: list[Object] = field(default_factory=list)
    provider_id: str = ""
    seccomp_profile_root: str = ""
    """Where Localhost seccomp profiles lie; "" is `seccomp` under the root directory."""
    allowed_unsafe_sysctls: list[str] = field(default_factory=list)
    cpu_cfs_quota: bool = True
    system_reserved: dict[str, str] = field(default_factory=dict)
    kube_reserved: dict[str, str] = field(default_factory=dict)
    capacity: dict[str, str] = field(default_factory=dict)
    """Overrides of the machine's own capacity: several nodes may share one machine."""
    oom_score_adjustment: bool = True
    """False where the agent may not lower scores (CAP_SYS_RESOURCE)."""

    port: int = 10250
    address: str = "0.0.0.0"
    tls_cert_file: str = ""
    tls_private_key_file: str = ""
    client_ca_file: str = ""

    sync_frequency: float = 60.0
    relist_period: float = 5.0
    node_status_update_frequency: float = 10.0
    node_status_report_frequency: float = 300.0
    lease_duration_seconds: int = 40
    lease_renew_period: float = 10.0

    image_pull_limit: int = 5
    """How many images are pulled at once."""
    image_gc_high_threshold_percent: int = 85
    image_gc_low_threshold_percent: int = 80
    image_minimum_gc_age: float = 120.0
    image_gc_period: float = 300.0
    container_gc_period: float = 60.0
    housekeeping_period: float = 2.0
    eviction_monitoring_period: float = 10.0
    container_log_max_size: int = 10 << 20
    container_log_max_files: int = 5
    container_log_monitor_period: float = 10.0
    eviction_memory_available: int = 100 << 20
    eviction_nodefs_available_percent: float = 10.0
    eviction_nodefs_inodes_free_percent: float = 5.0
    eviction_imagefs_available_percent: float = 15.0
    container_runtime_root: str = "/var/lib/containerd"
    """On whose file system images lie."""

    @property
    def pods_directory(self) -> Path:
        return Path(self.root_directory) / "pods"

    @property
    def seccomp_root(self) -> str:
        return self.seccomp_profile_root or f"{self.root_directory}/seccomp"

    @property
    def kubepods_cgroup(self) -> str:
        """Absolute within each hierarchy."""
        root = self.cgroup_root.strip("/")
        return f"/{root}/kubepods" if root else "/kubepods"

    def pod_directory(self, uid: str) -> Path:
        return self.pods_directory / uid


def from_dict(values: dict[str, Any]) -> KubeletConfiguration:
    """Raises ValueError for names that do not exist."""
    known = {each.name for each in fields(KubeletConfiguration)}
    if unknown := sorted(set(values) - known):
        raise ValueError(f"unknown kubelet configuration: {', '.join(unknown)}")
    if not values.get("node_name"):
        raise ValueError("kubelet configuration: node_name is required")
    return KubeletConfiguration(**values)


def load(path: str | Path) -> KubeletConfiguration:
    return from_dict(json.loads(Path(path).read_text()))
