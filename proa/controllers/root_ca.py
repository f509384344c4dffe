"""Publishes the cluster's root certificate in every namespace, where projected service-account volumes take it from."""

from proa.api import meta
from proa.api.errors import AlreadyExists, ApiError, NotFound
from proa.api.kinds import CONFIG_MAPS, NAMESPACES
from proa.api.meta import Object
from proa.client.interface import Handlers
from proa.controllers.context import ControllerContext
from proa.controllers.pod_control import namespace_terminating
from proa.runtime.controller import Controller
from proa.runtime.reconciler import DONE, Result

NAME = "kube-root-ca.crt"
DESCRIPTION = "kubernetes.io/description"
SAID = (
    "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or "
    "kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters."
)


def build(context: ControllerContext) -> Controller:
    reconciler = RootCaReconciler(context)
    return context.controller(reconciler, reconciler.queue)


class RootCaReconciler:
    def __init__(self, context: ControllerContext) -> None:
        self._client, self._root_ca = context.client, context.options.root_ca
        self.queue = context.queue()
        self._namespaces = context.informers.informer(NAMESPACES)
        self._config_maps = context.informers.informer(CONFIG_MAPS, field_selector=f"metadata.name={NAME}")
        self._namespaces.add_handlers(Handlers(add=self._namespace, update=lambda old, new: self._namespace(new)))
        self._config_maps.add_handlers(Handlers(update=lambda old, new: self._config_map(new), delete=self._config_map))

    async def reconcile(self, key: str) -> Result:
        namespace = self._namespaces.lister.get(key)
        if not self._root_ca or namespace is None or meta.is_terminating(namespace):
            return DONE
        found = self._config_maps.lister.get(f"{key}/{NAME}")
        if found is None:
            await self._create(key)
        elif found.get("data") != {"ca.crt": self._root_ca} or not meta.annotations(found).get(DESCRIPTION):
            annotations = {**meta.annotations(found), DESCRIPTION: SAID}
            metadata = {**found["metadata"], "annotations": annotations}
            await self._client.update(CONFIG_MAPS, {**found, "metadata": metadata, "data": {"ca.crt": self._root_ca}})
        return DONE

    async def _create(self, namespace: str) -> None:
        metadata = {"name": NAME, "namespace": namespace, "annotations": {DESCRIPTION: SAID}}
        wanted = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"ca.crt": self._root_ca}}
        try:
            await self._client.create(CONFIG_MAPS, wanted)
        except (AlreadyExists, NotFound):
            return
        except ApiError as error:
            if not namespace_terminating(error):
                raise

    def _namespace(self, namespace: Object) -> None:
        self.queue.add(meta.name(namespace))

    def _config_map(self, config_map: Object) -> None:
        self.queue.add(meta.namespace(config_map))
