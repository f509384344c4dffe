"""The metrics of priority and fairness, under upstream's names (apiserver_flowcontrol_*). What runs and waits is read at the scrape."""

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from proa.apiserver.fairness.flow import Flow, FlowCounts, Waiter
from proa.apiserver.fairness.in_flight import kind_of
from proa.apiserver.fairness.priority_level import UTILIZATIONS, PriorityLevel
from proa.apiserver.interface import RequestInfo
from proa.lib.metrics import Counter, GaugeFunction, Histogram, Registry

PREFIX = "apiserver_flowcontrol_"
SECONDS = (0, 0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30)
LENGTHS = (0, 10, 25, 50, 100, 250, 500, 1000)
SEATS = (1, 2, 4, 10)
_FLOW = ("priority_level", "flow_schema")
_LEVEL = ("priority_level",)
Samples = Iterable[tuple[tuple[str, ...], float]]


class Levels(Protocol):
    """What is shown: the levels that there are, and the proportion of the newest allocation."""

    levels: dict[str, PriorityLevel]
    fair_fraction: float


_LEVEL_GAUGES: tuple[tuple[str, str, Callable[[PriorityLevel], float]], ...] = (
    ("nominal_limit_seats", "Nominal number of execution seats of a priority level.", lambda level: level.limits.nominal),
    ("lower_limit_seats", "Lower bound of the seats of a priority level.", lambda level: level.limits.minimum),
    ("upper_limit_seats", "Upper bound of the seats of a priority level.", lambda level: level.limits.maximum),
    ("current_limit_seats", "Present limit of the seats of a priority level.", lambda level: level.limit),
    ("demand_seats_high_watermark", "Highest demand of the newest period.", lambda level: level.demand.peak),
    ("demand_seats_average", "Average demand of the newest period.", lambda level: level.demand.average),
    ("demand_seats_stdev", "Deviation of the demand of the newest period.", lambda level: level.demand.deviation),
    ("demand_seats_smoothed", "Demand with the memory of earlier periods.", lambda level: level.demand.smoothed),
    ("target_seats", "What the level asks for in the allocation.", lambda level: level.demand.claim(level.limits).target),
    ("current_r", "Virtual time of the level's queues, in seat-seconds.", lambda level: level.fair.current_r),
)
_FLOW_GAUGES: tuple[tuple[str, str, Callable[[PriorityLevel], Iterable[tuple[Flow, int]]]], ...] = (
    ("current_inqueue_requests", "Requests that wait.", lambda level: ((each.flow, 1) for each in _waiting(level))),
    ("current_inqueue_seats", "Seats for which requests wait.", lambda level: ((each.flow, each.work.seats) for each in _waiting(level))),
    ("current_executing_requests", "Requests that run; of a watch, its initialization.",
     lambda level: ((turn.flow, 1) for turn in level.turns)),
    ("current_executing_seats", "Seats that are taken.",
     lambda level: ((turn.flow, turn.work.seats) for turn in (*level.turns, *(each[2] for each in level.lingering)))),
)  # fmt: skip


class _Folded(Histogram):
    """A histogram that is brought up to date when it is scraped."""

    def __init__(self, metrics: "FairnessMetrics", name: str, text: str, labels: Sequence[str], buckets: Sequence[float]) -> None:
        super().__init__(name, text, labels, buckets)
        self._metrics = metrics

    def samples(self) -> Iterable[str]:
        self._metrics.fold()
        return super().samples()


class _Utilization(Histogram):
    """Every nanosecond counts once, as upstream has it."""

    def __init__(self, levels: Levels) -> None:
        text = "Observations, at the end of every nanosecond, of the part of a level's seats that are taken."
        super().__init__(PREFIX + "priority_level_seat_utilization", text, ("priority_level", "phase"), UTILIZATIONS)
        self._levels = levels

    def samples(self) -> Iterable[str]:
        for name, level in self._levels.levels.items():
            level.fold_utilization()
            self.keep(level.utilization, name, "executing")
        return super().samples()


class FairnessMetrics:
    """`watch_levels` follows once there are levels."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._counts: dict[tuple[str, str], FlowCounts] = {}

        def counter(name: str, text: str, *more: str) -> Counter:
            return registry.add(Counter(PREFIX + name, text, (*_FLOW, *more)))

        def histogram(name: str, text: str, buckets: tuple[float, ...], *more: str) -> Histogram:
            return registry.add(_Folded(self, PREFIX + name, text, (*_FLOW, *more), buckets))

        self._rejected = counter("rejected_requests_total", "Requests that were turned away.", "reason")
        self._dispatched = counter("dispatched_requests_total", "Requests that were let through.")
        self._waited = histogram("request_wait_duration_seconds", "Time in a queue.", SECONDS, "execute")
        self._executed = histogram("request_execution_seconds", "Time of execution.", SECONDS, "type")
        self._lengths = histogram("request_queue_length_after_enqueue", "Length of the queue that a request found.", LENGTHS)
        self._estimated = histogram("work_estimated_seats", "Seats that requests were taken to need.", SEATS)

    def counts(self, level: str, schema: str) -> FlowCounts:
        key = level, schema
        found = self._counts.get(key)
        if found is None:
            found = self._counts[key] = FlowCounts(
                schema,
                level,
                dispatched=self._dispatched.cell(*key),
                seats_estimated=self._estimated.series(*key),
                waited=self._waited.series(*key, "true"),
                turned_away=self._waited.series(*key, "false"),
                executed=self._executed.series(*key, "regular"),
                watched=self._executed.series(*key, "watch"),
                queue_lengths=self._lengths.series(*key),
                one_seat_seconds=[],
            )
        return found

    def dispatched(self, level: str) -> int:
        """How many requests the level has let through."""
        return int(sum(counts.dispatched[0] for key, counts in self._counts.items() if key[0] == level))

    def fold(self) -> None:
        """Once per period, and before anybody looks."""
        for counts in self._counts.values():
            counts.fold()

    def rejected(self, flow: Flow, reason: str) -> None:
        self._rejected.increment(flow.counts.level, flow.counts.schema, reason)

    def watch_levels(self, levels: Levels) -> None:
        for name, text, read in _LEVEL_GAUGES:
            registered = GaugeFunction(PREFIX + name, text, _LEVEL, lambda read=read: _level_samples(levels, read))  # type: ignore[misc]
            self._registry.add(registered)
        for name, text, found in _FLOW_GAUGES:
            sampled = GaugeFunction(PREFIX + name, text, _FLOW, lambda found=found: self._flow_samples(levels, found))  # type: ignore[misc]
            self._registry.add(sampled)
        self._registry.add(_Utilization(levels))
        running = lambda: _by_kind(turn.info for level in levels.levels.values() for turn in level.turns)  # noqa: E731
        queued = lambda: _by_kind(each.info for level in levels.levels.values() for each in _waiting(level))  # noqa: E731
        self._registry.add(GaugeFunction("apiserver_current_inflight_requests", "Requests that run now.", ("request_kind",), running))
        self._registry.add(GaugeFunction("apiserver_current_inqueue_requests", "Requests that wait now.", ("request_kind",), queued))
        text = "Proportion of the targets that the newest allocation came to."
        self._registry.add(GaugeFunction(PREFIX + "seat_fair_frac", text, (), lambda: [((), levels.fair_fraction)]))

    def _flow_samples(self, levels: Levels, found: Callable[[PriorityLevel], Iterable[tuple[Flow, int]]]) -> Samples:
        amounts = dict.fromkeys(self._counts, 0)
        for level in levels.levels.values():
            for flow, amount in found(level):
                amounts[flow.counts.level, flow.counts.schema] += amount
        return amounts.items()


def _waiting(level: PriorityLevel) -> list[Waiter]:
    return [waiter for queue in level.fair.busy for waiter in queue.waiting]


def _by_kind(requests: Iterable[RequestInfo]) -> Samples:
    amounts = {"mutating": 0, "readOnly": 0}
    for info in requests:
        amounts[kind_of(info)] += 1
    return [((kind,), amount) for kind, amount in amounts.items()]


def _level_samples(levels: Levels, read: Callable[[PriorityLevel], float]) -> Samples:
    return [((name,), read(level)) for name, level in levels.levels.items()]
