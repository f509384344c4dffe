"""The API server's rates over TLS from `wrk -t1 -c32`: creates, GET, server-side apply, patch; beside the server's CPU for each request.

The machine's speed of the moment is measured with it: a handler that does nothing, behind the same HTTP server. Rates are the best of
some rounds, as whatever else runs on the machine only ever slows them; CPU a request is the lowest of the same rounds.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from benchmarks import bare_server, wrk
from benchmarks.api_server import api_server
from benchmarks.figures import Figure
from benchmarks.target import Target
from benchmarks.workload import DEPLOYMENTS, PODS, deployment, pod, prepare

ROUNDS = 3
SECONDS = 4.0
KNOWN = 1000
"""Objects that GET, apply and patch go round."""
Prefixes = Callable[[int], str]


@dataclass(frozen=True, slots=True)
class Case:
    """`load` is made for each round, as names must be new."""

    name: str
    load: Callable[[str], wrk.Load]
    target: str = ""
    reference: str = ""


def _create(prefix: str) -> wrk.Load:
    return wrk.Load("POST", PODS, pod(prefix))


def _get(prefix: str) -> wrk.Load:
    return wrk.Load("GET", f"{PODS}/known-NUMBER", cycle=KNOWN)


def _apply(prefix: str) -> wrk.Load:
    path = f"{DEPLOYMENTS}/web-NUMBER?fieldManager=benchmark"
    return wrk.Load("PATCH", path, deployment(), "application/apply-patch+yaml", cycle=KNOWN)


def _patch(prefix: str) -> wrk.Load:
    body = {"metadata": {"annotations": {"count": "COUNT"}}}
    return wrk.Load("PATCH", f"{PODS}/known-NUMBER", body, "application/strategic-merge-patch+json", cycle=KNOWN)


CASES: Sequence[Case] = (
    Case("durable Pod creates", _create, ">= 3,440", "1,720"),
    Case("GET of a Pod", _get, ">= 18,000", "6,000"),
    Case("server-side apply of a Deployment", _apply),
    Case("strategic merge patch of a Pod", _patch),
)


def measure() -> list[Figure]:
    with bare_server.running() as bare:
        before = best([wrk.run(bare, wrk.Load("GET", "/"), SECONDS) for _ in range(2)])
    with api_server() as target:
        found = run_cases([target])[target.name]
    figures = [_figure(case, found[case.name]) for case in CASES]
    note = f"server CPU {before.cpu * 1e6:.0f} us a request; the speed of the machine at this moment"
    return [*figures, Figure("a handler that does nothing behind the same HTTP server", before.rate, "/s", note=note)]


def _figure(case: Case, outcome: wrk.Outcome) -> Figure:
    note = f"server CPU {outcome.cpu * 1e6:.0f} us a request; p50 {outcome.median * 1e3:.1f} ms, p99 {outcome.p99 * 1e3:.1f} ms"
    return Figure(case.name, outcome.rate, "/s", case.target, case.reference, note)


def run_cases(targets: Sequence[Target], rounds: int = ROUNDS) -> Mapping[str, Mapping[str, wrk.Outcome]]:
    """Per target and case. The targets take turns, so that a slow moment of the machine hits all of them."""
    session = f"{int(time.time()):x}"
    for target in targets:
        prepare(target)
        wrk.send(target, wrk.Load("POST", PODS, pod("known"), limit=KNOWN + wrk.CONNECTIONS), 20)
    found: dict[str, dict[str, wrk.Outcome]] = {target.name: {} for target in targets}
    for case in CASES:
        outcomes: dict[str, list[wrk.Outcome]] = {target.name: [] for target in targets}
        for number in range(rounds):
            for target in targets:
                outcomes[target.name].append(wrk.run(target, case.load(f"{session}-{number}"), SECONDS))
        for name, each in outcomes.items():
            found[name][case.name] = best(each)
    return found


def best(outcomes: Sequence[wrk.Outcome]) -> wrk.Outcome:
    """The fastest, with the lowest CPU of all."""
    fastest = max(outcomes, key=lambda each: each.rate)
    return fastest.with_cpu(min(each.cpu for each in outcomes))
