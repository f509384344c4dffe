"""The status of quotas follows what is there."""

import asyncio
from typing import Any

from proa.api.kinds import CONFIG_MAPS, DEPLOYMENTS, PODS, RESOURCE_QUOTAS, SERVICES
from proa.controllers.rehearsal import Stage, rehearse
from proa.controllers.resource_quota import build


def quota(hard: dict[str, str], **spec: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "q", "namespace": "n"}, "spec": {"hard": hard, **spec}}


def member(kind: str, name: str, api_version: str = "v1", namespace: str = "n", **fields: Any) -> dict[str, Any]:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name, "namespace": namespace}, **fields}


def pod(name: str, cpu: str = "100m", **spec: Any) -> dict[str, Any]:
    container = {"name": "c", "resources": {"requests": {"cpu": cpu}}}
    return member("Pod", name, spec={"containers": [container], **spec}, status={"phase": "Running"})


def status(stage: Stage) -> Any:
    return stage.objects(RESOURCE_QUOTAS)[0].get("status")


def test_compute_services_and_counts() -> None:
    async def main() -> None:
        service = member("Service", "s", spec={"type": "NodePort", "ports": [{"port": 1}, {"port": 2}]})
        hard = {
            "pods": "5",
            "requests.cpu": "2",
            "services.nodeports": "3",
            "count/deployments.apps": "1",
            "configmaps": "4",
            "count/x.y": "1",
        }
        objects = (
            quota(hard), pod("a"), pod("b", "500m"), member("Pod", "c", namespace="other", spec={}), service,
            member("ConfigMap", "m"), member("Deployment", "d", "apps/v1"),
        )  # fmt: skip
        async with rehearse(build, *objects) as stage:
            used = {"configmaps": "1", "count/deployments.apps": "1", "pods": "2", "requests.cpu": "600m", "services.nodeports": "2"}
            assert status(stage) == {"hard": hard, "used": used}
            await stage.client.delete(PODS, "a", "n")
            await stage.client.delete(CONFIG_MAPS, "m", "n")
            await stage.client.delete(DEPLOYMENTS, "d", "n")
            await stage.client.patch(SERVICES, "s", {"spec": {"type": "ClusterIP"}}, "n")
            await stage.settle(1)
            left = {"configmaps": "0", "count/deployments.apps": "0", "pods": "1", "requests.cpu": "500m", "services.nodeports": "0"}
            assert status(stage)["used"] == left

    asyncio.run(main())


def test_finished_pods_use_nothing_but_their_place() -> None:
    async def main() -> None:
        async with rehearse(build, quota({"pods": "5", "count/pods": "5"}), pod("a"), pod("b")) as stage:
            await stage.client.patch(PODS, "a", {"status": {"phase": "Succeeded"}}, "n", subresource="status")
            await stage.settle(1)
            assert status(stage)["used"] == {"count/pods": "2", "pods": "1"}

    asyncio.run(main())


def test_scopes_select_pods() -> None:
    async def main() -> None:
        async with rehearse(build, quota({"pods": "5"}, scopes=["Terminating"]), pod("a"), pod("b", activeDeadlineSeconds=5)) as stage:
            assert status(stage)["used"] == {"pods": "1"}

    asyncio.run(main())


def test_new_limits_and_lost_charges_are_noticed() -> None:
    async def main() -> None:
        async with rehearse(build, quota({"pods": "5"}), pod("a")) as stage:
            await stage.client.patch(RESOURCE_QUOTAS, "q", {"spec": {"hard": {"pods": "0.5k"}}}, "n")
            await stage.settle(1)
            assert status(stage) == {"hard": {"pods": "500"}, "used": {"pods": "1"}}
            await stage.client.patch(RESOURCE_QUOTAS, "q", {"status": {"used": {"pods": "7"}}}, "n", subresource="status")
            await stage.settle(1)
            assert status(stage)["used"] == {"pods": "7"}
            await stage.settle(300)
            assert status(stage)["used"] == {"pods": "1"}

    asyncio.run(main())
