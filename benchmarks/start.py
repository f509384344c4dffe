"""How long the API server takes from the start of its process to /readyz 200 over TLS, and what it holds in memory at rest."""

import statistics
import time

from benchmarks.api_server import PATIENCE, Installation, installation, stop
from benchmarks.figures import Figure
from benchmarks.processes import memory
from benchmarks.target import wait_until_ready

ROUNDS = 5
SETTLE = 2.0


def measure() -> list[Figure]:
    """The first start makes the store and the objects that every cluster has; the later ones load them."""
    with installation() as installed:
        first = _start(installed)[0]
        again = [_start(installed) for _ in range(ROUNDS)]
    seconds = [each[0] for each in again]
    spread = f"median of {ROUNDS}; {min(seconds):.2f} to {max(seconds):.2f}"
    return [
        Figure("API server alone: process start to /readyz, empty store", first, "s", "0.5", "3.6", "once"),
        Figure("API server alone: process start to /readyz, again", statistics.median(seconds), "s", "0.5", "3.6", spread),
        Figure("API server alone, at rest: PSS", again[-1][1], "MB", "", "365 (RSS)"),
    ]


def _start(installed: Installation) -> tuple[float, float]:
    """(seconds, megabytes)."""
    started = time.monotonic()
    process = installed.start()
    try:
        wait_until_ready(installed.url, started + PATIENCE)
        seconds = time.monotonic() - started
        time.sleep(SETTLE)
        return seconds, memory(process.pid).pss
    finally:
        stop(process)
