"""Carries a decision out while the next pod is being decided on: binds the pod, or takes the assumption back.

Writes of failures, nominations and evictions are here too: everything the scheduler sends to the API.
"""

import logging

from proa.api import meta
from proa.api.errors import ApiError, NotFound
from proa.api.kinds import PODS
from proa.api.meta import Object
from proa.client.interface import STRATEGIC_MERGE_PATCH, Client
from proa.lib.clock import Clock, format_time
from proa.runtime.event_recorder import Recorder
from proa.scheduler.framework.cycle_state import CycleState
from proa.scheduler.framework.framework import Framework
from proa.scheduler.pod_info import PodInfo

_log = logging.getLogger(__name__)


class Binding:
    """The calls to the API, and what users see of them."""

    def __init__(self, client: Client, framework: Framework, recorder: Recorder, clock: Clock, scheduler_name: str) -> None:
        self._client, self._framework, self._recorder = client, framework, recorder
        self._clock, self._name = clock, scheduler_name

    async def bind(self, state: CycleState, pod: PodInfo, node: str) -> str:
        """ "" if it is bound, else why not."""
        try:
            status = await self._framework.bind(state, pod, node)
        except (ApiError, OSError) as error:
            return f"binding rejected: {error}"
        if status is not None:
            return status.message
        self._recorder.event(pod.pod, "Normal", "Scheduled", f"Successfully assigned {pod.key} to {node}")
        return ""

    def report(self, pod: PodInfo, message: str) -> None:
        self._recorder.event(pod.pod, "Warning", "FailedScheduling", message)

    async def mark(self, pod: PodInfo, reason: str, message: str, nominated_node: str | None = None) -> None:
        """Write PodScheduled=False unless the pod says just that already; None leaves the nomination."""
        condition = meta.condition(pod.pod, "PodScheduled") or {}
        wanted: Object = {"type": "PodScheduled", "status": "False", "reason": reason, "message": message}
        nominates = nominated_node is not None and nominated_node != pod.nominated_node
        if not nominates and all(condition.get(key) == value for key, value in wanted.items()):
            return
        wanted |= {"observedGeneration": generation} if (generation := pod.pod["metadata"].get("generation")) else {}
        if condition.get("status") != "False":
            wanted["lastTransitionTime"] = format_time(self._clock.now())
        status: Object = {"conditions": [wanted]}
        if nominates:
            status["nominatedNodeName"] = nominated_node or None
        await self._patch(pod, status)

    async def preempt(self, preemptor: PodInfo, victims: tuple[PodInfo, ...], node: str) -> bool:
        """Remove the victims; False if one could not be."""
        condition = {
            "type": "DisruptionTarget",
            "status": "True",
            "reason": "PreemptionByScheduler",
            "message": f"{self._name}: preempting to accommodate a higher priority pod",
            "lastTransitionTime": format_time(self._clock.now()),
        }
        for victim in victims:
            if victim.terminating:
                continue
            if not await self._patch(victim, {"conditions": [condition]}):
                return False
            try:
                await self._client.delete(PODS, meta.name(victim.pod), victim.namespace, uid=victim.uid)
            except NotFound:
                continue
            except (ApiError, OSError) as error:
                _log.warning("%s could not be preempted: %s", victim.key, error)
                return False
            self._recorder.event(victim.pod, "Normal", "Preempted", f"Preempted by pod {preemptor.uid} on node {node}")
        return True

    async def clear_nomination(self, pod: PodInfo) -> None:
        await self._patch(pod, {"nominatedNodeName": None})

    async def _patch(self, pod: PodInfo, status: Object) -> bool:
        patch = {"metadata": {"uid": pod.uid}, "status": status}
        name = meta.name(pod.pod)
        try:
            await self._client.patch(PODS, name, patch, pod.namespace, patch_type=STRATEGIC_MERGE_PATCH, subresource="status")
        except NotFound:
            return True
        except (ApiError, OSError) as error:
            _log.warning("the status of %s could not be written: %s", pod.key, error)
            return False
        return True
