"""Removes pods that nobody else will: of nodes that are gone or out of service, deleted before they were scheduled, finished in excess."""

from collections.abc import Sequence

from proa.api import meta
from proa.api.errors import NotFound
from proa.api.kinds import NODES, PODS
from proa.api.meta import Object
from proa.api.node import ready_status
from proa.client.interface import STRATEGIC_MERGE_PATCH
from proa.controllers import pods
from proa.controllers.context import ControllerContext
from proa.lib.clock import format_time
from proa.runtime.periodic import Periodic

PERIOD_SECONDS = 20.0
QUARANTINE_SECONDS = 40.0
OUT_OF_SERVICE = "node.kubernetes.io/out-of-service"


def build(context: ControllerContext) -> Periodic:
    return Periodic(context.name, PERIOD_SECONDS, PodGarbageCollector(context).collect, context.clock)


def in_excess(listed: Sequence[Object], threshold: int) -> list[Object]:
    """The oldest finished pods above the threshold."""
    finished = [pod for pod in listed if pods.is_finished(pod)]
    ordered = sorted(finished, key=lambda pod: (pod["metadata"].get("creationTimestamp", ""), meta.key(pod)))
    return ordered[: max(0, len(finished) - threshold)] if threshold > 0 else []


def out_of_service(node: Object) -> bool:
    taints = node.get("spec", {}).get("taints") or ()
    return ready_status(node) != "True" and any(each["key"] == OUT_OF_SERVICE for each in taints)


class PodGarbageCollector:
    def __init__(self, context: ControllerContext) -> None:
        self._client, self._clock = context.client, context.clock
        self._threshold = context.options.terminated_pod_threshold
        self._nodes = context.informers.informer(NODES)
        self._pods = context.informers.informer(PODS)
        self._missing_since: dict[str, float] = {}

    async def collect(self) -> None:
        listed = self._pods.lister.list()
        gone = await self._gone_nodes(listed)
        terminating = [pod for pod in listed if meta.is_terminating(pod)]
        for pod in in_excess(listed, self._threshold):
            await self._delete(pod, "")
        for pod in terminating:
            node = self._nodes.lister.get(pods.node_name(pod)) if pods.node_name(pod) else None
            if (node is not None and out_of_service(node)) or not pods.node_name(pod):
                await self._delete(pod, "")
        for pod in listed:
            if pods.node_name(pod) in gone:
                await self._delete(pod, "PodGC: node no longer exists")

    async def _gone_nodes(self, listed: Sequence[Object]) -> set[str]:
        """Nodes that pods name and that have been missing for a while; the API has the last word."""
        now = self._clock.monotonic()
        named = {pods.node_name(pod) for pod in listed} - {""}
        missing = {name for name in named if self._nodes.lister.get(name) is None}
        self._missing_since = {name: self._missing_since.get(name, now) for name in missing}
        due = [name for name, since in self._missing_since.items() if now - since >= QUARANTINE_SECONDS]
        return {name for name in due if not await self._exists(name)}

    async def _exists(self, name: str) -> bool:
        try:
            await self._client.get(NODES, name)
        except NotFound:
            return False
        return True

    async def _delete(self, pod: Object, disruption: str) -> None:
        """With `disruption`, the pod says why; one that had not finished counts as failed."""
        name, namespace = meta.name(pod), meta.namespace(pod)
        status: Object = {} if pods.is_finished(pod) else {"phase": "Failed"}
        if disruption:
            now = format_time(self._clock.now())
            status["conditions"] = [
                {
                    "type": "DisruptionTarget", "status": "True", "reason": "DeletionByPodGC", "message": disruption,
                    "lastTransitionTime": now,
                }
            ]  # fmt: skip
        try:
            if status:
                patch = {"metadata": {"uid": meta.uid(pod)}, "status": status}
                await self._client.patch(PODS, name, patch, namespace, patch_type=STRATEGIC_MERGE_PATCH, subresource="status")
            await self._client.delete(PODS, name, namespace, uid=meta.uid(pod), grace_period_seconds=0)
        except NotFound:
            return
