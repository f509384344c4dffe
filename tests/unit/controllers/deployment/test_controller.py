"""Rollouts as a whole: the Deployment and ReplicaSet controllers together, with pods that become ready when told to."""

import asyncio
from typing import Any

import pytest

from proa.api import meta
from proa.api.kinds import DEPLOYMENTS, PODS, REPLICA_SETS
from proa.api.meta import Object
from proa.controllers.context import ControllerContext
from proa.controllers.deployment.controller import build as build_deployment
from proa.controllers.rehearsal import Stage, rehearse
from proa.controllers.replica_set.controller import build as build_replica_set
from proa.lib.clock import format_time
from proa.lib.tasks import run_together


class Both:
    def __init__(self, context: ControllerContext) -> None:
        self.controllers = [build_deployment(context), build_replica_set(context)]

    async def run(self) -> None:
        await run_together(*(each.run() for each in self.controllers))


def deployment(replicas: int = 3, image: str = "v1", **spec: Any) -> Object:
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": image}]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "n", "uid": "d"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": "web"}},
            "template": template,
            "progressDeadlineSeconds": 600,
            "revisionHistoryLimit": 10,
            **spec,
        },
    }


async def run_pods(stage: Stage, *, rounds: int = 20) -> None:
    """Every pod becomes ready; terminating ones go."""
    for _ in range(rounds):
        now = format_time(stage.clock.now())
        for pod in stage.objects(PODS):
            if pod.get("status", {}).get("phase") != "Running":
                ready = {"type": "Ready", "status": "True", "lastTransitionTime": now}
                stage.client.modify({**pod, "status": {"phase": "Running", "conditions": [ready]}})
        await stage.settle()


async def set_image(stage: Stage, image: str) -> None:
    patch = {"spec": {"template": {"spec": {"containers": [{"name": "c", "image": image}]}}}}
    await stage.client.patch(DEPLOYMENTS, "web", patch, "n")
    await stage.settle()


def the_deployment(stage: Stage) -> Object:
    return stage.objects(DEPLOYMENTS)[0]


def sizes(stage: Stage) -> dict[str, int]:
    """Replicas by revision."""
    return {meta.annotations(each)["deployment.kubernetes.io/revision"]: each["spec"]["replicas"] for each in stage.objects(REPLICA_SETS)}


def conditions(stage: Stage) -> dict[str, tuple[str, str]]:
    return {each["type"]: (each["status"], each["reason"]) for each in the_deployment(stage)["status"]["conditions"]}


def test_a_new_deployment_becomes_available() -> None:
    async def main() -> None:
        async with rehearse(Both, deployment()) as stage:
            (replica_set,) = stage.objects(REPLICA_SETS)
            digest = meta.labels(replica_set)["pod-template-hash"]
            assert meta.name(replica_set) == f"web-{digest}"
            assert replica_set["spec"]["selector"]["matchLabels"] == {"app": "web", "pod-template-hash": digest}
            assert meta.annotations(replica_set) == {
                "deployment.kubernetes.io/revision": "1",
                "deployment.kubernetes.io/desired-replicas": "3",
                "deployment.kubernetes.io/max-replicas": "4",
            }
            assert f"Deployment web Normal ScalingReplicaSet: Scaled up replica set web-{digest} from 0 to 3" in stage.events
            assert conditions(stage) == {
                "Available": ("False", "MinimumReplicasUnavailable"),
                "Progressing": ("True", "ReplicaSetUpdated"),
            }
            await run_pods(stage)
            found = the_deployment(stage)
            told = found["status"].pop("conditions")
            assert found["status"] == {
                "replicas": 3, "updatedReplicas": 3, "readyReplicas": 3, "availableReplicas": 3, "terminatingReplicas": 0,
                "observedGeneration": 1,
            }  # fmt: skip
            assert sorted((each["type"], each["status"], each["reason"], each["message"]) for each in told) == [
                ("Available", "True", "MinimumReplicasAvailable", "Deployment has minimum availability."),
                ("Progressing", "True", "NewReplicaSetAvailable", f'ReplicaSet "web-{digest}" has successfully progressed.'),
            ]
            assert meta.annotations(found)["deployment.kubernetes.io/revision"] == "1"

    asyncio.run(main())


def test_a_rolling_update_keeps_its_bounds_and_finishes() -> None:
    async def main() -> None:
        rolling = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
        async with rehearse(Both, deployment(4, strategy=rolling)) as stage:
            await run_pods(stage)
            await set_image(stage, "v2")
            for _ in range(20):
                assert len(stage.objects(PODS)) <= 5
                ready = [pod for pod in stage.objects(PODS) if meta.condition(pod, "Ready")]
                assert len(ready) >= 4
                await run_pods(stage, rounds=1)
            assert sizes(stage) == {"1": 0, "2": 4}
            assert conditions(stage)["Progressing"] == ("True", "NewReplicaSetAvailable")
            assert meta.annotations(the_deployment(stage))["deployment.kubernetes.io/revision"] == "2"

    asyncio.run(main())


def test_undo_takes_the_old_replica_set_as_a_new_revision() -> None:
    async def main() -> None:
        async with rehearse(Both, deployment()) as stage:
            await run_pods(stage)
            first = meta.name(stage.objects(REPLICA_SETS)[0])
            await set_image(stage, "v2")
            await run_pods(stage)
            await set_image(stage, "v1")
            await run_pods(stage)
            assert sizes(stage) == {"2": 0, "3": 3}
            (revived,) = [each for each in stage.objects(REPLICA_SETS) if meta.name(each) == first]
            assert meta.annotations(revived)["deployment.kubernetes.io/revision-history"] == "1"

    asyncio.run(main())


def test_recreate_waits_until_every_old_pod_is_gone() -> None:
    async def main() -> None:
        async with rehearse(Both, deployment(2, strategy={"type": "Recreate"})) as stage:
            await run_pods(stage)
            lingering = {**stage.objects(PODS)[0]}
            lingering["metadata"]["finalizers"] = ["x/y"]
            stage.client.modify(lingering)
            await set_image(stage, "v2")
            await stage.settle(1)
            assert (sizes(stage), len(stage.objects(PODS))) == ({"1": 0}, 1)
            await stage.client.patch(PODS, meta.name(lingering), {"metadata": {"finalizers": None}}, "n")
            await stage.settle()
            await run_pods(stage)
            assert sizes(stage) == {"1": 0, "2": 2}

    asyncio.run(main())


def test_a_stalled_rollout_exceeds_its_deadline() -> None:
    async def main() -> None:
        async with rehearse(Both, deployment(progressDeadlineSeconds=10)) as stage:
            await stage.settle(12)
            assert conditions(stage)["Progressing"] == ("False", "ProgressDeadlineExceeded")
            await run_pods(stage)
            assert conditions(stage)["Progressing"] == ("True", "NewReplicaSetAvailable")

    asyncio.run(main())


def test_a_paused_deployment_scales_but_does_not_roll() -> None:
    async def main() -> None:
        async with rehearse(Both, deployment()) as stage:
            await run_pods(stage)
            await stage.client.patch(DEPLOYMENTS, "web", {"spec": {"paused": True, "replicas": 5}}, "n")
            await set_image(stage, "v2")
            assert (sizes(stage), conditions(stage)["Progressing"]) == ({"1": 5}, ("Unknown", "DeploymentPaused"))
            await stage.client.patch(DEPLOYMENTS, "web", {"spec": {"paused": False}}, "n")
            await stage.settle()
            await run_pods(stage)
            assert sizes(stage) == {"1": 0, "2": 5}

    asyncio.run(main())


def test_history_is_limited() -> None:
    async def main() -> None:
        async with rehearse(Both, deployment(1, revisionHistoryLimit=1)) as stage:
            for image in ("v2", "v3", "v4"):
                await run_pods(stage)
                await set_image(stage, image)
            await run_pods(stage)
            assert sizes(stage) == {"3": 0, "4": 1}

    asyncio.run(main())


@pytest.mark.parametrize("replicas", [0, 7])
def test_scaling_says_so_once(replicas: int) -> None:
    async def main() -> None:
        async with rehearse(Both, deployment()) as stage:
            await run_pods(stage)
            stage.events.clear()
            await stage.client.patch(DEPLOYMENTS, "web", {"spec": {"replicas": replicas}}, "n")
            await stage.settle()
            name = meta.name(stage.objects(REPLICA_SETS)[0])
            way = "up" if replicas else "down"
            scaled = [line for line in stage.events if "ScalingReplicaSet" in line]
            assert scaled == [f"Deployment web Normal ScalingReplicaSet: Scaled {way} replica set {name} from 3 to {replicas}"]

    asyncio.run(main())


def test_an_empty_selector_is_refused() -> None:
    async def main() -> None:
        async with rehearse(Both, deployment(selector={})) as stage:
            assert stage.objects(REPLICA_SETS) == []
            assert stage.events[0].startswith("Deployment web Warning SelectingAll: This deployment is selecting all pods.")

    asyncio.run(main())
