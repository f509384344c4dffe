"""Keeps the Node object true: registers it, reports status on change and every five minutes, renews the Lease every ten seconds.

The runtime is looked at every second until the node is ready, so that a start does not wait for the next ten-second report.
"""

import logging
from collections.abc import Callable

from proa.api import meta
from proa.api.errors import AlreadyExists, ApiError, Conflict, NotFound
from proa.api.kinds import LEASES, NODES
from proa.api.meta import Object
from proa.client.interface import MERGE_PATCH, STRATEGIC_MERGE_PATCH, Client
from proa.kubelet import machine
from proa.kubelet.config import KubeletConfiguration
from proa.kubelet.node_object import NodeObservation, build_node_status, label_patch, new_node, status_changed, status_patch
from proa.kubelet.node_observer import NodeObserver
from proa.lib.backoff import Backoff
from proa.lib.clock import Clock, format_micro_time, format_time
from proa.runtime.event_recorder import Recorder

_log = logging.getLogger(__name__)

LEASE_NAMESPACE = "kube-node-lease"
_UNREADY_PERIOD = 0.25


class NodeReporter:
    """`observed(observation, node)` is called after each look, for those who need the node's facts."""

    def __init__(
        self,
        client: Client,
        configuration: KubeletConfiguration,
        observer: NodeObserver,
        recorder: Recorder,
        clock: Clock,
        observed: Callable[[NodeObservation, Object], None],
    ) -> None:
        self._client, self._configuration, self._observer = client, configuration, observer
        self._recorder, self._clock, self._observed = recorder, clock, observed
        self._node: Object = {}
        self._reported_at = 0.0
        self._ready: bool | None = None

    @property
    def reference(self) -> Object:
        """What node events are about; upstream gives the name as uid."""
        name = self._configuration.node_name
        return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "uid": name}}

    async def register(self) -> None:
        """Returns when the node is there, however long the API takes."""
        backoff = Backoff(0.1, 7.0)
        self._recorder.event(self.reference, "Normal", "Starting", "Starting kubelet.")
        while True:
            try:
                await self._register_once()
                return
            except (ApiError, OSError) as error:
                _log.warning("node not registered: %s", error)
                await self._clock.sleep(backoff.next())

    async def _register_once(self) -> None:
        observation = await self._observer.observe()
        architecture = machine.architecture()
        now = format_time(self._clock.now())
        status = build_node_status(observation, self._configuration, {}, now)
        try:
            self._node = await self._client.create(NODES, new_node(self._configuration, architecture, status))
        except AlreadyExists:
            self._node = await self._client.get(NODES, self._configuration.node_name)
            if patch := label_patch(self._node, self._configuration, architecture):
                self._node = await self._client.patch(NODES, self._configuration.node_name, patch, patch_type=MERGE_PATCH)
        self._observed(observation, self._node)

    async def report_forever(self) -> None:
        while True:
            try:
                await self.report()
            except NotFound:
                # Somebody deleted the node; as long as this agent runs it is there.
                await self.register()
            except (ApiError, OSError) as error:
                _log.warning("node status not written: %s", error)
            await self._clock.sleep(self._configuration.node_status_update_frequency if self._ready else _UNREADY_PERIOD)

    async def report(self) -> None:
        observation = await self._observer.observe()
        # What others wrote since is to be seen: advertised resources are taken over, what the agent owns is put right.
        self._node = await self._client.get(NODES, self._configuration.node_name)
        now = format_time(self._clock.now())
        old = self._node.get("status") or {}
        status = build_node_status(observation, self._configuration, old, now)
        due = self._clock.monotonic() - self._reported_at >= self._configuration.node_status_report_frequency
        ready = next(each for each in status["conditions"] if each["type"] == "Ready")["status"] == "True"
        if due or self._ready is None or status_changed(old, status):
            patch = {"status": status_patch(old, status)}
            name = self._configuration.node_name
            self._node = await self._client.patch(NODES, name, patch, patch_type=STRATEGIC_MERGE_PATCH, subresource="status")
            self._reported_at = self._clock.monotonic()
        self._say_changes(old, status, ready)
        self._observed(observation, self._node)

    def _say_changes(self, old: Object, status: Object, ready: bool) -> None:
        if ready != self._ready and (ready or self._ready is not None):
            self._say_status("NodeReady" if ready else "NodeNotReady")
        before = {each["type"]: each.get("status") for each in old.get("conditions") or []}
        for condition in status["conditions"]:
            if condition["type"] != "Ready" and (self._ready is None or before.get(condition["type"]) != condition["status"]):
                self._say_status(condition["reason"].replace("Kubelet", "Node", 1))
        self._ready = ready

    def _say_status(self, reason: str) -> None:
        message = f"Node {self._configuration.node_name} status is now: {reason}"
        self._recorder.event(self.reference, "Normal", reason, message)

    async def renew_lease_forever(self) -> None:
        lease: Object | None = None
        while True:
            try:
                lease = await self._renew(lease)
            except (ApiError, OSError) as error:
                _log.warning("lease not renewed: %s", error)
                lease = None
            await self._clock.sleep(self._configuration.lease_renew_period if lease else 1.0)

    async def _renew(self, lease: Object | None) -> Object:
        name = self._configuration.node_name
        if lease is None:
            try:
                lease = await self._client.get(LEASES, name, LEASE_NAMESPACE)
            except NotFound:
                return await self._client.create(LEASES, self._new_lease())
        renewed = {**lease, "spec": {**lease["spec"], **self._lease_spec()}}
        try:
            return await self._client.update(LEASES, renewed)
        except (Conflict, NotFound):
            return await self._renew(None)

    def _lease_spec(self) -> Object:
        return {
            "holderIdentity": self._configuration.node_name,
            "leaseDurationSeconds": self._configuration.lease_duration_seconds,
            "renewTime": format_micro_time(self._clock.now()),
        }

    def _new_lease(self) -> Object:
        name = self._configuration.node_name
        metadata: Object = {"name": name, "namespace": LEASE_NAMESPACE}
        if uid := meta.uid(self._node):
            metadata["ownerReferences"] = [{"apiVersion": "v1", "kind": "Node", "name": name, "uid": uid}]
        return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": self._lease_spec()}
