"""Publishes the authority of the API server's own certificate as the ClusterTrustBundle of the signer kubernetes.io/kube-apiserver-serving.

Its name holds a hash of its content: another authority makes another bundle, and the old one goes. Source: KEP-3257.
"""

import hashlib

from proa.api import meta
from proa.api.errors import AlreadyExists, NotFound
from proa.api.kinds import CLUSTER_TRUST_BUNDLES
from proa.client.interface import Handlers
from proa.controllers.context import ControllerContext
from proa.runtime.controller import Controller
from proa.runtime.reconciler import DONE, Result

SIGNER = "kubernetes.io/kube-apiserver-serving"
PREFIX = SIGNER.replace("/", ":") + ":"


def bundle_name(bundle: str) -> str:
    return PREFIX + hashlib.sha256(bundle.encode()).digest()[:12].hex()


def build(context: ControllerContext) -> Controller:
    reconciler = TrustBundleReconciler(context)
    return context.controller(reconciler, reconciler.queue, 1)


class TrustBundleReconciler:
    def __init__(self, context: ControllerContext) -> None:
        self._client, self._bundle = context.client, context.options.root_ca
        self.queue = context.queue()
        self._bundles = context.informers.informer(CLUSTER_TRUST_BUNDLES, field_selector=f"spec.signerName={SIGNER}")
        wake = lambda *objects: self.queue.add(SIGNER)  # noqa: E731
        self._bundles.add_handlers(Handlers(add=wake, update=wake, delete=wake))
        self.queue.add(SIGNER)

    async def reconcile(self, key: str) -> Result:
        if not self._bundle:
            return DONE
        name, spec = bundle_name(self._bundle), {"signerName": SIGNER, "trustBundle": self._bundle}
        found = self._bundles.lister.get(name)
        identity = {"apiVersion": CLUSTER_TRUST_BUNDLES.api_version, "kind": CLUSTER_TRUST_BUNDLES.kind}
        try:
            if found is None:
                await self._client.create(CLUSTER_TRUST_BUNDLES, {**identity, "metadata": {"name": name}, "spec": spec})
            elif found["spec"] != spec:
                await self._client.update(CLUSTER_TRUST_BUNDLES, {**found, "spec": spec})
        except (AlreadyExists, NotFound):
            return DONE  # a moment behind, or this version of the API has no such kind
        for each in self._bundles.lister.list():
            if meta.name(each) != name:
                try:
                    await self._client.delete(CLUSTER_TRUST_BUNDLES, meta.name(each))
                except NotFound:
                    continue
        return DONE
