"""The configuration file of a controller manager that runs as a process of its own: JSON, its members named as here."""

from dataclasses import fields
from pathlib import Path
from typing import Any

import orjson

from proa.controllers.options import ControllerOptions
from proa.lib.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class ManagerConfig:
    """One of `socket` and `kubeconfig` says where the API is. With a kubeconfig, every controller acts as its user."""

    socket: str = ""
    kubeconfig: str = ""
    cluster_cidr: str = "10.244.0.0/16"
    node_cidr_mask: int = 24
    root_ca_file: str = ""
    service_account_private_key_file: str = ""
    cluster_signing_cert_file: str = ""
    cluster_signing_key_file: str = ""
    cluster_signing_duration: float = 365 * 86400.0
    node_monitor_grace_period: float = 40.0
    leader_elect: bool = False
    log_level: str = "INFO"

    def options(self) -> ControllerOptions:
        """Raises OSError if the root certificate can't be read."""
        return ControllerOptions(
            cluster_cidr=self.cluster_cidr,
            node_cidr_mask=self.node_cidr_mask,
            service_account_key=self.service_account_private_key_file,
            root_ca=Path(self.root_ca_file).read_text() if self.root_ca_file else "",
            signing_certificate=Path(self.cluster_signing_cert_file) if self.cluster_signing_cert_file else None,
            signing_key=Path(self.cluster_signing_key_file) if self.cluster_signing_key_file else None,
            signing_duration=self.cluster_signing_duration,
            node_monitor_grace_period=self.node_monitor_grace_period,
        )


def load(path: Path) -> ManagerConfig:
    """Raises OSError, ValueError."""
    members: dict[str, Any] = orjson.loads(path.read_bytes())
    unknown = set(members) - {field.name for field in fields(ManagerConfig)}
    if unknown:
        raise ValueError(f"{path}: unknown members: {', '.join(sorted(unknown))}")
    config = ManagerConfig(**members)
    if bool(config.socket) == bool(config.kubeconfig):
        raise ValueError(f"{path}: give one of socket and kubeconfig")
    if bool(config.cluster_signing_cert_file) != bool(config.cluster_signing_key_file):
        raise ValueError(f"{path}: give cluster_signing_cert_file and cluster_signing_key_file together")
    return config
