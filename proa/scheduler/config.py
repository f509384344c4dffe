"""The configuration file of a scheduler that runs as a process of its own: JSON, its members named as here."""

from dataclasses import fields
from pathlib import Path
from typing import Any

import orjson

from proa.lib.dataclass import dataclass
from proa.scheduler.watching import DEFAULT_SCHEDULER


@dataclass(frozen=True, slots=True)
class SchedulerConfig:
    """One of `socket` and `kubeconfig` says where the API is."""

    socket: str = ""
    kubeconfig: str = ""
    scheduler_name: str = DEFAULT_SCHEDULER
    leader_elect: bool = False
    log_level: str = "INFO"


def load(path: Path) -> SchedulerConfig:
    """Raises OSError, ValueError."""
    members: dict[str, Any] = orjson.loads(path.read_bytes())
    unknown = set(members) - {field.name for field in fields(SchedulerConfig)}
    if unknown:
        raise ValueError(f"{path}: unknown members: {', '.join(sorted(unknown))}")
    config = SchedulerConfig(**members)
    if bool(config.socket) == bool(config.kubeconfig):
        raise ValueError(f"{path}: give one of socket and kubeconfig")
    return config
