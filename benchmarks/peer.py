"""Our API server against any other one, in alternation on the same machine: the same loads on both, round by round, and the ratios.

The peer gets a namespace `benchmark` and many Pods that nobody will run; it should be one that can be thrown away.
"""

import statistics
from collections.abc import Mapping, Sequence

from benchmarks import api, lists, wrk
from benchmarks.api_server import api_server
from benchmarks.figures import Figure
from benchmarks.target import Target
from benchmarks.workload import PODS

ROUNDS = 3
LISTS = 5


def parse(text: str) -> Target:
    """URL,TOKEN."""
    url, separator, token = text.partition(",")
    if not separator or not url.startswith("https://"):
        raise ValueError(f"--peer takes URL,TOKEN with an https URL, not {url!r}")
    return Target("peer", url.rstrip("/"), token)


def measure(peer: Target) -> list[Figure]:
    with api_server() as ours:
        found = api.run_cases([ours, peer], ROUNDS)
        figures = _rates(found[ours.name], found[peer.name])
        lists.fill(ours, 3000, "listed")
        lists.fill(peer, 3000, "listed")
        return [*figures, _list_figure(ours, peer)]


def _rates(ours: Mapping[str, wrk.Outcome], theirs: Mapping[str, wrk.Outcome]) -> list[Figure]:
    return [
        Figure(
            f"{name}: ours to the peer's", each.rate / theirs[name].rate, "times", note=f"{each.rate:,.0f}/s to {theirs[name].rate:,.0f}/s"
        )
        for name, each in ours.items()
    ]


def _list_figure(ours: Target, peer: Target) -> Figure:
    """Seconds a megabyte, as the two don't hold equally many Pods."""
    both: Sequence[tuple[lists.Download, lists.Download]] = [(lists.download(ours, PODS), lists.download(peer, PODS)) for _ in range(LISTS)]
    own, other = (statistics.median(pair[side].seconds / pair[side].size for pair in both) * 1e6 for side in (0, 1))
    return Figure(
        "LIST of all Pods: the peer's time to ours, per megabyte",
        other / own,
        "times",
        note=f"{own * 1e3:.1f} to {other * 1e3:.1f} ms a MB",
    )
