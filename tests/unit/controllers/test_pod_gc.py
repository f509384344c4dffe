"""Pods that nobody else removes."""

import asyncio
from typing import Any

from proa.api import meta
from proa.api.kinds import PODS
from proa.controllers.pod_gc import build, in_excess
from proa.controllers.rehearsal import rehearse


def pod(name: str, node: str = "", phase: str = "Running", **metadata: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "n", **metadata},
        "spec": {"nodeName": node}, "status": {"phase": phase},
    }  # fmt: skip


NODE: dict[str, Any] = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "a"}, "spec": {}}
DELETED = "2030-01-01T00:00:00Z"


def left(*objects: dict[str, Any], seconds: float) -> list[str]:
    async def main() -> list[str]:
        async with rehearse(build, *objects) as stage:
            for _ in range(int(seconds // 20)):
                await stage.settle(20)
            return [meta.name(each) for each in stage.objects(PODS)]

    return asyncio.run(main())


def test_pods_of_a_vanished_node_go_after_a_while() -> None:
    objects = [NODE, pod("here", "a"), pod("lost", "gone")]
    assert (left(*objects, seconds=20), left(*objects, seconds=60)) == (["here", "lost"], ["here"])


def test_unscheduled_terminating_pods_go_at_once() -> None:
    assert left(pod("waiting"), pod("dying", deletionTimestamp=DELETED, finalizers=[]), seconds=0) == ["waiting"]


def test_terminating_pods_of_a_node_out_of_service_are_forced() -> None:
    taint = {"key": "node.kubernetes.io/out-of-service", "effect": "NoExecute"}
    down = {**NODE, "spec": {"taints": [taint]}, "status": {"conditions": [{"type": "Ready", "status": "Unknown"}]}}
    dying = pod("dying", "a", deletionTimestamp=DELETED, deletionGracePeriodSeconds=30)
    assert left(down, pod("stays", "a"), dying, seconds=0) == ["stays"]


def test_the_oldest_finished_pods_above_the_threshold_go() -> None:
    listed = [pod(str(number), phase="Succeeded", creationTimestamp=f"2030-01-0{9 - number}") for number in range(4)] + [pod("running")]
    assert [meta.name(each) for each in in_excess(listed, 2)] == ["3", "2"]
