"""GET while a LIST of 3,000 Pods runs every second: how long the one makes the other wait. Both loads are wrk's, with pauses, no flood."""

from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import wrk
from benchmarks.api_server import api_server
from benchmarks.figures import Figure
from benchmarks.lists import fill
from benchmarks.target import Target
from benchmarks.workload import PODS, pod

LISTED = 3_000
SECONDS = 10.0
GETTERS = 8
PAUSE = 20
"""Milliseconds between the GETs of one connection: 400 a second in all at most."""


def measure() -> list[Figure]:
    with api_server() as target:
        fill(target, LISTED)
        return measure_on(target)


def measure_on(target: Target) -> list[Figure]:
    """`target` holds the Pods that `fill` made."""
    get = wrk.Load("GET", f"{PODS}/stored-NUMBER", cycle=1000, delay=PAUSE)
    quiet = wrk.run(target, get, SECONDS / 2, connections=GETTERS)
    with TemporaryDirectory(prefix="proa-wrk-") as directory:
        lister = wrk.start(target, wrk.Load("GET", PODS, delay=1000), SECONDS + 1, Path(directory), connections=1)
        listed = wrk.run(target, get, SECONDS, connections=GETTERS)
        lister.communicate()
    with TemporaryDirectory(prefix="proa-wrk-") as directory:
        creating = wrk.Load("POST", PODS, pod("burst"), limit=30 * int(SECONDS), delay=30)
        lister = wrk.start(target, wrk.Load("GET", PODS, delay=1000), SECONDS + 1, Path(directory), connections=1)
        with TemporaryDirectory(prefix="proa-wrk-") as other:
            creator = wrk.start(target, creating, SECONDS, Path(other), connections=1)
            busy = wrk.run(target, get, SECONDS, connections=GETTERS)
            creator.communicate()
        lister.communicate()
    title = f"GET p99 while a LIST of {LISTED:,} runs every second"
    return [
        Figure("GET p99, nothing else asked", quiet.p99 * 1e3, "ms", note=f"{quiet.rate:.0f} GET/s; p50 {quiet.median * 1e3:.1f} ms"),
        Figure(title, listed.p99 * 1e3, "ms", "< 50", note=f"{listed.rate:.0f} GET/s; p50 {listed.median * 1e3:.1f} ms"),
        Figure(f"{title}, and 30 Pods are created a second", busy.p99 * 1e3, "ms", "< 50", note=f"p50 {busy.median * 1e3:.1f} ms"),
    ]
