"""A VolumeAttributesClass that is deleted stays as long as a claim or a volume names it."""

from proa.api import meta
from proa.api.kinds import PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES, VOLUME_ATTRIBUTES_CLASSES
from proa.api.meta import Object
from proa.client.interface import Handlers
from proa.controllers.context import ControllerContext
from proa.controllers.protection import settle
from proa.runtime.controller import Controller
from proa.runtime.reconciler import DONE, Result

FINALIZER = "kubernetes.io/vac-protection"
BY_CLASS = "volume-attributes-class"


def build(context: ControllerContext) -> Controller:
    reconciler = AttributesClassProtection(context)
    return context.controller(reconciler, reconciler.queue)


def classes_of(obj: Object) -> list[str]:
    """That a claim or volume asks for, has, or is on its way to."""
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    target = (status.get("modifyVolumeStatus") or {}).get("targetVolumeAttributesClassName")
    named = (spec.get("volumeAttributesClassName"), status.get("currentVolumeAttributesClassName"), target)
    return sorted({each for each in named if each})


class AttributesClassProtection:
    def __init__(self, context: ControllerContext) -> None:
        self._client = context.client
        self.queue = context.queue()
        self._classes = context.informers.informer(VOLUME_ATTRIBUTES_CLASSES)
        self._users = [context.informers.informer(each) for each in (PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES)]
        self._classes.add_handlers(Handlers(add=self._class, update=lambda old, new: self._class(new)))
        for users in self._users:
            users.add_indexers({BY_CLASS: classes_of})
            users.add_handlers(Handlers(update=lambda old, new: self._user(old), delete=self._user))

    async def reconcile(self, key: str) -> Result:
        found = self._classes.lister.get(key)
        if found is not None:
            in_use = any(users.lister.by_index(BY_CLASS, key) for users in self._users)
            await settle(self._client, VOLUME_ATTRIBUTES_CLASSES, found, FINALIZER, in_use=in_use)
        return DONE

    def _class(self, found: Object) -> None:
        if meta.is_terminating(found) == (FINALIZER in meta.finalizers(found)):
            self.queue.add(meta.key(found))

    def _user(self, obj: Object) -> None:
        for name in classes_of(obj):
            self.queue.add(name)
