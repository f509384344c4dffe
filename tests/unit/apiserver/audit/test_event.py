"""What an event says of a request."""

import pytest

from proa.apiserver.audit.event import legacy_line, new_event, source_addresses, without_managed_fields
from proa.apiserver.audit.policy import Recording
from proa.apiserver.audit.record import attempted
from proa.apiserver.interface import RequestInfo, User
from proa.lib.http.message import Request


def request(peer: str = "10.0.0.1:4711", **headers: str) -> Request:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request("GET", "/api/v1/pods", {}, named, b"", "/api/v1/pods", "limit=1", peer)


@pytest.mark.parametrize(
    ("peer", "headers", "addresses"),
    [
        ("10.0.0.1:4711", {}, ["10.0.0.1"]),
        ("[fd00::1]:4711", {}, ["fd00::1"]),
        ("fd00::1:4711", {}, ["fd00::1"]),
        ("unix", {}, []),
        ("10.0.0.1:1", {"x_forwarded_for": "1.2.3.4, nonsense, 5.6.7.8"}, ["1.2.3.4", "5.6.7.8", "10.0.0.1"]),
        ("10.0.0.1:1", {"x_forwarded_for": "1.2.3.4,10.0.0.1"}, ["1.2.3.4", "10.0.0.1"]),
        ("10.0.0.1:1", {"x_real_ip": "9.9.9.9"}, ["9.9.9.9", "10.0.0.1"]),
        ("10.0.0.1:1", {"x_forwarded_for": "9.9.9.9", "x_real_ip": "9.9.9.9"}, ["9.9.9.9", "10.0.0.1"]),
    ],
)
def test_where_a_request_comes_from(peer: str, headers: dict[str, str], addresses: list[str]) -> None:
    assert source_addresses(request(peer, **headers)) == addresses


def test_legacy_lines() -> None:
    info = RequestInfo("list", "/api/v1/pods", True, "", "v1", "pods", namespace="default")
    recording = Recording(1, "Metadata", frozenset(), False)
    asked = request(user_agent="curl/8")
    event = new_event("id", recording, User("alice", ("a", "b")), asked, info, "2030-01-01T00:00:00.000000Z")
    assert legacy_line(event) == (
        '2030-01-01T00:00:00.000000Z AUDIT: id="id" stage="RequestReceived" ip="10.0.0.1" method="list" user="alice" '
        'groups="\\"a\\",\\"b\\"" as="<self>" asgroups="<lookup>" user-agent="curl/8" namespace="default" uri="/api/v1/pods?limit=1" '
        'response="<deferred>"'
    )
    event["responseStatus"] = {"code": 200}
    event["impersonatedUser"] = {"username": "bob", "groups": ["c"]}
    line = legacy_line(event)
    assert 'as="bob" asgroups="\\"c\\""' in line
    assert line.endswith('response="200"')


def test_long_agents_are_cut() -> None:
    recording = Recording(1, "Metadata", frozenset(), False)
    event = new_event("id", recording, None, request(user_agent="x" * 2000), RequestInfo("get", "/"), "")
    assert event["userAgent"] == "x" * 1024 + "...TRUNCATED"


def test_managed_fields_are_left_out_everywhere() -> None:
    def obj(**more: object) -> dict[str, object]:
        return {"metadata": {"name": "a", **more}}

    managed = obj(managedFields=[{}])
    assert without_managed_fields(managed) == obj()
    assert without_managed_fields({"items": [managed]}) == {"items": [obj()]}
    table = {"kind": "Table", "rows": [{"cells": [], "object": managed}]}
    assert without_managed_fields(table) == {"kind": "Table", "rows": [{"cells": [], "object": obj()}]}
    assert managed == obj(managedFields=[{}])


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ({}, "Authentication failed, no credentials provided"),
        ({"authorization": "Bearer x"}, "Authentication failed, attempted: bearer"),
        ({"authorization": "Basic x"}, "Authentication failed, attempted: basic"),
    ],
)
def test_how_somebody_tried_to_authenticate(headers: dict[str, str], words: str) -> None:
    assert attempted(request(**headers)) == words
