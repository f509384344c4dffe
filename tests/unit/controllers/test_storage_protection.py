"""Claims, volumes and attributes classes that are deleted stay as long as they are used."""

import asyncio
from typing import Any

import pytest

from proa.api import meta
from proa.api.kinds import PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES, PODS, VOLUME_ATTRIBUTES_CLASSES
from proa.api.resource import ResourceId
from proa.controllers import pv_protection, pvc_protection, vac_protection
from proa.controllers.context import ControllerContext
from proa.controllers.rehearsal import Stage, rehearse
from proa.runtime.manager import Runnable

DELETED = "2030-01-01T00:00:00Z"
CLAIMED = [{"name": "v", "persistentVolumeClaim": {"claimName": "c"}}]


def claim(**metadata: Any) -> dict[str, Any]:
    about = {"name": "c", "namespace": "n", "finalizers": [pvc_protection.FINALIZER], **metadata}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": about, "spec": {}}


def pod(volumes: list[dict[str, Any]], node: str = "a", phase: str = "Running", name: str = "p") -> dict[str, Any]:
    about = {"name": name, "namespace": "n", "uid": f"uid-{name}"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": about,
        "spec": {"nodeName": node, "volumes": volumes},
        "status": {"phase": phase},
    }


def finalizers(stage: Stage, resource: ResourceId) -> list[list[str]]:
    return [meta.finalizers(each) for each in stage.objects(resource)]


OWNED = [{"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": "uid-p", "controller": True}]
EPHEMERAL = [{"name": "v", "ephemeral": {}}]


@pytest.mark.parametrize(
    ("objects", "left"),
    [
        ([claim(deletionTimestamp=DELETED)], []),
        ([claim(deletionTimestamp=DELETED), pod(CLAIMED)], [[pvc_protection.FINALIZER]]),
        ([claim(deletionTimestamp=DELETED), pod(CLAIMED, node="")], []),
        ([claim(deletionTimestamp=DELETED), pod(CLAIMED, phase="Succeeded")], []),
        ([claim(deletionTimestamp=DELETED), pod([])], []),
        ([claim(name="p-v", deletionTimestamp=DELETED, ownerReferences=OWNED), pod(EPHEMERAL)], [[pvc_protection.FINALIZER]]),
        ([claim(name="p-v", deletionTimestamp=DELETED), pod(EPHEMERAL)], []),
        ([claim(finalizers=[])], [[pvc_protection.FINALIZER]]),
        ([claim(deletionTimestamp=DELETED, finalizers=["a/b", pvc_protection.FINALIZER])], [["a/b"]]),
    ],
)
def test_claims(objects: list[dict[str, Any]], left: list[list[str]]) -> None:
    assert settled(pvc_protection.build, objects, PERSISTENT_VOLUME_CLAIMS) == left


def settled(build: Any, objects: list[dict[str, Any]], resource: ResourceId) -> list[list[str]]:
    async def main() -> list[list[str]]:
        async with rehearse(build, *objects, resources=(VOLUME_ATTRIBUTES_CLASSES,)) as stage:
            return finalizers(stage, resource)

    return asyncio.run(main())


def test_a_claim_goes_with_its_last_pod() -> None:
    def build(context: ControllerContext) -> Runnable:
        return pvc_protection.build(context)

    async def main() -> None:
        async with rehearse(build, claim(deletionTimestamp=DELETED), pod(CLAIMED)) as stage:
            assert finalizers(stage, PERSISTENT_VOLUME_CLAIMS) == [[pvc_protection.FINALIZER]]
            await stage.client.delete(PODS, "p", "n", grace_period_seconds=0)
            await stage.settle()
            assert finalizers(stage, PERSISTENT_VOLUME_CLAIMS) == []

    asyncio.run(main())


@pytest.mark.parametrize(("phase", "left"), [("Bound", [[pv_protection.FINALIZER]]), ("Released", []), ("Available", [])])
def test_volumes(phase: str, left: list[list[str]]) -> None:
    about = {"name": "v", "finalizers": [pv_protection.FINALIZER], "deletionTimestamp": DELETED}
    volume = {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": about, "spec": {}, "status": {"phase": phase}}
    assert settled(pv_protection.build, [volume], PERSISTENT_VOLUMES) == left


@pytest.mark.parametrize(("used", "left"), [("gold", [[vac_protection.FINALIZER]]), ("silver", [])])
def test_attributes_classes(used: str, left: list[list[str]]) -> None:
    about = {"name": "gold", "finalizers": [vac_protection.FINALIZER], "deletionTimestamp": DELETED}
    found = {"apiVersion": "storage.k8s.io/v1", "kind": "VolumeAttributesClass", "metadata": about}
    user = {**claim(), "spec": {"volumeAttributesClassName": used}}
    assert settled(vac_protection.build, [found, user], VOLUME_ATTRIBUTES_CLASSES) == left
