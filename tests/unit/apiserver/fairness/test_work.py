"""How many seats a request takes."""

import pytest

from proa.apiserver.fairness.queue_choice import next_queue, shortest
from proa.apiserver.fairness.retry_after import RetryAfter
from proa.apiserver.fairness.work import ONE_SEAT, Work, is_long_running, list_work, narrowed, watch_work, work, write_work
from proa.apiserver.interface import RequestInfo
from proa.lib.http.message import Request
from tests.unit.apiserver.fairness.waiting import queue


def request(**query: str) -> Request:
    return Request("GET", "/", {name: [value] for name, value in query.items()}, {})


def info(verb: str = "list", name: str = "", subresource: str = "") -> RequestInfo:
    return RequestInfo(verb, "", True, "", "v1", "pods", subresource, "default", name)


@pytest.mark.parametrize(
    ("query", "name", "stored", "maximum", "seats"),
    [
        ({}, "", 0, 0, 1),
        ({}, "", 100, 0, 1),
        ({}, "", 101, 0, 2),
        ({}, "", 100_000, 0, 10),
        ({}, "", 100_000, 4, 4),
        ({}, "p", 100_000, 0, 1),
        ({"limit": "10"}, "", 500, 0, 5),
        ({"limit": "10", "continue": "x"}, "", 500, 0, 1),
        ({"limit": "100", "continue": "x"}, "", 500, 0, 2),
        ({"limit": "100", "continue": "x", "labelSelector": "a=b"}, "", 500, 0, 6),
        ({"limit": "100", "resourceVersion": "7"}, "", 500, 0, 2),
        ({"limit": "100", "resourceVersion": "0"}, "", 500, 0, 5),
        ({"resourceVersion": "7", "resourceVersionMatch": "Exact"}, "", 500, 0, 10),
        ({"limit": "many"}, "", 500, 0, 5),
    ],
)
def test_lists(query: dict[str, str], name: str, stored: int, maximum: int, seats: int) -> None:
    assert list_work(request(**query), info(name=name), stored, maximum).seats == seats


def test_watches_that_begin_with_what_is_there() -> None:
    assert watch_work(request(), info("watch"), 500, 0) is ONE_SEAT
    assert watch_work(request(sendInitialEvents="true"), info("watch"), 500, 0).seats == 5
    assert watch_work(request(sendInitialEvents="false"), info("watch"), 500, 0) is ONE_SEAT


@pytest.mark.parametrize(
    ("watchers", "maximum", "expected"),
    [(0, 0, ONE_SEAT), (9, 0, ONE_SEAT), (10, 0, work(1, 1, 0.005)), (25, 0, work(1, 3, 0.005)), (200, 0, work(1, 10, 0.01)),
     (200, 5, work(1, 5, 0.02))],
)  # fmt: skip
def test_writes_pay_for_their_watchers(watchers: int, maximum: int, expected: Work) -> None:
    assert write_work(request(), info("create"), watchers, maximum) == expected


def test_writes_without_an_event() -> None:
    assert write_work(request(dryRun="All"), info("create"), 100, 0) is ONE_SEAT
    assert write_work(request(), info("create", subresource="token"), 100, 0) is ONE_SEAT


def test_the_same_work_on_fewer_seats() -> None:
    assert narrowed(work(1, 10, 0.005), 5) == work(1, 5, 0.01)
    assert narrowed(work(1, 3, 0.005), 5) == work(1, 3, 0.005)


@pytest.mark.parametrize(
    ("verb", "subresource", "long"),
    [("get", "", False), ("watch", "", True), ("get", "log", True), ("create", "exec", True), ("create", "eviction", False)],
)
def test_what_is_long_running(verb: str, subresource: str, long: bool) -> None:
    assert is_long_running(info(verb, "p", subresource)) is long
    assert not is_long_running(RequestInfo("get", "/watch"))


def test_a_request_waits_in_the_shortest_queue_of_its_hand() -> None:
    queues = [queue(0, 1), queue(1, 2), queue(2), queue(3), queue(4, 1, 1)]
    assert shortest(queues, (0, 1, 4), 0) is queues[0]
    assert shortest(queues, (0, 2, 3), 0) is queues[2]
    assert shortest(queues, (0, 2, 3), 2) is queues[3], "ties rotate"


def test_the_queue_that_would_be_done_first_is_next() -> None:
    early, wide, late = queue(0, 1, start=1.0), queue(1, 9, start=1.0), queue(2, 1, start=2.0)
    assert next_queue([wide, late, early], 0, 3) is early
    twin = queue(1, 1, start=1.0)
    assert next_queue([early, twin], 0, 3) is twin, "who was served last comes last"


def test_retry_after_grows_while_many_are_turned_away_and_shrinks_again() -> None:
    after = RetryAfter()
    assert [after.turned_away(100.0) for _ in range(3)] == [1, 1, 1]
    assert after.turned_away(101.0) == 2
    for _ in range(6):
        after.turned_away(102.0)
    assert after.turned_away(103.5) == 4
    assert [after.turned_away(second) for second in (200.0, 300.0, 400.0, 500.0)] == [3, 2, 1, 1]
