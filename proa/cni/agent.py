"""The pod network of one node: the CNI configuration, routes to the other nodes' pods, masquerade towards the world.

Level-triggered: each turn looks at the Nodes and at the host, decides, and writes what differs; so it mends what others break. While a
user's own CNI configuration is in the directory, ours stands back with all it made.
"""

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path

from proa.api import kinds
from proa.api.meta import Object
from proa.api.node import pod_cidrs
from proa.client.informer import Informer
from proa.client.interface import Client, Handlers
from proa.cni.conflist import conflist
from proa.cni.host import Host, LinuxHost
from proa.cni.masquerade import TABLE, Masquerade, compile_masquerade, compile_removal
from proa.cni.routes import RoutePlan, plan_routes, wanted_routes
from proa.lib.clock import Clock, SystemClock
from proa.lib.netlink.namespaces import NetworkNamespace
from proa.lib.nft.errors import NftError

_log = logging.getLogger(__name__)
CHECK_SECONDS = 30.0
RETRY_SECONDS = 1.0


class PodNetwork:
    """`run()` until cancelled. `ready` is set once pods can be started: the node has a CIDR, routes and the configuration."""

    def __init__(
        self,
        client: Client,
        node_name: str,
        cluster_cidrs: Sequence[str],
        service_cidrs: Sequence[str],
        conf_dir: Path,
        *,
        namespace: NetworkNamespace | None = None,
        host: Host | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._node_name = node_name
        self._cluster_cidrs, self._service_cidrs = tuple(cluster_cidrs), tuple(service_cidrs)
        self._host: Host = host or LinuxHost(conf_dir, namespace)
        self._clock = clock or SystemClock()
        self._nodes = Informer(client, kinds.NODES, clock=clock)
        self._changed = asyncio.Event()
        self._masquerade: Masquerade | None = None
        self.ready = asyncio.Event()

    async def run(self) -> None:
        self._nodes.add_handlers(Handlers(add=self._wake, update=self._wake_if_moved, delete=self._wake))
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._nodes.run())
            tasks.create_task(self._sync_forever())
            tasks.create_task(self._wake_forever())

    async def clean_up(self) -> None:
        """Remove routes, masquerade and configuration."""
        await asyncio.to_thread(self._withdraw)

    async def _sync_forever(self) -> None:
        await self._nodes.wait_synced()
        await asyncio.to_thread(self._host.prepare)
        while True:
            self._changed.clear()
            try:
                if await asyncio.to_thread(self._sync, list(self._nodes.lister.list())):
                    self.ready.set()
            except (NftError, OSError):
                _log.exception("cannot set up the pod network, trying again")
                self._changed.set()
                await self._clock.sleep(RETRY_SECONDS)
            await self._changed.wait()

    async def _wake_forever(self) -> None:
        while True:
            await self._clock.sleep(CHECK_SECONDS)
            self._changed.set()

    def _sync(self, nodes: Sequence[Object]) -> bool:
        """Returns whether pods may start."""
        own = next((node for node in nodes if node["metadata"]["name"] == self._node_name), None)
        cidrs = pod_cidrs(own) if own else []
        if foreign := self._host.foreign_configuration():
            _log.info("%s is in the CNI directory: the pod network is its maker's", foreign)
            self._withdraw()
            return True
        self._host.apply_routes(plan_routes(wanted_routes(nodes, self._node_name), self._host.routes()))
        uplink = self._host.uplink()
        self._set_masquerade(Masquerade(tuple(cidrs), (*self._cluster_cidrs, *self._service_cidrs, *uplink.networks), uplink.name))
        if cidrs:
            self._host.write_configuration(conflist(cidrs, uplink.mtu))
        return bool(cidrs)

    def _set_masquerade(self, wanted: Masquerade) -> None:
        is_there = not wanted.pods or not wanted.link or self._host.has_table("ip6" if ":" in wanted.pods[0] else "ip", TABLE)
        if wanted != self._masquerade or not is_there:
            self._host.load(compile_masquerade(wanted))
            self._masquerade = wanted

    def _withdraw(self) -> None:
        self._host.remove_configuration()
        self._host.apply_routes(RoutePlan((), tuple(route.destination for route in self._host.routes())))
        self._host.load(compile_removal())
        self._masquerade = None

    def _wake(self, node: Object) -> None:
        self._changed.set()

    def _wake_if_moved(self, old: Object, new: Object) -> None:
        """Heartbeats change Nodes all the time; only these fields concern us."""
        if wanted_routes([old], "") != wanted_routes([new], ""):
            self._changed.set()
