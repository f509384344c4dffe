"""Binds a pod to its node with a Binding, which the API server turns into spec.nodeName."""

from proa.api import meta
from proa.api.kinds import PODS
from proa.client.interface import Client
from proa.scheduler.framework.cycle_state import CycleState
from proa.scheduler.framework.status import Status
from proa.scheduler.pod_info import PodInfo


class DefaultBinder:
    name = "DefaultBinder"

    def __init__(self, client: Client) -> None:
        self._client = client

    async def bind(self, state: CycleState, pod: PodInfo, node: str) -> Status | None:
        """Raises ApiError or OSError."""
        name = meta.name(pod.pod)
        binding = {
            "apiVersion": "v1",
            "kind": "Binding",
            "metadata": {"namespace": pod.namespace, "name": name, "uid": pod.uid},
            "target": {"kind": "Node", "name": node},
        }
        await self._client.create(PODS, binding, name=name, namespace=pod.namespace, subresource="binding")
        return None
