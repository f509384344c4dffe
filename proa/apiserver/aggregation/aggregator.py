"""The APIServices at work: which group versions other servers answer for, and in which order all are shown.

The pipeline looks up `ServerContext.aggregated`, which is kept here. Services and endpoints are only observed once there is an APIService
with a Service, and nothing that it needs is imported before: a cluster without one pays nothing.
"""

import asyncio
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from proa.api import meta
from proa.api.meta import Object
from proa.apiserver.aggregation.local import ALWAYS, LABEL, Wanted
from proa.apiserver.aggregation.registration import GROUP, PLURAL, Registration
from proa.apiserver.call import ServerContext
from proa.apiserver.config import ApiServerConfig
from proa.apiserver.discovery.groups import Registered
from proa.apiserver.interface import ObjectWriter
from proa.apiserver.openapi.documents import ForeignDocuments
from proa.apiserver.registry.kinds.extensions import LOCALLY_AVAILABLE
from proa.lib.metrics import Counter, GaugeFunction, Registry
from proa.lib.tasks import TaskSet

if TYPE_CHECKING:
    from proa.apiserver.aggregation.keeper import Keeper
    from proa.apiserver.aggregation.remote import RemoteApi


class Aggregator:
    """`discovered` and `described` are called when discovery or the OpenAPI documents are others."""

    def __init__(
        self, context: ServerContext, config: ApiServerConfig, writer: ObjectWriter, metrics: Registry, discovered: Callable[[], None],
        described: Callable[[], None],
    ) -> None:  # fmt: skip
        self._context, self._config, self._writer = context, config, writer
        self._discovered, self._described = discovered, described
        self._reader = context.reader
        self._registration = Registration(self._served_here, context.reader, writer, context.clock)
        self._keepers: dict[str, Keeper] = {}
        self._registered: Registered | None = None
        self._tasks = TaskSet()
        self._observing = False
        metrics.add(GaugeFunction("aggregator_unavailable_apiservice", "APIServices that are not available.", ("name",), self._unavailable))
        self._losses = metrics.add(
            Counter("aggregator_unavailable_apiservice_total", "How often an APIService became unavailable.", ("name", "reason"))
        )

    async def start(self) -> None:
        """What is stored holds, and what is built in is registered, when this returns."""
        if (GROUP, "v1", PLURAL) not in self._context.served:
            return
        self._reader.observe(GROUP, PLURAL, self._observe)
        await self._registration.start()
        self._tasks.spawn(self._registration.run(), "APIService registration")

    async def stop(self) -> None:
        await self._tasks.cancel()
        await asyncio.gather(*(keeper.stop() for keeper in self._keepers.values()))
        self._keepers.clear()

    def resources_changed(self) -> None:
        """Definitions came or went."""
        self._registration.wake()

    def registered(self) -> Registered:
        if self._registered is None:
            groups: dict[str, int] = {}
            versions: dict[tuple[str, str], int] = {}
            for each in self._reader.list(GROUP, PLURAL):
                spec = each["spec"]
                group = spec.get("group") or ""
                groups[group] = max(groups.get(group, 0), spec["groupPriorityMinimum"])
                versions[group, spec["version"]] = spec["versionPriority"]
            remote = {(keeper.remote.group, keeper.remote.version): keeper.shown for keeper in self._keepers.values()}
            self._registered = Registered(groups, versions, remote)
        return self._registered

    def documents(self) -> list[ForeignDocuments]:
        """What the OpenAPI documents of this server have of others'."""
        return [keeper.openapi for keeper in self._keepers.values()]

    def _unavailable(self) -> Iterator[tuple[tuple[str, ...], float]]:
        for each in self._reader.list(GROUP, PLURAL):
            yield (meta.name(each),), float((meta.condition(each, "Available") or {}).get("status") != "True")

    def _served_here(self) -> Iterator[Wanted]:
        for (group, version, _), served in self._context.served.items():
            yield Wanted(group, version, served.custom)

    def _observe(self, type_: str, obj: Object) -> None:
        """In the event loop, before the write is answered."""
        name = meta.name(obj)
        if type_ == "DELETED" or not obj["spec"].get("service"):
            self._drop(name)
        else:
            self._keep(name, obj)
        if type_ != "ADDED" and meta.labels(obj).get(LABEL) == ALWAYS:
            self._registration.wake()
        if type_ == "MODIFIED" and not obj["spec"].get("service"):
            self._tasks.spawn(self._say_local(name), f"APIService {name} is local")
        self._forget()

    def _forget(self) -> None:
        self._registered = None
        self._discovered()

    def _keep(self, name: str, obj: Object) -> None:
        from proa.apiserver.aggregation.keeper import Keeper

        keeper = self._keepers.get(name)
        if keeper is None:
            remote = self._remote(obj)
            keeper = Keeper(remote, self._reader, self._writer, self._context.clock, self._context.now, self._forget, self._described)
            self._keepers[name] = self._context.aggregated[remote.group, remote.version] = keeper
            self._observe_services()
            keeper.start()
        elif _way(keeper.remote.spec) != _way(obj["spec"]):
            remote = self._remote(obj)
            remote.available = keeper.remote.available
            old = keeper.replace(remote)
            self._tasks.spawn(old.close(), f"connections of APIService {name}")
        condition = meta.condition(obj, "Available") or {}
        if keeper.remote.available and condition.get("status") == "False":
            self._losses.increment(name, condition.get("reason") or "Unknown")
        keeper.remote.available = condition.get("status") == "True"

    def _remote(self, obj: Object) -> "RemoteApi":
        from proa.apiserver.aggregation.identity import Identity
        from proa.apiserver.aggregation.remote import RemoteApi

        return RemoteApi(obj, self._reader, Identity(self._config))

    def _drop(self, name: str) -> None:
        keeper = self._keepers.pop(name, None)
        if keeper is None:
            return
        self._context.aggregated.pop((keeper.remote.group, keeper.remote.version), None)
        self._tasks.spawn(keeper.stop(), f"end of APIService {name}")
        self._described()

    async def _say_local(self, name: str) -> None:
        """An APIService that had a Service until now has the verdict about it."""
        from proa.apiserver.aggregation.keeper import record

        await record(self._reader, self._writer, name, LOCALLY_AVAILABLE, self._context.now())

    def _observe_services(self) -> None:
        if not self._observing:
            self._observing = True
            self._reader.observe("", "services", lambda _, obj: self._wake(meta.namespace(obj), meta.name(obj)))
            self._reader.observe("discovery.k8s.io", "endpointslices", self._endpoints_changed)

    def _endpoints_changed(self, _: str, obj: Object) -> None:
        self._wake(meta.namespace(obj), meta.labels(obj).get("kubernetes.io/service-name", ""))

    def _wake(self, namespace: str, service: str) -> None:
        for keeper in self._keepers.values():
            if keeper.remote.service.get("namespace") == namespace and keeper.remote.service.get("name") == service:
                keeper.wake()


def _way(spec: Object) -> tuple[object, ...]:
    """What of an APIService decides where requests go; anything else may change under a watch."""
    return spec.get("service"), spec.get("caBundle"), spec.get("insecureSkipTLSVerify")
