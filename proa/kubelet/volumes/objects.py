"""The config maps and secrets that pods of this node refer to, each watched by itself: a node may not list others.

The first read asks the API at once; a watch then keeps the object fresh as long as a pod refers to it, and tells those pods of changes.
"""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import field

from proa.api import meta
from proa.api.errors import NotFound
from proa.api.kinds import CONFIG_MAPS, SECRETS
from proa.api.meta import Object
from proa.client.informer import Informer
from proa.client.interface import Client, Handlers
from proa.kubelet import pod_spec
from proa.lib.clock import Clock
from proa.lib.dataclass import dataclass
from proa.lib.tasks import TaskSet

Reference = tuple[str, str, str]
"""(kind, namespace, name); kind is `configmap` or `secret`."""
_RESOURCES = {"configmap": CONFIG_MAPS, "secret": SECRETS}


@dataclass(slots=True)
class _Watched:
    informer: Informer
    task: "asyncio.Task[None]"
    pods: set[str] = field(default_factory=set)


def references(pod: Object) -> set[Reference]:
    """Everything that the pod's volumes and environments name."""
    return {(kind, meta.namespace(pod), name) for kind, name in [*_of_volumes(pod), *_of_environments(pod)] if name}


def _of_volumes(pod: Object) -> Iterator[tuple[str, str]]:
    for volume in pod["spec"].get("volumes") or []:
        for source in [volume, *((volume.get("projected") or {}).get("sources") or [])]:
            if own := source.get("configMap"):
                yield "configmap", own.get("name", "")
            if own := source.get("secret"):
                yield "secret", own.get("secretName") or own.get("name", "")


def _of_environments(pod: Object) -> Iterator[tuple[str, str]]:
    for _, container in pod_spec.all_containers(pod):
        for source in container.get("envFrom") or []:
            yield "configmap", (source.get("configMapRef") or {}).get("name", "")
            yield "secret", (source.get("secretRef") or {}).get("name", "")
        for entry in container.get("env") or []:
            value = entry.get("valueFrom") or {}
            yield "configmap", (value.get("configMapKeyRef") or {}).get("name", "")
            yield "secret", (value.get("secretKeyRef") or {}).get("name", "")


class WatchedObjects:
    """`changed(pod_uid)` is called when something that the pod refers to has changed."""

    def __init__(self, client: Client, changed: Callable[[str], None], clock: Clock) -> None:
        self._client, self._changed, self._clock = client, changed, clock
        self._watched: dict[Reference, _Watched] = {}
        self._tasks = TaskSet()

    def register(self, pod: Object) -> None:
        """Watch what the pod refers to now, and no longer what it does not."""
        wanted = references(pod)
        self.unregister(meta.uid(pod), keep=wanted)
        for reference in wanted:
            if reference not in self._watched:
                self._watched[reference] = self._watch(reference)
            self._watched[reference].pods.add(meta.uid(pod))

    def unregister(self, uid: str, keep: set[Reference] | frozenset[Reference] = frozenset()) -> None:
        for reference, watched in list(self._watched.items()):
            if reference not in keep:
                watched.pods.discard(uid)
                if not watched.pods:
                    watched.task.cancel()
                    del self._watched[reference]

    async def read(self, kind: str, namespace: str, name: str) -> Object | None:
        """The object, None if there is none; raises what the API answers else."""
        watched = self._watched.get((kind, namespace, name))
        if watched is not None and watched.informer.has_synced:
            return watched.informer.lister.get(f"{namespace}/{name}")
        try:
            return await self._client.get(_RESOURCES[kind], name, namespace)
        except NotFound:
            return None

    async def read_all(self, pod: Object) -> dict[Reference, Object | None]:
        wanted = sorted(references(pod))
        found = await asyncio.gather(*(self.read(*reference) for reference in wanted))
        return dict(zip(wanted, found, strict=True))

    async def close(self) -> None:
        await self._tasks.cancel()

    def _watch(self, reference: Reference) -> _Watched:
        kind, namespace, name = reference
        informer = Informer(self._client, _RESOURCES[kind], namespace=namespace, field_selector=f"metadata.name={name}", clock=self._clock)

        def tell(*_: Object) -> None:
            for uid in self._watched[reference].pods if reference in self._watched else ():
                self._changed(uid)

        informer.add_handlers(Handlers(add=tell, update=tell, delete=tell))
        return _Watched(informer, self._tasks.spawn(informer.run(), f"watch of {kind} {namespace}/{name}"))
