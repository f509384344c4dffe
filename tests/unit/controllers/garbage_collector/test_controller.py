"""Collection over all resources: background, foreground, orphans, absent owners, namespaces, circles."""

import asyncio
from typing import Any

from proa.api import meta
from proa.api.errors import ServiceUnavailable
from proa.api.kinds import CONFIG_MAPS, DEPLOYMENTS, NODES, PODS, REPLICA_SETS
from proa.api.meta import Object
from proa.client.fake import Action, FakeClient
from proa.controllers.context import ControllerContext
from proa.controllers.garbage_collector.controller import build
from proa.controllers.rehearsal import Stage, rehearse
from proa.runtime.manager import Runnable

KINDS = {"Deployment": "apps/v1", "ReplicaSet": "apps/v1", "Pod": "v1", "ConfigMap": "v1", "Node": "v1", "Widget": "example.com/v1"}


def thing(kind: str, name: str, *owners: Object, namespace: str = "n", finalizers: tuple[str, ...] = ()) -> Object:
    metadata: dict[str, Any] = {"name": name, "uid": name}
    if kind != "Node":
        metadata["namespace"] = namespace
    if owners:
        metadata["ownerReferences"] = list(owners)
    if finalizers:
        metadata["finalizers"] = list(finalizers)
    return {"apiVersion": KINDS[kind], "kind": kind, "metadata": metadata, "spec": {}}


def owner(kind: str, name: str, *, uid: str = "", blocks: bool = True) -> Object:
    return {"apiVersion": KINDS[kind], "kind": kind, "name": name, "uid": uid or name, "controller": False, "blockOwnerDeletion": blocks}


DEPLOYMENT = thing("Deployment", "d")
REPLICA_SET = thing("ReplicaSet", "r", owner("Deployment", "d"))
POD = thing("Pod", "p", owner("ReplicaSet", "r"))


def names(stage: Stage) -> set[str]:
    return {meta.name(each) for resource in (DEPLOYMENTS, REPLICA_SETS, PODS, CONFIG_MAPS, NODES) for each in stage.objects(resource)}


def test_background_deletion_cascades() -> None:
    async def main() -> None:
        async with rehearse(build, DEPLOYMENT, REPLICA_SET, POD, thing("Pod", "alone")) as stage:
            assert names(stage) == {"d", "r", "p", "alone"}
            await stage.client.delete(DEPLOYMENTS, "d", "n", propagation_policy="Background")
            await stage.settle()
            assert names(stage) == {"alone"}

    asyncio.run(main())


def test_foreground_deletion_waits_for_blocking_dependents() -> None:
    async def main() -> None:
        held = thing("Pod", "p", owner("ReplicaSet", "r"), finalizers=("example.com/guard",))
        free = thing("Pod", "free", owner("ReplicaSet", "r", blocks=False), finalizers=("example.com/guard",))
        async with rehearse(build, REPLICA_SET, DEPLOYMENT, held, free) as stage:
            await stage.client.delete(DEPLOYMENTS, "d", "n", propagation_policy="Foreground")
            await stage.settle()
            assert names(stage) == {"d", "r", "p", "free"}
            assert all(meta.is_terminating(each) for each in stage.objects(PODS))
            await stage.client.patch(PODS, "p", {"metadata": {"finalizers": None}}, "n")
            await stage.settle()
            assert names(stage) == {"free"}

    asyncio.run(main())


def test_orphaning_keeps_dependents_and_forgets_the_owner() -> None:
    async def main() -> None:
        async with rehearse(build, DEPLOYMENT, REPLICA_SET, POD) as stage:
            await stage.client.delete(DEPLOYMENTS, "d", "n", propagation_policy="Orphan")
            await stage.settle()
            assert names(stage) == {"r", "p"}
            assert meta.owner_references(stage.objects(REPLICA_SETS)[0]) == []

    asyncio.run(main())


def test_objects_of_absent_owners_go_also_if_a_namesake_lives() -> None:
    async def main() -> None:
        orphan = thing("Pod", "orphan", owner("ReplicaSet", "nobody"))
        stale = thing("Pod", "stale", owner("Deployment", "d", uid="earlier"))
        async with rehearse(build, DEPLOYMENT, orphan, stale) as stage:
            assert names(stage) == {"d"}

    asyncio.run(main())


def test_one_solid_owner_keeps_and_dangling_ones_are_cut_off() -> None:
    async def main() -> None:
        shared = thing("ConfigMap", "c", owner("Deployment", "d"), owner("ReplicaSet", "nobody"))
        async with rehearse(build, DEPLOYMENT, shared) as stage:
            assert names(stage) == {"d", "c"}
            assert [each["name"] for each in meta.owner_references(stage.objects(CONFIG_MAPS)[0])] == ["d"]

    asyncio.run(main())


def test_an_owner_in_another_namespace_is_no_owner() -> None:
    async def main() -> None:
        stranger = thing("ConfigMap", "c", owner("Deployment", "d"), namespace="other")
        async with rehearse(build, DEPLOYMENT, stranger) as stage:
            assert names(stage) == {"d"}

    asyncio.run(main())


def test_a_cluster_scoped_object_with_a_namespaced_owner_stays() -> None:
    async def main() -> None:
        async with rehearse(build, thing("Node", "node", owner("Deployment", "nobody"))) as stage:
            assert names(stage) == {"node"}
            assert [line.split(":")[0] for line in stage.events] == ["Node node Warning OwnerRefInvalidNamespace"]

    asyncio.run(main())


def test_owners_of_unknown_kinds_are_not_judged() -> None:
    async def main() -> None:
        async with rehearse(build, thing("ConfigMap", "c", owner("Widget", "w"))) as stage:
            await stage.settle(60)
            assert names(stage) == {"c"}

    asyncio.run(main())


def test_a_circle_in_the_foreground_ends() -> None:
    async def main() -> None:
        one = thing("ConfigMap", "one", owner("ConfigMap", "two"))
        two = thing("ConfigMap", "two", owner("ConfigMap", "one"))
        async with rehearse(build, one, two) as stage:
            await stage.client.delete(CONFIG_MAPS, "one", "n", propagation_policy="Foreground")
            await stage.settle()
            assert names(stage) == set()

    asyncio.run(main())


def test_a_kind_that_can_not_be_read_keeps_no_other_from_being_collected_for_long() -> None:
    def unreadable(context: ControllerContext) -> Runnable:
        def refuse(action: Action) -> None:
            raise ServiceUnavailable("the extension server is down")

        assert isinstance(context.client, FakeClient)
        for verb in ("list", "watch"):
            context.client.react(verb, "nodes", refuse)
        return build(context)

    async def main() -> None:
        async with rehearse(unreadable, DEPLOYMENT, REPLICA_SET, POD) as stage:
            await stage.client.delete(DEPLOYMENTS, "d", "n", propagation_policy="Background")
            await stage.settle(10)
            assert names(stage) == {"r", "p"}
            await stage.settle(31)
            await stage.settle(1)
            assert names(stage) == set()

    asyncio.run(main())
