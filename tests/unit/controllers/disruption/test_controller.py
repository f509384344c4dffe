"""The disruption controller as a whole."""

import asyncio
from typing import Any

from proa.api import meta
from proa.api.kinds import POD_DISRUPTION_BUDGETS, PODS
from proa.api.meta import Object
from proa.api.resource import ResourceId
from proa.controllers.disruption.controller import build
from proa.controllers.rehearsal import Stage, rehearse

FOOS = ResourceId("stable.example.com", "v1", "foos", "Foo", True)
READY = [{"type": "Ready", "status": "True"}]


def budget(**spec: Any) -> Object:
    return {
        "apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "b", "namespace": "n", "generation": 1},
        "spec": {"selector": {"matchLabels": {"app": "web"}}, **spec},
    }  # fmt: skip


def pod(name: str, owner: Object | None = None, **status: Any) -> Object:
    metadata: Object = {"name": name, "namespace": "n", "uid": name, "labels": {"app": "web"}}
    if owner is not None:
        metadata["ownerReferences"] = [meta.owner_reference(owner)]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": {},
        "status": {"phase": "Running", "conditions": READY, **status},
    }


def workload(api_version: str, kind: str, name: str, replicas: int, owner: Object | None = None) -> Object:
    metadata: Object = {"name": name, "namespace": "n", "uid": f"{kind}-{name}"}
    if owner is not None:
        metadata["ownerReferences"] = [meta.owner_reference(owner)]
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": {"replicas": replicas}}


def numbers(stage: Stage) -> tuple[int, int, int, int]:
    """(expected, desired, current, allowed)."""
    status = stage.objects(POD_DISRUPTION_BUDGETS)[0]["status"]
    return status["expectedPods"], status["desiredHealthy"], status["currentHealthy"], status["disruptionsAllowed"]


def test_the_status_follows_the_pods() -> None:
    async def main() -> None:
        async with rehearse(build, budget(minAvailable=1)) as stage:
            assert numbers(stage) == (0, 1, 0, 0)
            assert set(stage.events) == {"PodDisruptionBudget b Normal NoPods: No matching pods found"}
            stage.client.add(pod("one"))
            stage.client.add(pod("two"))
            await stage.settle()
            assert numbers(stage) == (2, 1, 2, 1)
            await stage.client.delete(PODS, "two", "n")
            await stage.settle()
            assert numbers(stage) == (1, 1, 1, 0)

    asyncio.run(main())


def test_each_controller_counts_once_and_a_deployment_instead_of_its_replica_sets() -> None:
    async def main() -> None:
        deployment = workload("apps/v1", "Deployment", "d", 4)
        old, new = (workload("apps/v1", "ReplicaSet", name, 3, deployment) for name in ("old", "new"))
        alone = workload("apps/v1", "ReplicaSet", "alone", 2)
        replication = workload("v1", "ReplicationController", "rc", 3)
        children = [pod("a", old), pod("b", old), pod("c", new), pod("d", alone), pod("e", replication)]
        async with rehearse(build, deployment, old, new, alone, replication, *children, budget(maxUnavailable=1)) as stage:
            assert numbers(stage) == (9, 8, 5, 0)

    asyncio.run(main())


def test_any_kind_with_a_scale_subresource_counts() -> None:
    async def main() -> None:
        foo = workload("stable.example.com/v1", "Foo", "f", 3)
        async with rehearse(build, foo, pod("a", foo), pod("b", foo), pod("c", foo), budget(maxUnavailable=2), resources=(FOOS,)) as stage:
            assert numbers(stage) == (3, 1, 3, 2)

    asyncio.run(main())


def test_pods_that_nobody_controls_are_told_and_not_counted() -> None:
    async def main() -> None:
        async with rehearse(build, pod("a"), budget(maxUnavailable=1)) as stage:
            assert numbers(stage) == (0, 0, 1, 0)
            assert stage.events[0].startswith(
                "PodDisruptionBudget b Warning UnmanagedPods: Pods selected by this PodDisruptionBudget (selector: &LabelSelector{"
            )

    asyncio.run(main())


def test_a_controller_that_is_gone_fails_the_budget_safely() -> None:
    async def main() -> None:
        gone = workload("apps/v1", "ReplicaSet", "gone", 3)
        async with rehearse(build, pod("a", gone), budget(maxUnavailable=1)) as stage:
            status = stage.objects(POD_DISRUPTION_BUDGETS)[0]["status"]
            condition = status["conditions"][0]
            assert (status["disruptionsAllowed"], condition["reason"]) == (0, "SyncFailed")
            assert condition["message"] == 'found no controllers for pod "a"'
            assert stage.events[0] == (
                "PodDisruptionBudget b Warning CalculateExpectedPodCountFailed: Failed to calculate the number of expected pods: "
                'found no controllers for pod "a"'
            )

    asyncio.run(main())


def test_an_eviction_that_came_to_nothing_is_taken_back() -> None:
    async def main() -> None:
        target = {
            "type": "DisruptionTarget",
            "status": "True",
            "reason": "EvictionByEvictionAPI",
            "lastTransitionTime": "2030-01-01T00:00:00Z",
        }
        async with rehearse(build, pod("a"), pod("b", conditions=[*READY, target]), budget(minAvailable=0)) as stage:
            (made,) = stage.objects(POD_DISRUPTION_BUDGETS)
            stage.client.modify({**made, "status": {**made["status"], "disruptedPods": {"a": "2030-01-01T00:00:00Z"}}})
            await stage.settle()
            assert numbers(stage) == (2, 0, 1, 1)
            await stage.settle(121)
            assert numbers(stage) == (2, 0, 2, 2)
            assert "disruptedPods" not in stage.objects(POD_DISRUPTION_BUDGETS)[0]["status"]
            assert set(stage.events) == {"Pod a Warning NotDeleted: Pod was expected by PDB n/b to be deleted but it wasn't"}
            kept = meta.condition(stage.objects(PODS)[1], "DisruptionTarget")
            assert kept is not None
            assert kept["status"] == "False"

    asyncio.run(main())
