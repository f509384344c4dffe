"""Silent nodes: conditions, taints, pods, eviction rates."""

import asyncio
from typing import Any

import pytest

from proa.api import meta
from proa.api.kinds import LEASES, NODES, PODS
from proa.api.meta import Object
from proa.controllers.node_lifecycle import plan
from proa.controllers.node_lifecycle.controller import build
from proa.controllers.rehearsal import Stage, rehearse


def node(name: str, ready: str = "True", **conditions: str) -> Object:
    told = [{"type": "Ready", "status": ready, "lastHeartbeatTime": "2029-01-01T00:00:00Z", "lastTransitionTime": "2029-01-01T00:00:00Z"}]
    told += [{"type": type_, "status": status} for type_, status in conditions.items()]
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}, "spec": {}, "status": {"conditions": told}}


def lease(name: str, renewed: int = 0) -> Object:
    metadata = {"name": name, "namespace": "kube-node-lease"}
    return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": {"renewTime": str(renewed)}}


def pod(name: str, on: str) -> Object:
    status = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": "2029-01-01T00:00:00Z"}]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "n"}, "spec": {"nodeName": on}, "status": status}


async def pass_time(stage: Stage, seconds: int, *alive: str) -> None:
    for elapsed in range(0, seconds, 5):
        for name in alive:
            stage.client.modify(lease(name, int(stage.clock.monotonic()) + elapsed + 1))
        await stage.settle(5)


def taints(stage: Stage, name: str) -> list[tuple[str, str]]:
    (found,) = [each for each in stage.objects(NODES) if meta.name(each) == name]
    return [(each["key"], each["effect"]) for each in found["spec"].get("taints") or []]


def test_a_silent_node_becomes_unknown_is_tainted_and_its_pods_are_not_ready() -> None:
    async def main() -> None:
        async with rehearse(build, node("a"), node("b"), lease("a"), lease("b"), pod("p", "a"), pod("q", "b")) as stage:
            await pass_time(stage, 30, "b")
            assert taints(stage, "a") == []
            await pass_time(stage, 20, "b")
            assert taints(stage, "a") == [(plan.UNREACHABLE, "NoSchedule"), (plan.UNREACHABLE, "NoExecute")]
            ready = meta.condition(stage.objects(NODES)[0], "Ready")
            assert ready is not None
            assert (ready["status"], ready["reason"]) == ("Unknown", "NodeStatusUnknown")
            assert ready["message"] == "Kubelet stopped posting node status."
            assert {meta.name(each): meta.condition(each, "Ready")["status"] for each in stage.objects(PODS)} == {"p": "False", "q": "True"}  # type: ignore[index]
            assert "Pod p Warning NodeNotReady: Node is not ready" in stage.events
            assert "Node a Normal NodeNotReady: Node a status is now: NodeNotReady" in stage.events
            stage.client.modify(node("a"))
            await pass_time(stage, 5, "a", "b")
            assert taints(stage, "a") == []

    asyncio.run(main())


def test_when_every_node_falls_silent_nobody_is_evicted() -> None:
    async def main() -> None:
        async with rehearse(build, node("a"), node("b"), lease("a"), lease("b")) as stage:
            await pass_time(stage, 60)
            assert taints(stage, "a") == taints(stage, "b") == [(plan.UNREACHABLE, "NoSchedule")]

    asyncio.run(main())


def test_renewed_leases_keep_nodes_ready() -> None:
    async def main() -> None:
        async with rehearse(build, node("a"), lease("a")) as stage:
            await pass_time(stage, 120, "a")
            assert (taints(stage, "a"), len(stage.objects(LEASES))) == ([], 1)
            assert stage.client.actions == []

    asyncio.run(main())


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (node("a"), set()),
        (node("a", "False"), {"node.kubernetes.io/not-ready"}),
        (node("a", "Unknown"), {"node.kubernetes.io/unreachable"}),
        (
            node("a", "True", MemoryPressure="True", DiskPressure="True", PIDPressure="True", NetworkUnavailable="True"),
            {f"node.kubernetes.io/{each}" for each in ("memory-pressure", "disk-pressure", "pid-pressure", "network-unavailable")},
        ),
        (node("a", "True", MemoryPressure="False"), set()),
        ({**node("a"), "spec": {"unschedulable": True}}, {"node.kubernetes.io/unschedulable"}),
    ],
)
def test_conditions_taint(told: Object, expected: set[str]) -> None:
    assert plan.no_schedule_keys(told) == expected


def test_taints_of_others_stay() -> None:
    theirs = {"key": "dedicated", "value": "x", "effect": "NoSchedule"}
    stale = {"key": plan.NOT_READY, "effect": "NoExecute"}
    assert plan.taints_after({**node("a"), "spec": {"taints": [theirs, stale]}}, "now", may_evict=True) == [theirs]


@pytest.mark.parametrize(
    ("ready", "not_ready", "state"),
    [(2, 0, "Normal"), (0, 2, "FullDisruption"), (1, 2, "Normal"), (2, 3, "PartialDisruption"), (5, 3, "Normal")],
)
def test_zone_states(ready: int, not_ready: int, state: str) -> None:
    nodes: list[Any] = [node("r")] * ready + [node("u", "Unknown")] * not_ready
    assert plan.zone_state(nodes) == state


def test_evictions_of_a_zone_come_one_in_ten_seconds() -> None:
    bucket = plan.TokenBucket()
    assert [bucket.take(0.1, moment) for moment in (0, 5, 10, 11, 20)] == [True, False, True, False, True]
