"""The states of one pod's certificate, step by step."""

import pytest

from proa.api.meta import Object
from proa.kubelet.volumes.pod_certificate import Credential, Issued, Pending, advanced, wants_request

HOUR = 3600.0
OLD = Issued(b"old key", "old chain", begin_refresh_at=12 * HOUR, not_after=24 * HOUR)
PENDING = Pending("req-1", b"key", abandon_at=13 * HOUR)


def request(*conditions: Object, **status: str) -> Object:
    return {"metadata": {"name": "req-1", "namespace": "n"}, "status": {"conditions": list(conditions), **status}}


ISSUED = request(
    {"type": "Issued", "status": "True", "reason": "Fine"},
    certificateChain="chain",
    beginRefreshAt="1970-01-02T12:00:00Z",
    notAfter="1970-01-03T00:00:00Z",
)
DENIED = request({"type": "Denied", "reason": "Policy", "message": "not you"})
FAILED = request({"type": "Failed", "reason": "Broken"})


def test_a_certificate_is_taken_with_the_key_of_its_request_and_its_refresh_is_spread() -> None:
    fresh = Credential(issued=Issued(b"key", "chain", 36 * HOUR + 7, 48 * HOUR))
    assert advanced(Credential(PENDING), ISSUED, HOUR, 7.0) == (fresh, [])
    assert advanced(Credential(PENDING, OLD, told=frozenset({"CertificateExpired"})), ISSUED, HOUR, 7.0) == (fresh, [])


@pytest.mark.parametrize("issued", [None, OLD])
def test_a_refusal_is_for_good_and_told_once(issued: Issued | None) -> None:
    state, events = advanced(Credential(PENDING, issued), DENIED, HOUR, 0.0)
    assert state.refused == 'PodCertificateRequest was permanently denied: reason="Policy" message="not you"'
    assert state.issued is None
    assert events == [("Denied", 'PodCertificateRequest n/req-1 was denied, reason="Policy", message="not you"')]
    assert advanced(state, DENIED, 100 * HOUR, 0.0) == (state, [])
    assert not wants_request(state, 100 * HOUR)
    state, events = advanced(Credential(PENDING, issued), FAILED, HOUR, 0.0)
    assert state.refused == 'PodCertificateRequest was permanently failed: reason="Broken" message=""'
    assert events == [("Failed", 'PodCertificateRequest n/req-1 failed, reason="Broken", message=""')]


@pytest.mark.parametrize("seen", [request(), None])
def test_an_unanswered_request_is_waited_for(seen: Object | None) -> None:
    waiting = Credential(PENDING)
    assert advanced(waiting, seen, 13 * HOUR, 0.0) == (waiting, [])
    assert not wants_request(waiting, 13 * HOUR)


def test_a_request_that_is_gone_for_long_is_made_again() -> None:
    state, _ = advanced(Credential(PENDING, OLD), None, 13 * HOUR + 1, 0.0)
    assert state.pending is None
    assert state.issued == OLD
    assert wants_request(state, 13 * HOUR + 1)
    waiting = Credential(PENDING)
    assert advanced(waiting, request(), 100 * HOUR, 0.0) == (waiting, [])


def test_a_request_is_made_at_first_and_when_it_is_time_to_refresh() -> None:
    assert wants_request(Credential(), 0.0)
    assert not wants_request(Credential(issued=OLD), 12 * HOUR - 1)
    assert wants_request(Credential(issued=OLD), 12 * HOUR)


def test_lateness_is_told_once() -> None:
    state = Credential(PENDING, OLD)
    assert advanced(state, request(), 12 * HOUR + 600, 0.0)[1] == []
    state, events = advanced(state, request(), 12 * HOUR + 601, 0.0)
    assert events == [("CertificateOverdueForRefresh", "PodCertificate refresh overdue")]
    assert advanced(state, request(), 13 * HOUR, 0.0)[1] == []
    state, events = advanced(state, request(), 24 * HOUR + 1, 0.0)
    assert events == [("CertificateExpired", "PodCertificate expired")]
    assert advanced(state, request(), 25 * HOUR, 0.0)[1] == []
