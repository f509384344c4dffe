"""Plugins that look at one node and one pod: whom they refuse, why, and how they score."""

from typing import Any

import pytest

from proa.lib.clock import VirtualClock
from proa.scheduler.cache import Cache
from proa.scheduler.framework.cycle_state import CycleState
from proa.scheduler.framework.interface import Filter, PreFilter, PreScore, Score
from proa.scheduler.framework.status import SKIP, Code
from proa.scheduler.node_info import NodeInfo
from proa.scheduler.plugins.image_locality import ImageLocality
from proa.scheduler.plugins.node_affinity import NodeAffinity
from proa.scheduler.plugins.node_name import NodeName
from proa.scheduler.plugins.node_ports import NodePorts
from proa.scheduler.plugins.node_resources_balanced_allocation import NodeResourcesBalancedAllocation
from proa.scheduler.plugins.node_resources_fit import NodeResourcesFit
from proa.scheduler.plugins.node_unschedulable import NodeUnschedulable
from proa.scheduler.plugins.taint_toleration import TaintToleration
from proa.scheduler.pod_info import PodInfo
from tests.unit.scheduler.objects import node, node_info, pod, pod_info

TAINT = {"key": "k", "value": "v", "effect": "NoSchedule"}
HARD, SOFT = Code.UNRESOLVABLE, Code.UNSCHEDULABLE
WEB_PORT = [{"containerPort": 80, "hostPort": 80}]
PORTS_TAKEN = "node(s) didn't have free ports for the requested pod ports"


@pytest.mark.parametrize(
    ("plugin", "pod", "node", "expected"),
    [
        (NodeName(), pod_info(on="n"), node_info("n"), None),
        (NodeName(), pod_info(on="m"), node_info("n"), (HARD, "node(s) didn't match the requested node name")),
        (NodeUnschedulable(), pod_info(), node_info(unschedulable=True), (HARD, "node(s) were unschedulable")),
        (NodeUnschedulable(), pod_info(tolerations=[{"operator": "Exists"}]), node_info(unschedulable=True), None),
        (TaintToleration(), pod_info(), node_info(taints=[TAINT]), (HARD, "node(s) had untolerated taint(s)")),
        (TaintToleration(), pod_info(tolerations=[{"key": "k", "operator": "Exists"}]), node_info(taints=[TAINT]), None),
        (TaintToleration(), pod_info(), node_info(taints=[{**TAINT, "effect": "PreferNoSchedule"}]), None),
        (NodeAffinity(), pod_info(nodeSelector={"a": "b"}), node_info(), (HARD, "node(s) didn't match Pod's node affinity/selector")),
        (NodeAffinity(), pod_info(nodeSelector={"a": "b"}), node_info(labels={"a": "b"}), None),
        (NodePorts(), pod_info(ports=WEB_PORT), node_info("n", pod("q", ports=WEB_PORT)), (SOFT, PORTS_TAKEN)),
        (NodePorts(), pod_info(ports=WEB_PORT), node_info("n", pod("q")), None),
    ],
)
def test_filters(plugin: Any, pod: PodInfo, node: NodeInfo, expected: tuple[Code, str] | None) -> None:
    assert verdict(plugin, pod, node) == expected


def verdict(plugin: Filter, pod: PodInfo, node: NodeInfo) -> tuple[Code, str] | None:
    state = CycleState()
    if isinstance(plugin, PreFilter):
        assert plugin.pre_filter(state, pod) is not SKIP
    status = plugin.filter(state, pod, node)
    return (status.code, status.message) if status else None


BOTH = "Insufficient cpu, Insufficient memory"
GPU = {"x.io/gpu": "1"}


@pytest.mark.parametrize(
    ("pod", "node", "expected"),
    [
        (pod_info(cpu="4", memory="8Gi"), node_info(), None),
        (pod_info(cpu="2"), node_info("n", pod("q", cpu="3")), (Code.UNSCHEDULABLE, "Insufficient cpu")),
        (pod_info(cpu="2", memory="1Gi"), node_info("n", pod("q", "3", "8Gi")), (Code.UNSCHEDULABLE, BOTH)),
        (pod_info(cpu="5"), node_info(), (Code.UNRESOLVABLE, "Insufficient cpu")),
        (pod_info(), node_info("n", pod("q"), pods=1), (Code.UNSCHEDULABLE, "Too many pods")),
        (pod_info(), node_info("n", pod("q", cpu="9")), None),
        (pod_info(requests={"x.io/gpu": "1"}), node_info(), (Code.UNRESOLVABLE, "Insufficient x.io/gpu")),
        (pod_info(requests={"x.io/gpu": "1"}), node_info(allocatable=GPU), None),
        (pod_info(requests={"x.io/gpu": "0"}), node_info(), None),
        (pod_info(requests={"ephemeral-storage": "1"}), node_info(), (Code.UNRESOLVABLE, "Insufficient ephemeral-storage")),
    ],
)
def test_room_for_requests(pod: PodInfo, node: NodeInfo, expected: tuple[Code, str] | None) -> None:
    assert verdict(NodeResourcesFit(), pod, node) == expected


def scores(plugin: Any, pod: PodInfo, *nodes: NodeInfo) -> list[int] | None:
    state = CycleState()
    if isinstance(plugin, PreScore) and plugin.pre_score(state, pod, nodes) is SKIP:
        return None
    assert isinstance(plugin, Score)
    return plugin.normalize(state, [plugin.score(state, pod, each) for each in nodes])


def test_least_allocated_likes_free_nodes() -> None:
    nodes = node_info("a"), node_info("b", pod("q", cpu="2", memory="4Gi")), node_info("c", pod("q", cpu="4", memory="8Gi"))
    assert scores(NodeResourcesFit(), pod_info(cpu="1", memory="2Gi"), *nodes) == [75, 25, 0]


def test_least_allocated_thinks_that_pods_without_requests_need_something() -> None:
    silent = [pod(f"q{number}") for number in range(10)]
    assert scores(NodeResourcesFit(), pod_info(), node_info("a"), node_info("b", *silent)) == [97, 72]


def test_balanced_allocation_likes_even_use() -> None:
    nodes = node_info("a", pod("q", memory="4Gi")), node_info("b", pod("q", cpu="2")), node_info("c")
    assert scores(NodeResourcesBalancedAllocation(), pod_info(cpu="2"), *nodes) == [100, 50, 75]


def test_balanced_allocation_has_no_opinion_on_pods_without_requests() -> None:
    assert scores(NodeResourcesBalancedAllocation(), pod_info(), node_info()) is None


def test_soft_taints_make_nodes_less_liked() -> None:
    soft = {**TAINT, "effect": "PreferNoSchedule"}
    nodes = node_info("a", taints=[soft, {**soft, "key": "l"}]), node_info("b", taints=[soft]), node_info("c")
    assert scores(TaintToleration(), pod_info(), *nodes) == [0, 50, 100]


def test_preferred_node_affinity_adds_weights() -> None:
    terms = [
        {"weight": weight, "preference": {"matchExpressions": [{"key": key, "operator": "Exists"}]}}
        for key, weight in (("disk", 30), ("gpu", 10))
    ]
    wishes = {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": terms}}
    nodes = node_info("a", labels={"disk": "", "gpu": ""}), node_info("b", labels={"gpu": ""}), node_info("c")
    assert scores(NodeAffinity(), pod_info(affinity=wishes), *nodes) == [100, 25, 0]
    assert scores(NodeAffinity(), pod_info(), *nodes) is None


def test_images_on_the_node_count_by_size_and_spread() -> None:
    cache = Cache(VirtualClock())
    large, small = {"names": ["app:1"], "sizeBytes": 1000 << 20}, {"names": ["tiny:latest"], "sizeBytes": 10 << 20}
    for name, images in (("a", [large, small]), ("b", [small]), ("c", [])):
        cache.set_node(node(name, images=images))
    found = list(cache.nodes.values())
    assert scores(ImageLocality(cache), pod_info(image="app:1"), *found) == [31, 0, 0]
    assert scores(ImageLocality(cache), pod_info(image="tiny"), *found) == [0, 0, 0]
    assert scores(ImageLocality(cache), pod_info(image="unknown"), *found) is None
