"""Over random clusters, the decision over all nodes at once is the one that is made node by node: same nodes, same reasons, same scores."""

import random
from typing import Any

import numpy as np
import pytest

from proa.api.labels import Selector, selector_from_set
from proa.api.meta import Object
from proa.client.fake import FakeClient
from proa.lib.clock import VirtualClock
from proa.scheduler.cache import Cache
from proa.scheduler.framework.cycle_state import CycleState
from proa.scheduler.framework.framework import Framework
from proa.scheduler.nominator import Nominator
from proa.scheduler.plugins.default_preemption.plugin import DefaultPreemption
from proa.scheduler.pod_info import PodInfo
from proa.scheduler.registry import plugins
from proa.scheduler.vector.columns import Columns
from proa.scheduler.vector.engine import VectorEngine
from tests.unit.scheduler.objects import node, pod

ZONE, HOST = "topology.kubernetes.io/zone", "kubernetes.io/hostname"
IMAGES = [{"names": ["app:1"], "sizeBytes": 400 << 20}]


def random_node(draw: random.Random, name: str) -> Object:
    labels = {ZONE: draw.choice(["z1", "z2", "z3"])} if draw.random() < 0.85 else {}
    labels |= {"disk": draw.choice(["ssd", "hdd"])} if draw.random() < 0.7 else {}
    spec: dict[str, Any] = {"unschedulable": True} if draw.random() < 0.05 else {}
    if draw.random() < 0.3:
        spec["taints"] = [{"key": "k", "value": draw.choice("vw"), "effect": draw.choice(["NoSchedule", "PreferNoSchedule"])}]
    extended = {"x.io/gpu": "2"} if draw.random() < 0.3 else {}
    images = IMAGES if draw.random() < 0.4 else []
    size = draw.choice([("2", "4Gi"), ("4", "8Gi"), ("8", "8Gi"), ("4", "0")])
    return node(name, *size, pods=draw.choice([2, 5, 110]), labels=labels, allocatable=extended, images=images, **spec)


def spread(draw: random.Random) -> Object:
    constraint: Object = {
        "maxSkew": draw.choice([1, 2]),
        "topologyKey": draw.choice([ZONE, HOST]),
        "whenUnsatisfiable": draw.choice(["DoNotSchedule", "ScheduleAnyway"]),
        "labelSelector": {"matchLabels": {"app": draw.choice("ab")}},
    }
    optional = {"nodeAffinityPolicy": "Ignore", "nodeTaintsPolicy": "Honor", "minDomains": 4, "matchLabelKeys": ["version"]}
    return constraint | {key: value for key, value in optional.items() if draw.random() < 0.3}


def affinity_term(draw: random.Random) -> Object:
    return {"topologyKey": draw.choice([ZONE, HOST]), "labelSelector": {"matchLabels": {"app": draw.choice("ab")}}}


def random_affinity(draw: random.Random) -> Object:
    required, preferred = "requiredDuringSchedulingIgnoredDuringExecution", "preferredDuringSchedulingIgnoredDuringExecution"
    disk = {"matchExpressions": [{"key": "disk", "operator": draw.choice(["In", "NotIn"]), "values": ["ssd"]}]}
    found: Object = {}
    if draw.random() < 0.3:
        found["nodeAffinity"] = {required: {"nodeSelectorTerms": [disk]}, preferred: [{"weight": 7, "preference": disk}]}
    for kind in ("podAffinity", "podAntiAffinity"):
        if draw.random() < 0.2:
            found[kind] = {required: [affinity_term(draw)]}
        if draw.random() < 0.2:
            found.setdefault(kind, {})[preferred] = [{"weight": draw.randint(1, 100), "podAffinityTerm": affinity_term(draw)}]
    return found


def random_pod(draw: random.Random, name: str) -> Object:
    spec: dict[str, Any] = {"affinity": random_affinity(draw)}
    if draw.random() < 0.4:
        spec["topologySpreadConstraints"] = [spread(draw) for _ in range(draw.randint(1, 2))]
    if draw.random() < 0.3:
        spec["tolerations"] = [{"key": "k", "operator": "Equal", "value": "v"}]
    if draw.random() < 0.2:
        spec["ports"] = [{"containerPort": 80, "hostPort": draw.choice([80, 81])}]
    if draw.random() < 0.2:
        spec["requests"] = {"x.io/gpu": "1"}
    if draw.random() < 0.2:
        spec["nodeSelector"] = {"disk": "ssd"}
    cpu, memory = draw.choice([("", ""), ("500m", "256Mi"), ("1500m", "1Gi"), ("16", "")])
    return pod(name, cpu, memory, labels={"app": draw.choice("ab"), "version": draw.choice("12")}, **spec)


def owner_selector(pod: PodInfo) -> Selector | None:
    return selector_from_set({"app": pod.labels["app"]})


def build(draw: random.Random) -> tuple[Cache, Framework, VectorEngine]:
    cache, nominator = Cache(VirtualClock()), Nominator()
    preemption = DefaultPreemption(cache, list, lambda number: 0)
    framework = Framework(plugins(FakeClient(), cache, preemption, owner_selector, lambda name: {}), nominator)
    preemption.framework = framework
    for number in range(20):
        cache.set_node(random_node(draw, f"n{number}"))
    columns = Columns(cache)
    cache.observer = columns
    return cache, framework, VectorEngine(framework, columns)


def disturb(draw: random.Random, cache: Cache, number: int) -> None:
    """The cluster changes between decisions, so vectors must follow."""
    chance = draw.random()
    if chance < 0.1:
        cache.set_node(random_node(draw, f"n{draw.randrange(22)}"))
    elif chance < 0.15:
        cache.remove_node(f"n{draw.randrange(20)}")
    elif chance < 0.25:
        cache.remove_pod(f"default/p{draw.randrange(number + 1)}")


@pytest.mark.parametrize("seed", range(12))
def test_vectors_say_what_plugins_say(seed: int) -> None:
    draw = random.Random(seed)
    cache, framework, engine = build(draw)
    placed = 0
    for number in range(40):
        disturb(draw, cache, number)
        info = PodInfo(random_pod(draw, f"p{number}"))
        state, vector_state = CycleState(), CycleState()
        assert framework.pre_filter(state, info) == framework.pre_filter(vector_state, info, vectors=True) is None
        statuses = {name: framework.filter(state, info, each) for name, each in cache.nodes.items()}
        feasible = [each for name, each in cache.nodes.items() if statuses[name] is None]
        mask, refused = engine.feasible(vector_state, info)
        slots = np.array([engine.columns.slot_of(each.name) for each in feasible], np.int64)
        assert sorted(np.flatnonzero(mask)) == sorted(slots)
        reasons = engine.statuses(vector_state, info, refused)
        assert reasons == {name: status for name, status in statuses.items() if status is not None}
        if feasible:
            scores = framework.score(state, info, feasible)
            vector = engine.scores(vector_state, info, slots)
            # Whole vectors may differ by a constant: a plugin that likes all nodes equally is left out.
            assert [score - scores[0] for score in scores] == [int(score) for score in vector - vector[0]]
            cache.assume(info, draw.choice(feasible).name)
            placed += 1
    assert placed > 5
