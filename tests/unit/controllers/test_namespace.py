"""Namespaces: emptied and let go, provided with an account and the root certificate."""

import asyncio
from typing import Any

from proa.api import meta
from proa.api.kinds import CONFIG_MAPS, DEPLOYMENTS, NAMESPACES, PODS, SERVICE_ACCOUNTS
from proa.controllers import root_ca, service_account
from proa.controllers.namespace import build
from proa.controllers.rehearsal import rehearse


def namespace(name: str = "n") -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}, "spec": {"finalizers": ["kubernetes"]}}


def member(kind: str, api_version: str = "v1", **metadata: Any) -> dict[str, Any]:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": "x", "namespace": "n", **metadata}, "spec": {}}


def test_everything_goes_pods_first_then_the_namespace() -> None:
    async def main() -> None:
        objects = [
            namespace(),
            member("Pod"),
            member("Deployment", "apps/v1"),
            {**member("ConfigMap"), "metadata": {"name": "y", "namespace": "o"}},
        ]
        async with rehearse(build, *objects) as stage:
            await stage.client.delete(NAMESPACES, "n")
            await stage.settle(5)
            assert (stage.objects(NAMESPACES), stage.objects(PODS), stage.objects(DEPLOYMENTS)) == ([], [], [])
            assert len(stage.objects(CONFIG_MAPS)) == 1
            assert [each.resource for each in stage.client.actions if each.verb == "deletecollection"] == ["pods", "deployments"]

    asyncio.run(main())


def test_what_is_held_is_told() -> None:
    async def main() -> None:
        held = member("Deployment", "apps/v1", finalizers=["example.com/guard"])
        async with rehearse(build, namespace(), held) as stage:
            await stage.client.delete(NAMESPACES, "n")
            await stage.settle(2)
            told = {each["type"]: (each["status"], each["message"]) for each in stage.objects(NAMESPACES)[0]["status"]["conditions"]}
            assert told == {
                "NamespaceDeletionDiscoveryFailure": ("False", "All resources successfully discovered"),
                "NamespaceDeletionGroupVersionParsingFailure": ("False", "All legacy kube types successfully parsed"),
                "NamespaceDeletionContentFailure": ("False", "All content successfully deleted, may be waiting on finalization"),
                "NamespaceContentRemaining": ("True", "Some resources are remaining: deployments.apps has 1 resource instances"),
                "NamespaceFinalizersRemaining": (
                    "True", "Some content in the namespace has finalizers remaining: example.com/guard in 1 resource instances",
                ),
            }  # fmt: skip
            await stage.client.patch(DEPLOYMENTS, "x", {"metadata": {"finalizers": None}}, "n")
            await stage.settle(3)
            assert stage.objects(NAMESPACES) == []

    asyncio.run(main())


def test_every_namespace_keeps_a_default_account() -> None:
    async def main() -> None:
        async with rehearse(service_account.build, namespace()) as stage:
            stage.client.add(namespace("late"))
            await stage.client.delete(SERVICE_ACCOUNTS, "default", "n")
            await stage.settle()
            assert [meta.key(each) for each in stage.objects(SERVICE_ACCOUNTS)] == ["late/default", "n/default"]

    asyncio.run(main())


def test_the_root_certificate_is_published_and_restored() -> None:
    async def main() -> None:
        async with rehearse(root_ca.build, namespace(), root_ca="PEM") as stage:
            await stage.client.patch(CONFIG_MAPS, "kube-root-ca.crt", {"data": {"ca.crt": "forged"}}, "n")
            await stage.settle()
            (found,) = stage.objects(CONFIG_MAPS)
            assert (meta.key(found), found["data"]) == ("n/kube-root-ca.crt", {"ca.crt": "PEM"})

    asyncio.run(main())
