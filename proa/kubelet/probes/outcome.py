"""How single probe results become a state: thresholds in a row. Pure."""

from typing import Literal

from proa.api.meta import Object
from proa.lib.dataclass import dataclass

ProbeType = Literal["startup", "liveness", "readiness"]
FIELDS: tuple[tuple[ProbeType, str], ...] = (
    ("startup", "startupProbe"), ("liveness", "livenessProbe"), ("readiness", "readinessProbe"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Outcome:
    """One probe's result. A `warning` is a success that deserves an event; an `unknown` changes nothing."""

    success: bool
    message: str = ""
    warning: bool = False
    unknown: bool = False


@dataclass(frozen=True, slots=True)
class ProbeRun:
    """How often in a row the last result was seen, and the state that follows."""

    healthy: bool
    last: bool | None = None
    in_a_row: int = 0


def initial(kind: ProbeType) -> ProbeRun:
    """Unready and unstarted until proven; alive until disproven."""
    return ProbeRun(kind == "liveness")


def observed(run: ProbeRun, success: bool, probe: Object) -> ProbeRun:
    in_a_row = run.in_a_row + 1 if run.last is success else 1
    threshold = int(probe.get("successThreshold") or 1) if success else int(probe.get("failureThreshold") or 3)
    return ProbeRun(success if in_a_row >= threshold else run.healthy, success, in_a_row)
