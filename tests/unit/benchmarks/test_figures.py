"""What the benchmarks make of raw numbers."""

import pytest

from benchmarks.figures import Figure, line, percentile, table
from benchmarks.wrk import Outcome, duration, parse

REPORT = """Running 3s test @ https://127.0.0.1:1
  Latency Distribution
     50%    2.10ms
     75%    3.00ms
     90%    4.00ms
     99%  750.00us
  4500 requests in 3.00s, 9.00MB read
  Non-2xx or 3xx responses: 7
Requests/sec:   1500.25
Transfer/sec:      3.00MB
"""


@pytest.mark.parametrize(("share", "expected"), [(0.5, 3), (0.9, 5), (0.2, 1), (0.21, 2), (1.0, 5)])
def test_a_percentile_is_one_of_the_values(share: float, expected: float) -> None:
    assert percentile([5, 3, 1, 4, 2], share) == expected


@pytest.mark.parametrize(("text", "seconds"), [("1.50ms", 0.0015), ("20us", 2e-05), ("2.00s", 2.0), ("1.00m", 60.0)])
def test_durations_of_wrk(text: str, seconds: float) -> None:
    assert duration(text) == pytest.approx(seconds)


def test_a_report_of_wrk() -> None:
    assert parse(REPORT) == Outcome(1500.25, 4500, 7, 2.10 * 1e-3, 750.00 * 1e-6, "3.00MB", 0.0)


def test_a_figure_as_line_and_row() -> None:
    figure = Figure("creates", 3160.4, "/s", ">= 3,440", "1,720", "best of 3")
    assert line(figure) == "  creates: 3,160 /s  (target >= 3,440; reference 1,720; best of 3)"
    assert table([figure]).splitlines()[-1] == "| creates | 3,160 /s | >= 3,440 | 1,720 | best of 3 |"
