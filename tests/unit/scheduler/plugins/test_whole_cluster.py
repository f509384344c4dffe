"""Plugins that look at pods all over the cluster: topology spread, affinity between pods, preemption."""

from typing import Any

import pytest

from proa.api.labels import Selector, selector_from_set
from proa.api.meta import Object
from proa.lib.clock import VirtualClock
from proa.scheduler.cache import Cache
from proa.scheduler.framework.cycle_state import CycleState
from proa.scheduler.framework.status import SKIP
from proa.scheduler.plugins.default_preemption.candidates import Candidate, best, violating
from proa.scheduler.plugins.inter_pod_affinity.plugin import InterPodAffinity
from proa.scheduler.plugins.pod_topology_spread.plugin import PodTopologySpread
from proa.scheduler.pod_info import PodInfo
from tests.unit.scheduler.objects import node, pod, pod_info

ZONE, HOST = "topology.kubernetes.io/zone", "kubernetes.io/hostname"
WEB = {"app": "web"}
SKEWED, NO_LABEL = "skewed", "no label"
SPREAD_REASONS = {
    "node(s) didn't match pod topology spread constraints": SKEWED,
    "node(s) didn't match pod topology spread constraints (missing required label)": NO_LABEL,
}


def cluster(*placed: tuple[str, dict[str, str]], **more: Object) -> Cache:
    """Nodes a1, a2 in zone a, b1 in zone b, and x in none; `placed` says where pods with which labels run."""
    cache = Cache(VirtualClock())
    for name, zone in (("a1", "a"), ("a2", "a"), ("b1", "b"), ("x", "")):
        cache.set_node(node(name, labels={ZONE: zone} if zone else {}, **more.get(name, {})))
    for number, (name, labels) in enumerate(placed):
        cache.set_pod(PodInfo(pod(f"q{number}", on=name, labels=labels)))
    return cache


def owner(pod: PodInfo) -> Selector | None:
    return selector_from_set(WEB) if "owned" in pod.key else None


def filtered(plugin: Any, cache: Cache, pod: PodInfo) -> dict[str, str]:
    """The reason of each node that is refused."""
    state = CycleState()
    if plugin.pre_filter(state, pod) is SKIP:
        return {}
    statuses = {name: plugin.filter(state, pod, each) for name, each in cache.nodes.items()}
    return {name: status.message for name, status in statuses.items() if status}


def scored(plugin: Any, cache: Cache, pod: PodInfo) -> dict[str, int] | None:
    state, nodes = CycleState(), list(cache.nodes.values())
    if plugin.pre_score(state, pod, nodes) is SKIP:
        return None
    return dict(zip(cache.nodes, plugin.normalize(state, [plugin.score(state, pod, each) for each in nodes]), strict=True))


def spreading(key: str, when: str = "DoNotSchedule", **fields: Any) -> PodInfo:
    constraint = {
        "maxSkew": 1, "topologyKey": key, "whenUnsatisfiable": when, "labelSelector": {"matchLabels": WEB}, **fields,
    }  # fmt: skip
    return pod_info(labels={**WEB, "version": "2"}, topologySpreadConstraints=[constraint], nodeSelector={})


IN_A = (("a1", WEB), ("a2", WEB))


@pytest.mark.parametrize(
    ("placed", "pod", "expected"),
    [
        ((), spreading(ZONE), {"x": NO_LABEL}),
        (IN_A[:1], spreading(ZONE), {"a1": SKEWED, "a2": SKEWED, "x": NO_LABEL}),
        (IN_A, spreading(ZONE, maxSkew=3), {"x": NO_LABEL}),
        (IN_A[:1], spreading(HOST), {"a1": SKEWED}),
        (IN_A[:1], spreading(ZONE, labelSelector={"matchLabels": {"app": "other"}}), {"x": NO_LABEL}),
        (IN_A[:1], spreading(ZONE, matchLabelKeys=["version"]), {"x": NO_LABEL}),
        ((*IN_A[:1], ("b1", WEB)), spreading(ZONE), {"x": NO_LABEL}),
        ((*IN_A[:1], ("b1", WEB)), spreading(ZONE, minDomains=3), {"a1": SKEWED, "a2": SKEWED, "b1": SKEWED, "x": NO_LABEL}),
        (IN_A[:1], spreading(ZONE, when="ScheduleAnyway"), {}),
    ],
)
def test_hard_topology_spread(placed: tuple[tuple[str, dict[str, str]], ...], pod: PodInfo, expected: dict[str, str]) -> None:
    cache = cluster(*placed)
    found = filtered(PodTopologySpread(cache, owner), cache, pod)
    assert {name: SPREAD_REASONS[reason] for name, reason in found.items()} == expected


@pytest.mark.parametrize(
    ("policies", "refused"),
    [
        ({}, {"a1", "a2", "x"}),
        ({"nodeTaintsPolicy": "Honor"}, {"x"}),
    ],
)
def test_nodes_that_taints_close_may_be_left_out(policies: dict[str, str], refused: set[str]) -> None:
    taint = {"key": "k", "effect": "NoSchedule"}
    cache = cluster(IN_A[0], b1={"taints": [taint]})
    assert set(filtered(PodTopologySpread(cache, owner), cache, spreading(ZONE, **policies))) == refused


def test_terminating_pods_are_not_spread() -> None:
    cache = cluster()
    leaving = pod("q", on="a1", labels=WEB)
    leaving["metadata"]["deletionTimestamp"] = "2030-01-01T00:00:00Z"
    cache.set_pod(PodInfo(leaving))
    assert set(filtered(PodTopologySpread(cache, owner), cache, spreading(ZONE))) == {"x"}


def test_soft_topology_spread_likes_emptier_domains() -> None:
    cache = cluster(*IN_A)
    pod = spreading(ZONE, when="ScheduleAnyway")
    assert scored(PodTopologySpread(cache, owner), cache, pod) == {"a1": 0, "a2": 0, "b1": 100, "x": 0}


def test_what_one_controller_owns_is_spread_softly_by_default() -> None:
    cache = cluster(("a1", WEB))
    assert scored(PodTopologySpread(cache, owner), cache, pod_info("owned", labels=WEB)) == {"a1": 22, "a2": 33, "b1": 55, "x": 100}
    assert scored(PodTopologySpread(cache, owner), cache, pod_info("alone", labels=WEB)) is None


REQUIRED, PREFERRED = "requiredDuringSchedulingIgnoredDuringExecution", "preferredDuringSchedulingIgnoredDuringExecution"
AFFINITY, ANTI, EXISTING = (
    "node(s) didn't match pod affinity rules",
    "node(s) didn't match pod anti-affinity rules",
    "node(s) didn't satisfy existing pods anti-affinity rules",
)


def term(key: str = ZONE, app: str = "web", **fields: Any) -> Object:
    return {"topologyKey": key, "labelSelector": {"matchLabels": {"app": app}}, **fields}


def wishing(kind: str, *terms: Object, when: str = REQUIRED, app: str = "p", **fields: Any) -> PodInfo:
    return pod_info(labels={"app": app}, affinity={kind: {when: list(terms)}}, **fields)


@pytest.mark.parametrize(
    ("placed", "pod", "expected"),
    [
        (IN_A[:1], wishing("podAffinity", term()), {"b1": AFFINITY, "x": AFFINITY}),
        ((), wishing("podAffinity", term()), dict.fromkeys(("a1", "a2", "b1", "x"), AFFINITY)),
        ((), wishing("podAffinity", term(), app="web"), {"x": AFFINITY}),
        (IN_A[:1], wishing("podAffinity", term(HOST)), {"a2": AFFINITY, "b1": AFFINITY, "x": AFFINITY}),
        (IN_A[:1], wishing("podAntiAffinity", term()), {"a1": ANTI, "a2": ANTI}),
        (IN_A[:1], wishing("podAntiAffinity", term(namespaces=["other"])), {}),
        (IN_A[:1], wishing("podAntiAffinity", term(namespaceSelector={})), {"a1": ANTI, "a2": ANTI}),
        (IN_A[:1], wishing("podAntiAffinity", term(namespaceSelector={"matchLabels": {"team": "x"}})), {}),
        (IN_A[:1], pod_info(labels=WEB), {}),
    ],
)
def test_required_affinity_between_pods(placed: Any, pod: PodInfo, expected: dict[str, str]) -> None:
    cache = cluster(*placed)
    assert filtered(InterPodAffinity(cache, lambda name: {}), cache, pod) == expected


def test_running_pods_keep_off_whom_they_avoid() -> None:
    cache = cluster()
    cache.set_pod(PodInfo(pod("q", on="a1", affinity={"podAntiAffinity": {REQUIRED: [term()]}})))
    plugin = InterPodAffinity(cache, lambda name: {})
    assert filtered(plugin, cache, pod_info(labels=WEB)) == {"a1": EXISTING, "a2": EXISTING}
    assert filtered(plugin, cache, pod_info(labels={"app": "other"})) == {}


def test_preferred_affinity_counts_pods_and_what_running_pods_wish() -> None:
    cache = cluster(*IN_A, ("b1", WEB))
    cache.set_pod(PodInfo(pod("q", on="b1", affinity={"podAffinity": {PREFERRED: [{"weight": 5, "podAffinityTerm": term(app="p")}]}})))
    plugin = InterPodAffinity(cache, lambda name: {})
    wish = {"weight": 10, "podAffinityTerm": term()}
    assert scored(plugin, cache, wishing("podAffinity", wish, when=PREFERRED)) == {"a1": 100, "a2": 100, "b1": 75, "x": 0}
    assert scored(plugin, cache, wishing("podAntiAffinity", wish, when=PREFERRED)) == {"a1": 0, "a2": 0, "b1": 75, "x": 100}
    assert scored(InterPodAffinity(cluster(), lambda name: {}), cluster(), pod_info()) is None


def victim(name: str, priority: int, started: int = 0) -> PodInfo:
    return pod_info(name, priority=priority, status={"startTime": f"2030-01-01T00:00:{started:02}Z"})


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        (Candidate("a", (victim("p", 9),), 0), Candidate("b", (victim("p", 1),), 1)),
        (Candidate("a", (victim("p", 1), victim("q", 1)), 0), Candidate("b", (victim("p", 2),), 0)),
        (Candidate("a", (victim("p", 2), victim("q", 0)), 0), Candidate("b", (victim("p", 2), victim("q", 1)), 0)),
        (Candidate("a", (victim("p", 2),), 0), Candidate("b", (victim("p", 2), victim("q", -9)), 0)),
        (Candidate("a", (victim("p", 2, 30),), 0), Candidate("b", (victim("p", 2, 10),), 0)),
    ],
)
def test_preemption_does_the_least_harm(better: Candidate, worse: Candidate) -> None:
    assert (best([worse, better]), best([better, worse])) == (better, better)


def test_disruption_budgets_are_used_up_one_by_one() -> None:
    budget = {
        "metadata": {"namespace": "default"}, "spec": {"selector": {"matchLabels": WEB}}, "status": {"disruptionsAllowed": 1},
    }  # fmt: skip
    pods = [pod_info("a", labels=WEB), pod_info("b", labels=WEB), pod_info("c", labels={"app": "other"})]
    assert violating(pods, [budget]) == {"default/b"}
