"""Audit as the pipeline sees it: a record for each request that the policy wants, and the backends that take its events."""

from collections.abc import Awaitable, Sequence
from datetime import timedelta
from typing import Any

from proa.apiserver.audit.backend import Backend
from proa.apiserver.audit.event import new_event
from proa.apiserver.audit.policy import Policy
from proa.apiserver.audit.record import AuditRecord, Pending
from proa.apiserver.interface import RequestInfo, User
from proa.lib.clock import Clock
from proa.lib.dataclass import dataclass
from proa.lib.http.message import Request
from proa.lib.metrics import Counter, Registry


@dataclass(slots=True)
class AuditMetrics:
    """Under upstream's names."""

    events: list[float]
    levels: Counter
    rejected: list[float]
    errors: Counter

    @classmethod
    def of(cls, registry: Registry) -> "AuditMetrics":
        return cls(
            registry.add(Counter("apiserver_audit_event_total", "Audit events made.")).cell(),
            registry.add(Counter("apiserver_audit_level_total", "Requests by the level of their audit.", ("level",))),
            registry.add(Counter("apiserver_audit_requests_rejected_total", "Requests that failed as they could not be audited.")).cell(),
            registry.add(Counter("apiserver_audit_error_total", "Audit events that were lost, by backend.", ("plugin",))),
        )


class Auditor:
    """The `Sink` of all records."""

    def __init__(self, policy: Policy, backends: Sequence[Backend], clock: Clock, metrics: AuditMetrics) -> None:
        self._policy, self._backends, self._clock, self.metrics = policy, backends, clock, metrics
        self._second = self._next = clock.now()
        self._prefix = ""
        """The second from the one to the other as text: most events share it with the one before."""
        self._only = backends[0] if len(backends) == 1 else None
        self._levels = {name: metrics.levels.cell(name) for name in ("None", "Metadata", "Request", "RequestResponse")}

    def record(self, audit_id: str, user: User | None, request: Request, info: RequestInfo, *, long_running: bool) -> AuditRecord | None:
        """None if the policy wants nothing of it."""
        recording = self._policy.decide(user, info)
        self._levels[recording.level_name][0] += 1
        if not recording.level:
            return None
        event = new_event(audit_id, recording, user, request, info, self.now())
        return AuditRecord(self, recording, event, long_running=long_running)

    def now(self) -> str:
        now = self._clock.now()
        if not self._second <= now < self._next:
            self._second = now.replace(microsecond=0)
            self._next = self._second + timedelta(seconds=1)
            self._prefix = self._second.strftime("%Y-%m-%dT%H:%M:%S.")
        return f"{self._prefix}{now.microsecond:06d}Z"

    def emit(self, event: dict[str, Any]) -> Pending:
        self.metrics.events[0] += 1
        if self._only is not None:
            return self._only.take(event)
        pending = [each for each in [backend.take(event) for backend in self._backends] if each is not None]
        return _all(pending) if pending else None

    def start(self) -> None:
        for backend in self._backends:
            backend.start()

    async def stop(self) -> None:
        for backend in self._backends:
            await backend.stop()


async def _all(pending: Sequence[Awaitable[None]]) -> None:
    for each in pending:
        await each
