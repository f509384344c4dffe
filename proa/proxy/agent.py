"""The proxy of one node: watches Services and EndpointSlices and keeps the kernel's table in step with them, change by change.

The table is taken over whole once everything is known, so that a restart never shows the kernel half of the Services; after that only what
changed is rebuilt and written, within milliseconds. A stop leaves the table working; `clean_up` removes it.
"""

import asyncio
import logging
from collections.abc import Iterable

from proa.api import kinds, meta
from proa.api.meta import Object
from proa.client.informer import Informer
from proa.client.interface import Client, Handlers
from proa.lib.clock import Clock, SystemClock, format_time
from proa.lib.nft.errors import NftError
from proa.proxy.changes import Changes
from proa.proxy.config import ProxyConfig
from proa.proxy.endpoints import Node
from proa.proxy.health import HealthCheck, HealthServers
from proa.proxy.model import build_service, service_of
from proa.proxy.nftables.kernel import Kernel, LinuxKernel
from proa.proxy.rules import Ruleset, ServiceKey
from proa.proxy.table import Table

_log = logging.getLogger(__name__)
SELECTOR = "!service.kubernetes.io/service-proxy-name,!service.kubernetes.io/headless"
ZONE_LABEL = "topology.kubernetes.io/zone"
LEAVING_TAINT = "ToBeDeletedByClusterAutoscaler"
RETRY_SECONDS = 1.0
CHECK_SHARE = 50
"""A check may take one part in so many of the time."""


class Proxy:
    """`run()` until cancelled. `synced` is set once the kernel has the first whole table."""

    def __init__(self, client: Client, config: ProxyConfig, *, kernel: Kernel | None = None, clock: Clock | None = None) -> None:
        self._config = config
        self._clock = clock or SystemClock()
        self._kernel = kernel or LinuxKernel()
        self._tables = [Table(self._kernel, family, config.surroundings(family)) for family in config.families]
        self._services = Informer(client, kinds.SERVICES, label_selector=SELECTOR, clock=clock)
        self._slices = Informer(
            client, kinds.ENDPOINT_SLICES, label_selector=SELECTOR, indexers={"service": lambda each: [service_of(each)]}, clock=clock
        )
        self._nodes = Informer(client, kinds.NODES, field_selector=f"metadata.name={config.node_name}", clock=clock)
        self._node = Node(config.node_name)
        self._changes = Changes()
        self._health = HealthServers(self._kernel.listen, self._clock, config.healthz_port)
        self._turn = asyncio.Lock()
        self.synced = asyncio.Event()

    async def run(self) -> None:
        self._services.add_handlers(self._changes.service_handlers())
        self._slices.add_handlers(self._changes.slice_handlers())
        self._nodes.add_handlers(Handlers(add=self._node_changed, update=lambda old, new: self._node_changed(new)))
        await self._health.start()
        try:
            async with asyncio.TaskGroup() as tasks:
                for informer in (self._services, self._slices, self._nodes):
                    tasks.create_task(informer.run())
                tasks.create_task(self._sync_forever())
                tasks.create_task(self._check_forever())
        finally:
            await self._health.close()

    async def clean_up(self) -> None:
        """Remove everything from the kernel."""
        async with self._turn:
            for table in self._tables:
                await asyncio.to_thread(table.clean_up)

    async def _sync_forever(self) -> None:
        for informer in (self._services, self._slices, self._nodes):
            await informer.wait_synced()
        await asyncio.to_thread(self._kernel.prepare)
        while True:
            keys = self._changes.take()
            try:
                await self._sync(keys)
                self._health.synced(format_time(self._clock.now()))
                self.synced.set()
            except (NftError, OSError):
                self._health.working = False
                _log.exception("cannot write the rules of %d Services, trying again", len(keys))
                for key in keys:
                    self._changes.add(key)
                await self._clock.sleep(RETRY_SECONDS)
            await self._clock.sleep(self._config.min_sync_period_seconds)
            await self._changes.wait()

    async def _sync(self, keys: set[ServiceKey]) -> None:
        async with self._turn:
            for table in self._tables:
                ruleset = self._ruleset(table, keys)
                await asyncio.to_thread(table.update, ruleset, keys)
        await self._update_health(keys)

    def _ruleset(self, table: Table, keys: Iterable[ServiceKey]) -> Ruleset:
        address_type = table.family.address_type
        changes = {}
        for key in keys:
            service = self._services.lister.get(key)
            slices = self._slices.lister.by_index("service", key)
            changes[key] = build_service(service, slices, self._node, address_type) if service else None
        return table.ruleset.with_changes(changes)

    async def _update_health(self, keys: Iterable[ServiceKey]) -> None:
        for key in keys:
            found = [table.ruleset.services[key] for table in self._tables if key in table.ruleset.services]
            checks = [HealthCheck(each.health_check_port, each.ready_here) for each in found if each.health_check_port]
            await self._health.update(key, max(checks, default=None))

    async def _check_forever(self) -> None:
        await self.synced.wait()
        took = 0.0
        while True:
            await self._clock.sleep(max(self._config.check_period_seconds, took * CHECK_SHARE))
            started = self._clock.monotonic()
            for table in self._tables:
                await self._check(table)
            took = self._clock.monotonic() - started

    async def _check(self, table: Table) -> None:
        try:
            if not await asyncio.to_thread(table.is_intact):
                _log.warning("table %s was not as it should be; it is loaded again", table.family.table)
                async with self._turn:
                    await asyncio.to_thread(table.replace, table.ruleset)
        except (NftError, OSError):
            _log.exception("cannot check table %s", table.family.table)

    def _node_changed(self, node: Object) -> None:
        """Another zone means other endpoints for every Service with hints."""
        taints = (node.get("spec") or {}).get("taints") or ()
        self._health.node_eligible = not meta.is_terminating(node) and all(each.get("key") != LEAVING_TAINT for each in taints)
        current = Node(meta.name(node), meta.labels(node).get(ZONE_LABEL, ""))
        if current != self._node:
            self._node = current
            for service in self._services.lister.list():
                self._changes.add(meta.key(service))
