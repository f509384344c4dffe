"""Queues with requests in them, for tests."""

from typing import Any, cast

from proa.apiserver.fairness.flow import Queue, Waiter
from proa.apiserver.fairness.work import work
from proa.apiserver.interface import RequestInfo, User

NOTHING = cast(Any, None)


def queue(index: int, *seats: int, start: float = 0.0) -> Queue:
    made = Queue(index, next_dispatch_r=start)
    for each in seats:
        made.waiting.append(Waiter(NOTHING, work(each), made, 0.0, 0.0, 0.0, User("a"), RequestInfo("get", "/"), NOTHING))
    return made
