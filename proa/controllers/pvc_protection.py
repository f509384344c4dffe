"""A PersistentVolumeClaim that is deleted stays until no pod uses it any more.

Pods that no node has been chosen for don't count: no kubelet starts a pod whose claim is being deleted. Nor do pods that have finished.
"""

from collections.abc import Iterable

from proa.api import meta
from proa.api.errors import NotFound
from proa.api.kinds import PERSISTENT_VOLUME_CLAIMS, PODS
from proa.api.meta import Object
from proa.client.interface import Handlers
from proa.controllers import pods
from proa.controllers.context import ControllerContext
from proa.controllers.protection import settle
from proa.runtime.controller import Controller
from proa.runtime.reconciler import DONE, Result

FINALIZER = "kubernetes.io/pvc-protection"
BY_CLAIM = "claim"


def build(context: ControllerContext) -> Controller:
    reconciler = ClaimProtection(context)
    return context.controller(reconciler, reconciler.queue)


def claims_of(pod: Object) -> list[str]:
    """Keys of the claims that a pod's volumes name, those made for the pod (ephemeral volumes) included."""
    namespace, name = meta.namespace(pod), meta.name(pod)
    names = []
    for volume in (pod.get("spec") or {}).get("volumes") or ():
        if volume.get("persistentVolumeClaim"):
            names.append(volume["persistentVolumeClaim"]["claimName"])
        elif volume.get("ephemeral") is not None:
            names.append(f"{name}-{volume['name']}")
    return [f"{namespace}/{each}" for each in names]


def is_used(claim: Object, using: Iterable[Object]) -> bool:
    """By one of the pods that name it. A claim of an ephemeral volume's name that another pod owns is not that volume's."""
    return any(pods.node_name(pod) and not pods.is_finished(pod) and _is_its_own(claim, pod) for pod in using)


def _is_its_own(claim: Object, pod: Object) -> bool:
    named = {
        volume["persistentVolumeClaim"]["claimName"]
        for volume in (pod.get("spec") or {}).get("volumes") or ()
        if volume.get("persistentVolumeClaim")
    }
    owner = meta.controller_of(claim)
    return meta.name(claim) in named or (owner is not None and owner.get("uid") == meta.uid(pod))


class ClaimProtection:
    def __init__(self, context: ControllerContext) -> None:
        self._client = context.client
        self.queue = context.queue()
        self._claims = context.informers.informer(PERSISTENT_VOLUME_CLAIMS)
        self._pods = context.informers.informer(PODS)
        self._pods.add_indexers({BY_CLAIM: claims_of})
        self._claims.add_handlers(Handlers(add=self._claim, update=lambda old, new: self._claim(new)))
        self._pods.add_handlers(Handlers(update=lambda old, new: self._pod(new), delete=self._pod))

    async def reconcile(self, key: str) -> Result:
        claim = self._claims.lister.get(key)
        if claim is not None:
            in_use = meta.is_terminating(claim) and await self._is_used(claim, key)
            await settle(self._client, PERSISTENT_VOLUME_CLAIMS, claim, FINALIZER, in_use=in_use)
        return DONE

    async def _is_used(self, claim: Object, key: str) -> bool:
        """The cache may be behind: before a claim goes, the API has the last word."""
        if is_used(claim, self._pods.lister.by_index(BY_CLAIM, key)):
            return True
        try:
            listed = await self._client.list(PODS, meta.namespace(claim))
        except NotFound:
            return False
        return is_used(claim, (pod for pod in listed.items if key in claims_of(pod)))

    def _claim(self, claim: Object) -> None:
        if meta.is_terminating(claim) == (FINALIZER in meta.finalizers(claim)):
            self.queue.add(meta.key(claim))

    def _pod(self, pod: Object) -> None:
        for key in claims_of(pod):
            claim = self._claims.lister.get(key)
            if claim is not None and meta.is_terminating(claim):
                self.queue.add(key)
