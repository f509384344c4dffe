"""Gives every node its pod CIDR, one block of the cluster's range, which it keeps as long as it exists."""

import ipaddress
from collections.abc import Collection, Iterator

from proa.api import meta
from proa.api.errors import NotFound
from proa.api.kinds import NODES
from proa.api.meta import Object
from proa.client.interface import Handlers
from proa.controllers.context import ControllerContext
from proa.runtime.controller import Controller
from proa.runtime.reconciler import DONE, Result

IPV6_MASK = 64
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def build(context: ControllerContext) -> Controller:
    reconciler = NodeIpamReconciler(context)
    return context.controller(reconciler, reconciler.queue, workers=1)


def free_block(cluster: Network, mask: int, used: Collection[Network]) -> Network | None:
    """The first block of the range that overlaps none in use."""
    taken = {each for each in used if each.version == cluster.version}
    plain = {each for each in taken if each.prefixlen == mask}
    odd = taken - plain
    blocks: Iterator[Network] = cluster.subnets(new_prefix=mask)
    return next((block for block in blocks if block not in plain and not any(_overlap(block, each) for each in odd)), None)


def _overlap(one: Network, other: Network) -> bool:
    return one[0] <= other[-1] and other[0] <= one[-1]  # type: ignore[operator]


class NodeIpamReconciler:
    def __init__(self, context: ControllerContext) -> None:
        self._client, self._recorder = context.client, context.recorder
        self._clusters: list[Network] = [ipaddress.ip_network(each.strip()) for each in context.options.cluster_cidr.split(",")]
        self._mask = context.options.node_cidr_mask
        self._assigned: dict[str, list[Network]] = {}
        self.queue = context.queue()
        self._nodes = context.informers.informer(NODES)
        self._nodes.add_handlers(Handlers(add=self._node, update=lambda old, new: self._node(new), delete=self._node_deleted))

    async def reconcile(self, key: str) -> Result:
        node = self._nodes.lister.get(key)
        if node is None or node.get("spec", {}).get("podCIDR") or meta.is_terminating(node):
            return DONE
        blocks = self._assigned.get(key) or self._free_blocks()
        if blocks is None:
            self._recorder.event(_reference(node), "Normal", "CIDRNotAvailable", f"Node {key} status is now: CIDRNotAvailable")
            return Result(60)
        self._assigned[key] = blocks
        cidrs = [str(each) for each in blocks]
        try:
            await self._client.patch(NODES, key, {"spec": {"podCIDR": cidrs[0], "podCIDRs": cidrs}})
        except NotFound:
            self._assigned.pop(key, None)
        return DONE

    def _free_blocks(self) -> list[Network] | None:
        used = [block for blocks in self._assigned.values() for block in blocks]
        blocks = [free_block(each, self._mask if each.version == 4 else IPV6_MASK, used) for each in self._clusters]
        return [each for each in blocks if each is not None] if all(blocks) else None

    def _node(self, node: Object) -> None:
        spec = node.get("spec", {})
        if spec.get("podCIDR"):
            self._assigned[meta.name(node)] = [ipaddress.ip_network(each) for each in spec.get("podCIDRs") or [spec["podCIDR"]]]
        else:
            self.queue.add(meta.name(node))

    def _node_deleted(self, node: Object) -> None:
        self._assigned.pop(meta.name(node), None)
        for each in self._nodes.lister.list():
            self._node(each)


def _reference(node: Object) -> Object:
    """Events about nodes name them by UID = name, as the node agent's own do."""
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": meta.name(node), "uid": meta.name(node)}}
