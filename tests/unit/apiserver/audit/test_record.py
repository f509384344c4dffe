"""What is told to the record of one request."""

from typing import Any

import pytest

from proa.apiserver.audit.policy import LEVELS, Recording
from proa.apiserver.audit.record import AuditFailed, AuditRecord, Pending
from proa.lib.http.message import Response


class Sink:
    def __init__(self, *, broken: bool = False) -> None:
        self.events: list[dict[str, Any]] = []
        self._broken = broken

    def now(self) -> str:
        return "later"

    def emit(self, event: dict[str, Any]) -> Pending:
        if self._broken:
            raise AuditFailed("full")
        self.events.append(dict(event))
        return None


def record(sink: Sink, level: str = "Metadata", *omitted: str) -> AuditRecord:
    recording = Recording(LEVELS[level], level, frozenset(omitted), False)
    return AuditRecord(sink, recording, {"auditID": "1", "requestReceivedTimestamp": "now"}, long_running=False)


@pytest.mark.parametrize(("level", "told"), [("Metadata", {"a": "1"}), ("Request", {"a": "1", "patch.webhook.admission.k8s.io/x": "p"})])
def test_annotations(level: str, told: dict[str, str]) -> None:
    sink = Sink()
    made = record(sink, level, "RequestReceived")
    for key, value in (("a", "1"), ("a", "2"), ("patch.webhook.admission.k8s.io/x", "p")):
        made.annotate(key, value)
    made.received()
    made.answered(Response(200), None)
    (event,) = sink.events
    assert (event["stage"], event["stageTimestamp"], event["annotations"]) == ("ResponseComplete", "later", told)


def test_only_the_first_stage_can_fail_a_request() -> None:
    made = record(Sink(broken=True))
    with pytest.raises(AuditFailed):
        made.received()
    assert made.answered(Response(200), None) is None
