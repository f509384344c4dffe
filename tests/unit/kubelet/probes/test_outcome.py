"""Thresholds."""

import pytest

from proa.kubelet.probes.outcome import ProbeType, initial, observed


@pytest.mark.parametrize(
    ("kind", "results", "probe", "expected"),
    [
        ("liveness", "FFF", {}, "TTF"),
        ("liveness", "FFSFF", {}, "TTTTT"),
        ("liveness", "FFFS", {}, "TTFT"),
        ("readiness", "FSF", {"failureThreshold": 1}, "FTF"),
        ("readiness", "SSF", {"successThreshold": 2}, "FTT"),
        ("readiness", "SFSS", {"successThreshold": 2, "failureThreshold": 1}, "FFFT"),
        ("startup", "FFS", {"failureThreshold": 30}, "FFT"),
    ],
)
def test_results_in_a_row_make_a_state(kind: ProbeType, results: str, probe: dict[str, int], expected: str) -> None:
    run, states = initial(kind), ""
    for result in results:
        run = observed(run, result == "S", probe)
        states += "T" if run.healthy else "F"
    assert states == expected
