"""The text format of metrics, whole."""

import pytest

from proa.lib.metrics import Counter, Gauge, GaugeFunction, Histogram, Registry


def test_all_kinds_render_in_the_text_format() -> None:
    registry = Registry()
    counter = registry.add(Counter("requests_total", "Requests.", ("verb", "code")))
    gauge = registry.add(Gauge("watchers", "Watchers."))
    histogram = registry.add(Histogram("seconds", "Time.", ("verb",), (0.5, 1)))
    registry.add(GaugeFunction("objects", "Objects.", ("resource",), lambda: [(("pods",), 3)]))
    counter.increment("GET", "200")
    counter.increment("GET", "200", by=2)
    counter.increment('a"\\\n', "500")
    gauge.set(4)
    gauge.increment(by=-1)
    for amount in (0.1, 0.5, 0.75, 9):
        histogram.observe(amount, "GET")
    assert (
        registry.render().decode()
        == """\
# HELP requests_total Requests.
# TYPE requests_total counter
requests_total{verb="GET",code="200"} 3
requests_total{verb="a\\"\\\\\\n",code="500"} 1
# HELP watchers Watchers.
# TYPE watchers gauge
watchers 3
# HELP seconds Time.
# TYPE seconds histogram
seconds_bucket{verb="GET",le="0.5"} 2
seconds_bucket{verb="GET",le="1"} 3
seconds_bucket{verb="GET",le="+Inf"} 4
seconds_sum{verb="GET"} 10.35
seconds_count{verb="GET"} 4
# HELP objects Objects.
# TYPE objects gauge
objects{resource="pods"} 3
"""
    )


def test_a_name_is_registered_once() -> None:
    registry = Registry()
    registry.add(Gauge("one", ""))
    with pytest.raises(ValueError, match="metric one is registered twice"):
        registry.add(Counter("one", ""))
