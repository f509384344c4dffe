"""The pods that tests of the store keep, and a store to keep them in."""

import asyncio
from collections.abc import Awaitable, Callable

from proa.api.meta import Object
from proa.storage.backends.memory import MemoryBackend
from proa.storage.interface import Collection
from proa.storage.store import Store

PODS = "/registry/pods/"


def pod(name: str, node: str = "", **labels: str) -> Object:
    metadata: Object = {"name": name, "namespace": "default"}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata | ({"labels": labels} if labels else {}), "spec": {"nodeName": node}}


def attributes(obj: Object) -> tuple[dict[str, str], dict[str, str]]:
    fields = {"metadata.name": obj["metadata"]["name"], "spec.nodeName": obj["spec"]["nodeName"]}
    return obj["metadata"].get("labels", {}), fields


def run(scenario: Callable[[Store, Collection], Awaitable[None]]) -> None:
    async def main() -> None:
        store = Store(MemoryBackend())
        pods = await store.collection(PODS, attributes)
        await store.start()
        try:
            await scenario(store, pods)
        finally:
            await store.stop()

    asyncio.run(main())


async def accept(obj: Object) -> None:
    return None


def to_node(node: str) -> Callable[[Object], Awaitable[Object]]:
    async def change(obj: Object) -> Object:
        obj["spec"]["nodeName"] = node
        return obj

    return change
