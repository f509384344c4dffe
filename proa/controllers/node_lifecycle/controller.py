"""Notices nodes that fall silent and tells everybody: conditions Unknown, pods not ready, taints that keep pods away or drive them off.

A heartbeat is a change of the node's Lease or status as seen here, by our own clock, so skewed clocks of nodes do no harm. Nodes are
emptied zone by zone at a limited rate, and not at all if every node seems to have failed at once: then it is us who are cut off.
"""

import asyncio

from proa.api import meta
from proa.api.errors import ApiError, Conflict, NotFound
from proa.api.kinds import LEASES, NODES, PODS
from proa.api.meta import Object
from proa.api.node import ready_status
from proa.client.interface import MERGE_PATCH, STRATEGIC_MERGE_PATCH, Handlers
from proa.controllers import pods
from proa.controllers.context import ControllerContext
from proa.controllers.node_lifecycle import plan
from proa.lib.clock import format_time
from proa.lib.dataclass import dataclass
from proa.runtime.manager import Runnable, Together
from proa.runtime.periodic import Periodic
from proa.runtime.reconciler import DONE, Result


def build(context: ControllerContext) -> Runnable:
    lifecycle = NodeLifecycle(context)
    monitor = Periodic("node monitor", context.options.node_monitor_period, lifecycle.monitor, context.clock)
    return Together(monitor, context.controller(lifecycle, lifecycle.queue))


@dataclass(slots=True)
class _Heartbeat:
    """What was seen last, and when."""

    token: tuple[str, str]
    at: float
    was_ready: bool


class NodeLifecycle:
    """`monitor` looks for silence on a timer; `reconcile` sets the taints of one node as soon as its conditions change."""

    def __init__(self, context: ControllerContext) -> None:
        self._client, self._clock, self._recorder, self._options = context.client, context.clock, context.recorder, context.options
        self.queue = context.queue()
        self._nodes = context.informers.informer(NODES)
        self._leases = context.informers.informer(LEASES, namespace="kube-node-lease")
        self._pods = context.informers.informer(PODS, indexers={"node": pods.by_node})
        self._heartbeats: dict[str, _Heartbeat] = {}
        self._buckets: dict[str, plan.TokenBucket] = {}
        self._nodes.add_handlers(Handlers(add=self._node, update=lambda old, new: self._node(new)))

    async def monitor(self) -> None:
        nodes = list(self._nodes.lister.list())
        for gone in set(self._heartbeats) - {meta.name(node) for node in nodes}:
            del self._heartbeats[gone]
            self._say(gone, "RemovingNode", f"Node {gone} event: Removing Node {gone} from Controller")
        for node in nodes:
            if not meta.is_terminating(node):
                await self._check(node)
        for node in nodes:
            if plan.lacks_no_execute(node):
                self.queue.add(meta.name(node))

    async def reconcile(self, key: str) -> Result:
        node = self._nodes.lister.get(key)
        if node is None or meta.is_terminating(node):
            return DONE
        may_evict = not plan.lacks_no_execute(node) or self._may_evict(node)
        taints = plan.taints_after(node, format_time(self._clock.now()), may_evict=may_evict)
        if taints != (node.get("spec", {}).get("taints") or []):
            patch = {"metadata": {"resourceVersion": meta.resource_version(node)}, "spec": {"taints": taints or None}}
            await self._client.patch(NODES, key, patch, patch_type=MERGE_PATCH)
        return DONE

    # Silence.

    async def _check(self, node: Object) -> None:
        name, now = meta.name(node), self._clock.monotonic()
        heartbeat = self._observe(node, now)
        ready = meta.condition(node, "Ready")
        grace = self._options.node_monitor_grace_period if ready else self._options.node_startup_grace_period
        if now - heartbeat.at > grace:
            node = await self._silence(node)
        is_ready = ready_status(node) == "True"
        if heartbeat.was_ready and not is_ready:
            self._say(name, "NodeNotReady", f"Node {name} status is now: NodeNotReady")
        if not is_ready and meta.condition(node, "Ready"):
            await asyncio.gather(*(self._mark_not_ready(pod) for pod in self._pods.lister.by_index("node", name)))
        heartbeat.was_ready = is_ready

    def _observe(self, node: Object, now: float) -> _Heartbeat:
        name = meta.name(node)
        lease = self._leases.lister.get(f"kube-node-lease/{name}") or {}
        reported = meta.condition(node, "Ready") or {}
        silent = reported.get("reason") in ("NodeStatusUnknown", "NodeStatusNeverUpdated")
        token = ((lease.get("spec") or {}).get("renewTime") or "", "" if silent else reported.get("lastHeartbeatTime") or "")
        known = self._heartbeats.get(name)
        if known is None:
            self._say(name, "RegisteredNode", f"Node {name} event: Registered Node {name} in Controller")
            known = self._heartbeats[name] = _Heartbeat(token, now, ready_status(node) == "True")
        elif token != known.token and (token[0] != known.token[0] or token[1]):
            known.token, known.at = token, now
        return known

    async def _silence(self, node: Object) -> Object:
        conditions = plan.silenced_conditions(node, format_time(self._clock.now()))
        if conditions is None:
            return node
        changed = {**node, "status": {**node.get("status", {}), "conditions": conditions}}
        try:
            return await self._client.update(NODES, changed, subresource="status")
        except (Conflict, NotFound):
            return node  # it has just spoken, or is gone: the next round knows

    async def _mark_not_ready(self, pod: Object) -> None:
        """The node agent can't take back what it said of its pods; Services must not send traffic there."""
        if not pods.is_ready(pod):
            return
        condition = {"type": "Ready", "status": "False", "lastTransitionTime": format_time(self._clock.now())}
        patch = {"metadata": {"uid": meta.uid(pod)}, "status": {"conditions": [condition]}}
        try:
            await self._client.patch(
                PODS, meta.name(pod), patch, meta.namespace(pod), patch_type=STRATEGIC_MERGE_PATCH, subresource="status"
            )
        except (NotFound, Conflict):
            return
        except ApiError:
            self.queue.add(pods.node_name(pod))
            raise
        self._recorder.event(pod, "Warning", "NodeNotReady", "Node is not ready")

    # Eviction.

    def _may_evict(self, node: Object) -> bool:
        zones: dict[str, list[Object]] = {}
        for each in self._nodes.lister.list():
            zones.setdefault(plan.zone(each), []).append(each)
        states = {name: plan.zone_state(members) for name, members in zones.items()}
        if all(state == "FullDisruption" for state in states.values()):
            return False
        own = plan.zone(node)
        bucket = self._buckets.setdefault(own, plan.TokenBucket())
        return bucket.take(plan.eviction_rate(states[own], len(zones[own])), self._clock.monotonic())

    def _say(self, name: str, reason: str, message: str) -> None:
        reference = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "uid": name}}
        self._recorder.event(reference, "Normal", reason, message)

    def _node(self, node: Object) -> None:
        """Taints that differ are set; NoExecute that has to wait for its turn comes with the monitor's next round."""
        self.queue.add(meta.name(node))
