"""Gives every namespace its `default` ServiceAccount, and gives it back when somebody deletes it."""

from proa.api import meta
from proa.api.errors import AlreadyExists, ApiError, NotFound
from proa.api.kinds import NAMESPACES, SERVICE_ACCOUNTS
from proa.api.meta import Object
from proa.client.interface import Handlers
from proa.controllers.context import ControllerContext
from proa.controllers.pod_control import namespace_terminating
from proa.runtime.controller import Controller
from proa.runtime.reconciler import DONE, Result

NAME = "default"


def build(context: ControllerContext) -> Controller:
    reconciler = ServiceAccountReconciler(context)
    return context.controller(reconciler, reconciler.queue)


class ServiceAccountReconciler:
    def __init__(self, context: ControllerContext) -> None:
        self._client = context.client
        self.queue = context.queue()
        self._namespaces = context.informers.informer(NAMESPACES)
        self._accounts = context.informers.informer(SERVICE_ACCOUNTS, field_selector=f"metadata.name={NAME}")
        self._namespaces.add_handlers(Handlers(add=self._namespace, update=lambda old, new: self._namespace(new)))
        self._accounts.add_handlers(Handlers(delete=lambda gone: self.queue.add(meta.namespace(gone))))

    async def reconcile(self, key: str) -> Result:
        namespace = self._namespaces.lister.get(key)
        if namespace is None or meta.is_terminating(namespace) or self._accounts.lister.get(f"{key}/{NAME}") is not None:
            return DONE
        account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": NAME, "namespace": key}}
        try:
            await self._client.create(SERVICE_ACCOUNTS, account)
        except (AlreadyExists, NotFound):
            return DONE
        except ApiError as error:
            if not namespace_terminating(error):
                raise
        return DONE

    def _namespace(self, namespace: Object) -> None:
        self.queue.add(meta.name(namespace))
