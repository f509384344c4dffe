"""ReplicationControllers, by the same code as ReplicaSets."""

import asyncio
from typing import Any

from proa.api import meta
from proa.api.kinds import PODS, REPLICATION_CONTROLLERS
from proa.api.meta import Object
from proa.controllers.rehearsal import rehearse
from proa.controllers.replica_set.controller import build_replication

REFERENCE = {
    "apiVersion": "v1",
    "kind": "ReplicationController",
    "name": "web",
    "uid": "rc",
    "controller": True,
    "blockOwnerDeletion": True,
}


def controller(replicas: int, **spec: Any) -> Object:
    template = {"metadata": {"labels": {"app": "web", "tier": "front"}}, "spec": {"containers": [{"name": "c"}]}}
    return {
        "apiVersion": "v1", "kind": "ReplicationController", "metadata": {"name": "web", "namespace": "n", "uid": "rc"},
        "spec": {"replicas": replicas, "selector": {"app": "web"}, "template": template, **spec},
    }  # fmt: skip


def pod(name: str, app: str, **metadata: Any) -> Object:
    labels = {"app": app, "tier": "front"}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "n", "labels": labels, **metadata}, "spec": {}}


def test_pods_are_created_for_it_and_its_status_has_its_own_fields() -> None:
    async def main() -> None:
        async with rehearse(build_replication, controller(2)) as stage:
            assert [meta.owner_references(each) for each in stage.objects(PODS)] == [[REFERENCE]] * 2
            status = stage.objects(REPLICATION_CONTROLLERS)[0]["status"]
            assert (status["replicas"], status["fullyLabeledReplicas"], "terminatingReplicas" in status) == (2, 2, False)
            assert stage.events[0].startswith("ReplicationController web Normal SuccessfulCreate: Created pod: web-")

    asyncio.run(main())


def test_its_map_selector_adopts_and_releases() -> None:
    async def main() -> None:
        leaving = pod("leaving", "other", ownerReferences=[REFERENCE])
        async with rehearse(build_replication, controller(1), pod("orphan", "web"), leaving) as stage:
            owners = {meta.name(each): meta.owner_references(each) for each in stage.objects(PODS)}
            assert owners == {"orphan": [REFERENCE], "leaving": []}

    asyncio.run(main())
