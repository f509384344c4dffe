"""/debug/api_priority_and_fairness/: what levels, queues and requests are doing now, as the tables that upstream prints."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from proa.apiserver.fairness.configuration import Configuration
from proa.apiserver.fairness.flow import Flow, Queue
from proa.apiserver.fairness.metrics import FairnessMetrics
from proa.apiserver.fairness.priority_level import PriorityLevel
from proa.apiserver.fairness.work import Work
from proa.apiserver.interface import RequestInfo, User
from proa.lib.clock import Clock
from proa.lib.http.message import Request, Response

PREFIX = "/debug/api_priority_and_fairness"
MINIMUM_WIDTH = 8
_LEVELS = (
    "PriorityLevelName", "ActiveQueues", "IsIdle", "IsQuiescing", "WaitingRequests", "ExecutingRequests", "DispatchedRequests",
    "RejectedRequests", "TimedoutRequests", "CancelledRequests",
)  # fmt: skip
_QUEUES = (
    "PriorityLevelName", "Index", "PendingRequests", "ExecutingRequests", "SeatsInUse", "NextDispatchR", "InitialSeatsSum", "MaxSeatsSum",
    "TotalWorkSum",
)  # fmt: skip
_REQUESTS = (
    "PriorityLevelName", "FlowSchemaName", "QueueIndex", "RequestIndexInQueue", "FlowDistingsher", "ArriveTime", "InitialSeats",
    "FinalSeats", "AdditionalLatency", "StartTime",
)  # fmt: skip
_DETAILS = ("UserName", "Verb", "APIPath", "Namespace", "Name", "APIVersion", "Resource", "SubResource")
_NEVER = "0001-01-01T00:00:00Z"
Row = Sequence[str]


class Dumps:
    """A subtree of paths."""

    def __init__(self, configuration: Configuration, metrics: FairnessMetrics, clock: Clock) -> None:
        self._configuration, self._metrics, self._clock = configuration, metrics, clock

    def forget(self) -> None:
        """Nothing here depends on the set of resources."""

    def __call__(self, request: Request, path: str) -> Response | None:
        levels = [level for _, level in sorted(self._configuration.levels.items())]
        if path == f"{PREFIX}/dump_priority_levels":
            return _answer([_LEVELS, *(_level_row(level, self._metrics.dispatched(level.name)) for level in levels)])
        if path == f"{PREFIX}/dump_queues":
            return _answer([_QUEUES, *(row for level in levels for row in _queue_rows(level))])
        if path == f"{PREFIX}/dump_requests":
            detailed = bool(request.parameter("includeRequestDetails"))
            head = (*_REQUESTS, *_DETAILS) if detailed else _REQUESTS
            return _answer([head, *(row for level in levels for row in self._request_rows(level, detailed=detailed))])
        return None

    def _request_rows(self, level: PriorityLevel, *, detailed: bool) -> Iterable[Row]:
        for turn in sorted(level.turns, key=lambda each: each.started):
            place = turn.queue.index if turn.queue is not None else -1
            row = self._row(turn.flow, place, -1, turn.work, turn.started - turn.waited, self._moment(turn.started))
            yield (*row, *_details(turn.user, turn.info)) if detailed else row
        for queue in sorted(level.fair.busy, key=lambda each: each.index):
            for index, waiter in enumerate(queue.waiting):
                row = self._row(waiter.flow, queue.index, index, waiter.work, waiter.arrived, _NEVER)
                yield (*row, *_details(waiter.user, waiter.info)) if detailed else row

    def _row(self, flow: Flow, queue: int, index: int, work: Work, arrived: float, started: str) -> Row:
        latency = f"{work.latency * 1000:g}ms" if work.latency else "0s"
        return (
            flow.level.name, flow.schema, str(queue), str(index), flow.distinguisher, self._moment(arrived), str(work.initial),
            str(work.final), latency, started,
        )  # fmt: skip

    def _moment(self, monotonic: float) -> str:
        """A reading of the monotonic clock as a time of day."""
        seconds = self._clock.now().timestamp() - (self._clock.monotonic() - monotonic)
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _level_row(level: PriorityLevel, dispatched: int) -> Row:
    active, tally = len(level.fair.busy), level.tally
    numbers = (level.fair.waiting, len(level.turns), dispatched, tally.rejected, tally.timed_out, tally.cancelled)
    return level.name, str(active), _boolean(level.is_idle), _boolean(level.quiescing), *map(str, numbers)


def _queue_rows(level: PriorityLevel) -> Iterable[Row]:
    if not level.fair.queues:
        return [(level.name, *("<none>",) * (len(_QUEUES) - 1))]
    return [_queue_row(level, queue) for queue in level.fair.queues]


def _queue_row(level: PriorityLevel, queue: Queue) -> Row:
    initial = sum(waiter.work.initial for waiter in queue.waiting)
    most = sum(waiter.work.seats for waiter in queue.waiting)
    counts = (queue.index, len(queue.waiting), queue.executing, queue.seats)
    return level.name, *map(str, counts), _seat_seconds(queue.next_dispatch_r), str(initial), str(most), _seat_seconds(queue.work)


def _details(user: User, info: RequestInfo) -> Row:
    version = f"{info.group}/{info.version}" if info.group else info.version
    return user.name, info.verb, info.path, info.namespace, info.name, version, info.resource, info.subresource


def _seat_seconds(amount: float) -> str:
    return f"{amount:.8f}ss"


def _boolean(value: bool) -> str:
    return "true" if value else "false"


def _answer(rows: Sequence[Row]) -> Response:
    return Response(200, {"content-type": "text/plain; charset=utf-8"}, aligned(rows).encode())


def aligned(rows: Sequence[Row]) -> str:
    """Every cell but the last of a row ends with a comma and is as wide as its column."""
    widths = [max(MINIMUM_WIDTH, max(len(row[column]) for row in rows) + 2) for column in range(len(rows[0]) - 1)]
    lines = ("".join(f"{cell},".ljust(width) for cell, width in zip(row[:-1], widths, strict=True)) + row[-1] for row in rows)
    return "\n".join(lines) + "\n"
