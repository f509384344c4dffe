"""All ClusterTrustBundles, watched from the moment that the first pod on this node projects one: nobody else pays for it.

The newest version of the kind that the API serves is taken, as it may be older than this agent or have the kind switched off.
"""

import asyncio
import os
from collections.abc import Callable

import orjson

from proa.api import meta
from proa.api.kinds import CLUSTER_TRUST_BUNDLES
from proa.api.meta import Object
from proa.api.resource import ResourceId
from proa.client.informer import Informer
from proa.client.interface import Client, Handlers
from proa.kubelet.volumes.payload import PayloadError
from proa.kubelet.volumes.trust_anchors import trust_anchors
from proa.lib.clock import Clock
from proa.lib.tasks import TaskSet

VERSIONS = ("v1", "v1beta1", "v1alpha1")
PATIENCE = 5.0
"""Seconds for which a pod's first volume waits for the list of bundles."""


class TrustBundles:
    """`changed(pod_uid)` is called for every pod that projects bundles when any of them has changed."""

    def __init__(self, client: Client, changed: Callable[[str], None], clock: Clock) -> None:
        self._client, self._changed, self._clock = client, changed, clock
        self._salt = os.urandom(16)
        self._informer: Informer | None = None
        self._choosing = asyncio.Lock()
        self._pods: set[str] = set()
        self._tasks = TaskSet()

    async def read(self, pod: Object, source: Object) -> bytes:
        """The file of one source. Raises PayloadError, or what the API answers."""
        self._pods.add(meta.uid(pod))
        informer = await self._synced()
        return trust_anchors(source, {meta.name(each): each for each in informer.lister.list()}, self._salt)

    def forget(self, uid: str) -> None:
        self._pods.discard(uid)

    async def close(self) -> None:
        await self._tasks.cancel()

    async def _synced(self) -> Informer:
        async with self._choosing:
            if self._informer is None:
                self._informer = await self._start()
        try:
            async with asyncio.timeout(PATIENCE):
                await self._informer.wait_synced()
        except TimeoutError:
            raise PayloadError("ClusterTrustBundle informer has not yet synced") from None
        return self._informer

    async def _start(self) -> Informer:
        informer = Informer(self._client, await self._served(), clock=self._clock)
        informer.add_handlers(Handlers(add=self._tell, update=self._tell, delete=self._tell))
        self._tasks.spawn(informer.run(), "watch of cluster trust bundles")
        return informer

    async def _served(self) -> ResourceId:
        """Asked again at the next attempt where there is none: the API server may be restarted with the kind switched on."""
        for version in VERSIONS:
            status, _, body = await self._client.request("GET", f"/apis/{CLUSTER_TRUST_BUNDLES.group}/{version}")
            if status == 200 and CLUSTER_TRUST_BUNDLES.plural in {each.get("name") for each in orjson.loads(body).get("resources") or []}:
                return ResourceId(CLUSTER_TRUST_BUNDLES.group, version, CLUSTER_TRUST_BUNDLES.plural, CLUSTER_TRUST_BUNDLES.kind, False)
        raise PayloadError("no version of the ClusterTrustBundle API was found; ClusterTrustBundle projection is not supported")

    def _tell(self, *_: Object) -> None:
        for uid in list(self._pods):
            self._changed(uid)
