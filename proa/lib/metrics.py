"""Counters, gauges and histograms in the Prometheus text format: a dict access and an addition per observation, all formatting at scrape.

Label values are given positionally, in the order of `labels`; a series exists from its first use.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol, TypeVar

Labels = tuple[str, ...]

DURATION_BUCKETS = (0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60)


class Metric(Protocol):
    name: str
    help: str
    kind: str

    def samples(self) -> Iterable[str]: ...


MetricType = TypeVar("MetricType", bound=Metric)


class _Family:
    kind = ""

    def __init__(self, name: str, help_: str, labels: Sequence[str] = ()) -> None:
        self.name = name
        self.help = help_
        self.labels = tuple(labels)


class Counter(_Family):
    kind = "counter"

    def __init__(self, name: str, help_: str, labels: Sequence[str] = ()) -> None:
        super().__init__(name, help_, labels)
        self._values: dict[Labels, list[float]] = {}

    def cell(self, *labels: str) -> list[float]:
        """The one-element list that holds a series: what the busiest callers keep and add to."""
        found = self._values.get(labels)
        if found is None:
            found = self._values[labels] = [0]
        return found

    def increment(self, *labels: str, by: float = 1) -> None:
        self.cell(*labels)[0] += by

    def value(self, *labels: str) -> float:
        return self._values[labels][0] if labels in self._values else 0

    def samples(self) -> Iterable[str]:
        for values, cell in self._values.items():
            yield f"{self.name}{_label_text(self.labels, values)} {_number(cell[0])}"


class Gauge(Counter):
    kind = "gauge"

    def set(self, amount: float, *labels: str) -> None:
        self.cell(*labels)[0] = amount


class GaugeFunction(_Family):
    """A gauge whose values are asked for at scrape: pairs of label values and amount."""

    kind = "gauge"

    def __init__(self, name: str, help_: str, labels: Sequence[str], read: Callable[[], Iterable[tuple[Labels, float]]]) -> None:
        super().__init__(name, help_, labels)
        self._read = read

    def samples(self) -> Iterable[str]:
        for values, amount in self._read():
            yield f"{self.name}{_label_text(self.labels, values)} {_number(amount)}"


class Series:
    """One series of a histogram."""

    __slots__ = ("_bounds", "counts", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def observe(self, amount: float) -> None:
        self.counts[bisect_left(self._bounds, amount)] += 1
        self.total += amount

    def observe_for(self, amount: float, times: int) -> None:
        """The same amount so many times."""
        self.counts[bisect_left(self._bounds, amount)] += times
        self.total += amount * times


class Histogram(_Family):
    kind = "histogram"

    def __init__(self, name: str, help_: str, labels: Sequence[str] = (), buckets: Sequence[float] = DURATION_BUCKETS) -> None:
        super().__init__(name, help_, labels)
        self._bounds = tuple(buckets)
        self._series: dict[Labels, Series] = {}

    def series(self, *labels: str) -> Series:
        found = self._series.get(labels)
        if found is None:
            found = self._series[labels] = Series(self._bounds)
        return found

    def keep(self, series: Series, *labels: str) -> None:
        """Show what somebody else counts."""
        self._series[labels] = series

    def observe(self, amount: float, *labels: str) -> None:
        self.series(*labels).observe(amount)

    def samples(self) -> Iterable[str]:
        for values, series in self._series.items():
            seen = 0
            for bound, count in zip((*self._bounds, float("inf")), series.counts, strict=True):
                seen += count
                edge = "+Inf" if bound == float("inf") else _number(bound)
                yield f"{self.name}_bucket{_label_text((*self.labels, 'le'), (*values, edge))} {seen}"
            yield f"{self.name}_sum{_label_text(self.labels, values)} {_number(series.total)}"
            yield f"{self.name}_count{_label_text(self.labels, values)} {seen}"


class Registry:
    """What one process shows at /metrics."""

    def __init__(self) -> None:
        self._metrics: dict[str, Metric] = {}

    def add(self, metric: MetricType) -> MetricType:
        if metric.name in self._metrics:
            raise ValueError(f"metric {metric.name} is registered twice")
        self._metrics[metric.name] = metric
        return metric

    def render(self) -> bytes:
        lines: list[str] = []
        for metric in self._metrics.values():
            lines += (f"# HELP {metric.name} {metric.help}", f"# TYPE {metric.name} {metric.kind}")
            lines.extend(metric.samples())
        return ("\n".join(lines) + "\n").encode()


def _number(amount: float) -> str:
    return str(int(amount)) if amount == int(amount) and abs(amount) < 1e15 else repr(amount)


def _label_text(names: Sequence[str], values: Sequence[str]) -> str:
    if not names:
        return ""
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in zip(names, values, strict=True)) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
