"""Evicts pods from nodes whose NoExecute taints they do not tolerate, after as many seconds as they do."""

from collections.abc import Sequence

from proa.api import meta
from proa.api.errors import NotFound
from proa.api.kinds import NODES, PODS
from proa.api.meta import Object
from proa.api.scheduling.taints import tolerates
from proa.client.interface import STRATEGIC_MERGE_PATCH, Handlers
from proa.controllers import pods
from proa.controllers.context import ControllerContext
from proa.lib.clock import format_time
from proa.runtime.controller import Controller
from proa.runtime.reconciler import DONE, Result


def build(context: ControllerContext) -> Controller:
    reconciler = TaintEviction(context)
    return context.controller(reconciler, reconciler.queue)


def seconds_tolerated(taints: Sequence[Object], tolerations: Sequence[Object]) -> float | None:
    """How long the pod may stay: 0 is not at all, None forever."""
    used: list[Object] = []
    for taint in taints:
        matching = next((each for each in tolerations if tolerates(each, taint)), None)
        if matching is None:
            return 0.0
        used.append(matching)
    limits = [max(0.0, float(each["tolerationSeconds"])) for each in used if each.get("tolerationSeconds") is not None]
    return min(limits) if limits else None


def no_execute_taints(node: Object) -> list[Object]:
    return [each for each in node.get("spec", {}).get("taints") or () if each["effect"] == "NoExecute"]


class TaintEviction:
    def __init__(self, context: ControllerContext) -> None:
        self._client, self._clock, self._recorder = context.client, context.clock, context.recorder
        self.queue = context.queue()
        self._since: dict[str, tuple[str, float]] = {}
        self._nodes = context.informers.informer(NODES)
        self._pods = context.informers.informer(PODS, indexers={"node": pods.by_node})
        self._nodes.add_handlers(Handlers(add=self._node, update=self._node_updated))
        self._pods.add_handlers(Handlers(add=self._pod, update=self._pod_updated, delete=self._pod_deleted))

    async def reconcile(self, key: str) -> Result:
        pod = self._pods.lister.get(key)
        node = self._nodes.lister.get(pods.node_name(pod)) if pod else None
        if pod is None or node is None or meta.is_terminating(pod):
            self._since.pop(key, None)
            return DONE
        taints = no_execute_taints(node)
        tolerated = seconds_tolerated(taints, pod["spec"].get("tolerations") or ()) if taints else None
        if tolerated is None:
            self._cancel(key, pod)
            return DONE
        remaining = self._started(key, pod) + tolerated - self._clock.monotonic()
        if remaining > 0:
            return Result(remaining)
        await self._evict(pod)
        return DONE

    def _started(self, key: str, pod: Object) -> float:
        """When the countdown of this very pod began."""
        uid, since = self._since.get(key, ("", 0.0))
        if uid != meta.uid(pod):
            since = self._clock.monotonic()
            self._since[key] = (meta.uid(pod), since)
        return since

    def _cancel(self, key: str, pod: Object) -> None:
        if self._since.pop(key, ("", 0.0))[0] == meta.uid(pod):
            self._recorder.event(pod, "Normal", "TaintManagerEviction", f"Cancelling deletion of Pod {key}")

    async def _evict(self, pod: Object) -> None:
        key, now = meta.key(pod), format_time(self._clock.now())
        self._recorder.event(pod, "Normal", "TaintManagerEviction", f"Marking for deletion Pod {key}")
        condition = {
            "type": "DisruptionTarget", "status": "True", "reason": "DeletionByTaintManager",
            "message": "Taint manager: deleting due to NoExecute taint", "lastTransitionTime": now,
        }  # fmt: skip
        patch = {"metadata": {"uid": meta.uid(pod)}, "status": {"conditions": [condition]}}
        name, namespace = meta.name(pod), meta.namespace(pod)
        try:
            await self._client.patch(PODS, name, patch, namespace, patch_type=STRATEGIC_MERGE_PATCH, subresource="status")
            await self._client.delete(PODS, name, namespace, uid=meta.uid(pod))
        except NotFound:
            pass
        self._since.pop(key, None)

    def _node(self, node: Object) -> None:
        if no_execute_taints(node):
            self._wake(node)

    def _node_updated(self, old: Object, new: Object) -> None:
        if no_execute_taints(old) != no_execute_taints(new):
            self._wake(new)

    def _wake(self, node: Object) -> None:
        for pod in self._pods.lister.by_index("node", meta.name(node)):
            self.queue.add(meta.key(pod))

    def _pod(self, pod: Object) -> None:
        node = self._nodes.lister.get(pods.node_name(pod))
        if node is not None and no_execute_taints(node):
            self.queue.add(meta.key(pod))

    def _pod_updated(self, old: Object, new: Object) -> None:
        if pods.node_name(old) != pods.node_name(new) or old["spec"].get("tolerations") != new["spec"].get("tolerations"):
            self._pod(new)

    def _pod_deleted(self, pod: Object) -> None:
        self._since.pop(meta.key(pod), None)
