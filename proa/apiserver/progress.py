"""What the stages of one request leave for the answer: warnings, the flow it belongs to, its audit record, its seat."""

from proa.apiserver.audit.record import AuditRecord
from proa.apiserver.fairness.flow import Flow
from proa.apiserver.fairness.seat import Seat


class Progress:
    """Made for each request, so what most requests never have costs them nothing: it stands here, in the class."""

    flow: Flow | None = None
    """None as long as no priority level is concerned."""
    record: AuditRecord | None = None
    """None for a request that is not audited."""
    seat: Seat | None = None
    """A watch's."""
    anonymous_failure = False
    """Nobody could be authenticated: there is only one stage to be recorded."""
    long_running = False

    def __init__(self) -> None:
        self.warnings: list[str] = []
