"""What one podCertificate source has, and what is to be done about it now. Pure: requests, keys and events are others' work.

    NEW -> WAITING -> ISSUED <-> ISSUED, and WAITING for the next one
              |                     |
              +--> REFUSED <--------+

A refusal is for good, as is its event. Nothing is kept over a restart of the node agent: everything is asked for anew then, and what was
written before stays in place meanwhile. Source: KEP-4317 and the kubelet's manager of pod certificates.
"""

from collections.abc import Iterator
from dataclasses import replace

from proa.api.meta import Object
from proa.lib.clock import parse_time
from proa.lib.dataclass import dataclass

ASSUME_DELETED = OVERDUE = 600.0
"""Seconds after which a request that was made and isn't seen was deleted, and after which a refresh is late."""
JITTER = 300.0
"""Seconds over which the requests of many pods are spread."""
NOT_ISSUED = "credential bundle is not issued yet"


@dataclass(frozen=True, slots=True)
class Pending:
    """A request that was made, and the key that it is about."""

    name: str
    key: bytes
    abandon_at: float


@dataclass(frozen=True, slots=True)
class Issued:
    key: bytes
    chain: str
    begin_refresh_at: float
    not_after: float


@dataclass(frozen=True, slots=True)
class Credential:
    """Moments are POSIX timestamps. `told` are the reasons of events about `issued` that were sent."""

    pending: Pending | None = None
    issued: Issued | None = None
    refused: str = ""
    told: frozenset[str] = frozenset()


Event = tuple[str, str]
"""(reason, message) of a warning."""


def advanced(state: Credential, request: Object | None, now: float, jitter: float) -> tuple[Credential, list[Event]]:
    """After a look at the pending request (None: not seen, or none is pending)."""
    if state.refused:
        return state, []
    if state.pending is not None:
        state, events = _after_request(state, state.pending, request, now, jitter)
        if state.refused:
            return state, events
    late = [event for event in _lateness(state, now) if event[0] not in state.told]
    return replace(state, told=state.told | {reason for reason, _ in late}), late


def wants_request(state: Credential, now: float) -> bool:
    """Whether a request is to be made now."""
    if state.refused or state.pending is not None:
        return False
    return state.issued is None or now >= state.issued.begin_refresh_at


def _after_request(
    state: Credential, pending: Pending, request: Object | None, now: float, jitter: float
) -> tuple[Credential, list[Event]]:  # fmt: skip
    if request is None:
        return (replace(state, pending=None) if now > pending.abandon_at else state), []
    place = f"{request['metadata']['namespace']}/{request['metadata']['name']}"
    status = request.get("status") or {}
    for condition in status.get("conditions") or []:
        details = f'reason="{condition.get("reason", "")}"', f'message="{condition.get("message", "")}"'
        if condition["type"] == "Denied":
            refused = f"PodCertificateRequest was permanently denied: {' '.join(details)}"
            return Credential(refused=refused), [("Denied", f"PodCertificateRequest {place} was denied, {', '.join(details)}")]
        if condition["type"] == "Failed":
            refused = f"PodCertificateRequest was permanently failed: {' '.join(details)}"
            return Credential(refused=refused), [("Failed", f"PodCertificateRequest {place} failed, {', '.join(details)}")]
        if condition["type"] == "Issued":
            refresh, end = (parse_time(status[field]).timestamp() for field in ("beginRefreshAt", "notAfter"))
            return Credential(issued=Issued(pending.key, status["certificateChain"], refresh + jitter, end)), []
    return state, []


def _lateness(state: Credential, now: float) -> Iterator[Event]:
    if state.issued is not None and now > state.issued.begin_refresh_at + OVERDUE:
        yield "CertificateOverdueForRefresh", "PodCertificate refresh overdue"
    if state.issued is not None and now > state.issued.not_after:
        yield "CertificateExpired", "PodCertificate expired"
