"""The ReplicaSet controller as a whole."""

import asyncio
from typing import Any

from proa.api import errors, meta
from proa.api.kinds import PODS, REPLICA_SETS
from proa.api.meta import Object
from proa.client.fake import Action
from proa.controllers.rehearsal import rehearse
from proa.controllers.replica_set.controller import build


def replica_set(replicas: int = 3, **spec: Any) -> Object:
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c"}]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {"name": "web", "namespace": "n", "uid": "rs"},
        "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": "web"}}, "template": template, **spec},
    }


def pod(name: str, **metadata: Any) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "n", "labels": {"app": "web"}, **metadata},
        "spec": {},
        "status": {"phase": "Running"},
    }


REFERENCE = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "uid": "rs", "controller": True, "blockOwnerDeletion": True}


def test_pods_are_created_replaced_and_told_about() -> None:
    async def main() -> None:
        async with rehearse(build, replica_set()) as stage:
            created = stage.objects(PODS)
            assert [each["metadata"]["ownerReferences"] for each in created] == [[REFERENCE]] * 3
            assert [each["spec"] for each in created] == [{"containers": [{"name": "c"}]}] * 3
            assert stage.events == [f"ReplicaSet web Normal SuccessfulCreate: Created pod: {meta.name(each)}" for each in created]
            assert stage.objects(REPLICA_SETS)[0]["status"]["replicas"] == 3
            await stage.client.delete(PODS, meta.name(created[0]), "n")
            await stage.settle()
            assert len(stage.objects(PODS)) == 3

    asyncio.run(main())


def test_scaling_down_deletes_with_events() -> None:
    async def main() -> None:
        async with rehearse(build, replica_set()) as stage:
            before = {meta.name(each) for each in stage.objects(PODS)}
            stage.events.clear()
            await stage.client.patch(REPLICA_SETS, "web", {"spec": {"replicas": 1}}, "n")
            await stage.settle()
            gone = before - {meta.name(each) for each in stage.objects(PODS)}
            assert len(gone) == 2
            assert set(stage.events) == {f"ReplicaSet web Normal SuccessfulDelete: Deleted pod: {name}" for name in gone}

    asyncio.run(main())


def test_orphans_are_adopted_and_strangers_released() -> None:
    async def main() -> None:
        leaving = pod("leaving", ownerReferences=[REFERENCE], labels={"app": "other"})
        async with rehearse(build, replica_set(1), pod("orphan"), leaving) as stage:
            owners = {meta.name(each): meta.owner_references(each) for each in stage.objects(PODS)}
            assert owners == {"orphan": [REFERENCE], "leaving": []}
            assert stage.events == []

    asyncio.run(main())


def test_failure_to_create_becomes_a_condition_and_is_tried_again() -> None:
    async def main() -> None:
        async with rehearse(build) as stage:
            refusals = [errors.Forbidden("exceeded quota")] * 2

            def refuse(action: Action) -> None:
                if refusals:
                    raise refusals.pop()

            stage.client.react("create", "pods", refuse)
            stage.client.add(replica_set(2))
            await stage.clock.advance(0)
            await stage.clock.advance(0)
            condition = meta.condition(stage.objects(REPLICA_SETS)[0], "ReplicaFailure")
            assert condition is not None
            assert (condition["reason"], condition["message"]) == ("FailedCreate", "exceeded quota")
            await stage.settle(1)
            assert len(stage.objects(PODS)) == 2
            assert meta.condition(stage.objects(REPLICA_SETS)[0], "ReplicaFailure") is None
            assert stage.events[0] == "ReplicaSet web Warning FailedCreate: Error creating: exceeded quota"

    asyncio.run(main())


def test_min_ready_seconds_are_waited_for() -> None:
    async def main() -> None:
        async with rehearse(build, replica_set(1, minReadySeconds=10)) as stage:
            (created,) = stage.objects(PODS)
            ready = {"type": "Ready", "status": "True", "lastTransitionTime": "2030-01-01T00:00:00Z"}
            stage.client.modify({**created, "status": {"phase": "Running", "conditions": [ready]}})
            await stage.settle()
            assert "availableReplicas" not in stage.objects(REPLICA_SETS)[0]["status"]
            await stage.settle(10)
            assert stage.objects(REPLICA_SETS)[0]["status"]["availableReplicas"] == 1

    asyncio.run(main())


def test_a_deleted_replica_set_neither_creates_nor_adopts() -> None:
    async def main() -> None:
        dying = replica_set()
        dying["metadata"] |= {"deletionTimestamp": "2030-01-01T00:00:00Z", "finalizers": ["foregroundDeletion"]}
        async with rehearse(build, dying, pod("orphan")) as stage:
            assert [meta.owner_references(each) for each in stage.objects(PODS)] == [[]]

    asyncio.run(main())
