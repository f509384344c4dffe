"""A PersistentVolume that is deleted stays as long as it is bound to a claim."""

from proa.api import meta
from proa.api.kinds import PERSISTENT_VOLUMES
from proa.api.meta import Object
from proa.client.interface import Handlers
from proa.controllers.context import ControllerContext
from proa.controllers.protection import settle
from proa.runtime.controller import Controller
from proa.runtime.reconciler import DONE, Result

FINALIZER = "kubernetes.io/pv-protection"


def build(context: ControllerContext) -> Controller:
    reconciler = VolumeProtection(context)
    return context.controller(reconciler, reconciler.queue)


class VolumeProtection:
    def __init__(self, context: ControllerContext) -> None:
        self._client = context.client
        self.queue = context.queue()
        self._volumes = context.informers.informer(PERSISTENT_VOLUMES)
        self._volumes.add_handlers(Handlers(add=self._volume, update=lambda old, new: self._volume(new)))

    async def reconcile(self, key: str) -> Result:
        volume = self._volumes.lister.get(key)
        if volume is not None:
            bound = (volume.get("status") or {}).get("phase") == "Bound"
            await settle(self._client, PERSISTENT_VOLUMES, volume, FINALIZER, in_use=bound)
        return DONE

    def _volume(self, volume: Object) -> None:
        if meta.is_terminating(volume) == (FINALIZER in meta.finalizers(volume)):
            self.queue.add(meta.key(volume))
