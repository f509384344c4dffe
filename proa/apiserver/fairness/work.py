"""How much of the server one request takes: seats while it runs, and seats that stay taken a little while for the watchers of a write.

Source: KEP-1040, "Width of the Request", and the API server's work estimator: one seat for a hundred objects of a list, one for ten
watchers who get the event of a write. A dry run and a TokenRequest make no event.
"""

import math

from proa.apiserver.interface import RequestInfo
from proa.apiserver.request_info import is_true
from proa.lib.dataclass import dataclass
from proa.lib.http.message import Request

OBJECTS_PER_SEAT = 100
WATCHERS_PER_SEAT = 10
EVENT_SECONDS = 0.005
SEATS_LIMIT = 10
SERVICE_SECONDS = 0.003
"""What a request is taken to last until it is known."""
LONG_RUNNING_VERBS = frozenset({"watch", "proxy"})
LONG_RUNNING_SUBRESOURCES = frozenset({"attach", "exec", "proxy", "log", "portforward"})


@dataclass(frozen=True, slots=True)
class Work:
    """`initial` seats while it runs, `final` ones for `latency` seconds more. `seats` are taken all the time; `total` is seat-seconds."""

    initial: int = 1
    final: int = 0
    latency: float = 0.0
    seats: int = 1
    total: float = SERVICE_SECONDS


ONE_SEAT = Work()


def work(initial: int, final: int = 0, latency: float = 0.0) -> Work:
    return Work(initial, final, latency, max(initial, final), initial * SERVICE_SECONDS + final * latency)


def is_long_running(info: RequestInfo) -> bool:
    return info.is_resource and (info.verb in LONG_RUNNING_VERBS or info.subresource in LONG_RUNNING_SUBRESOURCES)


def list_work(request: Request, info: RequestInfo, stored: int, maximum: int) -> Work:
    """Of a list, or of a watch that begins with what is there. `stored` counts the resource's objects in all namespaces."""
    seats = math.ceil(_objects(request, info, stored) / OBJECTS_PER_SEAT)
    return work(max(1, min(seats, _bounded(maximum))))


def _objects(request: Request, info: RequestInfo, stored: int) -> int:
    if info.name:
        return 1
    limit = _number(request.parameter("limit"))
    page = limit if 0 < limit < stored else stored
    if info.verb == "watch" or not _reads_history(request, limit):
        return stored
    selects = request.parameter("labelSelector") or request.parameter("fieldSelector")
    return stored + page if selects else 2 * page


def _reads_history(request: Request, limit: int) -> bool:
    """A page that is continued and a list of one moment are not answered from the newest state."""
    if request.parameter("continue") or request.parameter("resourceVersionMatch") == "Exact":
        return True
    exact = request.parameter("resourceVersion") not in ("", "0") and not request.parameter("resourceVersionMatch")
    return bool(limit) and exact


def write_work(request: Request, info: RequestInfo, watchers: int, maximum: int) -> Work:
    """`watchers` get the event if there is one."""
    if watchers < WATCHERS_PER_SEAT or info.subresource == "token" or "dryRun" in request.query:
        return ONE_SEAT
    wanted = math.ceil(watchers / WATCHERS_PER_SEAT)
    final = min(wanted, _bounded(maximum))
    return work(1, final, EVENT_SECONDS * wanted / final)


def watch_work(request: Request, info: RequestInfo, stored: int, maximum: int) -> Work:
    initial = "sendInitialEvents" in request.query and is_true(request.query, "sendInitialEvents")
    return list_work(request, info, stored, maximum) if initial else ONE_SEAT


def narrowed(asked: Work, limit: int) -> Work:
    """The same amount of work on no more seats than there are."""
    if asked.final <= limit or not limit:
        return asked
    return work(asked.initial, limit, asked.final * asked.latency / limit)


def _bounded(maximum: int) -> int:
    return min(maximum, SEATS_LIMIT) if maximum else SEATS_LIMIT


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() else 0
