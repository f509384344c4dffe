"""What upstream's --audit-* flags say, as fields of the API server's configuration, with upstream's defaults."""

from pathlib import Path

from proa.lib.dataclass import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditOptions:
    """Without a policy file nothing is audited. Sizes of batches in events, of truncation in bytes; times in seconds."""

    audit_policy_file: Path | None = None
    audit_log_path: Path | None = None
    """A file, or "-" for standard output."""
    audit_log_format: str = "json"
    """json or legacy."""
    audit_log_version: str = "audit.k8s.io/v1"
    """The only one that there is any more."""
    audit_log_maxage: int = 0
    """Days; 0 keeps old files whatever their age."""
    audit_log_maxbackup: int = 0
    """Files; 0 keeps all."""
    audit_log_maxsize: int = 100
    """Megabytes after which a new file is begun."""
    audit_log_compress: bool = False
    audit_log_mode: str = "blocking"
    """batch, blocking or blocking-strict."""
    audit_log_batch_buffer_size: int = 10_000
    audit_log_batch_max_size: int = 1
    audit_log_batch_max_wait: float = 0.0
    audit_log_batch_throttle_enable: bool = False
    audit_log_batch_throttle_qps: float = 0.0
    audit_log_batch_throttle_burst: int = 0
    audit_log_truncate_enabled: bool = False
    audit_log_truncate_max_batch_size: int = 10 * 1024 * 1024
    audit_log_truncate_max_event_size: int = 100 * 1024
    audit_webhook_config_file: Path | None = None
    """A kubeconfig; its current context is where events go."""
    audit_webhook_version: str = "audit.k8s.io/v1"
    audit_webhook_initial_backoff: float = 10.0
    audit_webhook_mode: str = "batch"
    audit_webhook_batch_buffer_size: int = 10_000
    audit_webhook_batch_max_size: int = 400
    audit_webhook_batch_max_wait: float = 30.0
    audit_webhook_batch_throttle_enable: bool = True
    audit_webhook_batch_throttle_qps: float = 10.0
    audit_webhook_batch_throttle_burst: int = 15
    audit_webhook_truncate_enabled: bool = False
    audit_webhook_truncate_max_batch_size: int = 10 * 1024 * 1024
    audit_webhook_truncate_max_event_size: int = 100 * 1024
