"""API Priority and Fairness: finds each request's flow, estimates its work, and lets it run when its priority level has seats for it.

Classification is remembered by user, verb, resource and namespace until a FlowSchema or PriorityLevelConfiguration changes. Source:
KEP-1040 and "API Priority and Fairness". Long-running requests pass, but for the beginning of a watch.
"""

from collections.abc import Callable
from typing import Any

from proa.api import meta
from proa.api.meta import Object
from proa.apiserver.bootstrap.flow_control import FLOW_SCHEMAS, PRIORITY_LEVELS
from proa.apiserver.fairness.configuration import Configuration
from proa.apiserver.fairness.flow import Flow, Turn
from proa.apiserver.fairness.flow_schema import select
from proa.apiserver.fairness.metrics import FairnessMetrics
from proa.apiserver.fairness.retry_after import RetryAfter
from proa.apiserver.fairness.shuffle_sharding import deal, hash_flow
from proa.apiserver.fairness.work import ONE_SEAT, Work, list_work, watch_work, write_work
from proa.apiserver.interface import ObjectReader, RequestInfo, User
from proa.apiserver.served import GroupVersionResource, ServedResource
from proa.lib.clock import Clock
from proa.lib.http.message import Request
from proa.lib.remembered import LONGEST

PERIOD = 10.0
"""Seconds between two adjustments of the limits to the demand."""
MEMORY = 8192
LONGEST_WAIT = 60.0


class Fairness:
    def __init__(
        self,
        reader: ObjectReader,
        clock: Clock,
        served: dict[GroupVersionResource, ServedResource],
        server_limit: int,
        request_timeout: float,
        metrics: FairnessMetrics,
    ) -> None:
        self.metrics = metrics
        self.configuration = Configuration(reader, clock, server_limit, metrics.rejected)
        metrics.watch_levels(self.configuration)
        self._clock, self._served = clock, served
        self.patience = min(request_timeout / 4, LONGEST_WAIT)
        self._flows: dict[tuple[Any, ...], Flow] = {}
        self._retry_after: dict[str, RetryAfter] = {}
        self._specs: dict[tuple[str, str], tuple[str, Object]] = {}
        self._stale = False
        self._running = False
        self.on_change: Callable[[], None] = lambda: None
        """Called for every change of an object, also of a status."""
        reader.observe(FLOW_SCHEMAS.group, FLOW_SCHEMAS.plural, self._changed)
        reader.observe(PRIORITY_LEVELS.group, PRIORITY_LEVELS.plural, self._changed)

    async def run(self) -> None:
        """Heeds the objects of the API from now on: while they are being made at the start, the mandatory ones are enough."""
        self._running = True
        self._flows.clear()
        while True:
            await self._clock.sleep(PERIOD)
            self.refresh()
            self.configuration.rebalance()
            self.metrics.fold()

    async def close(self) -> None:
        for level in self.configuration.levels.values():
            await level.close()

    def refresh(self) -> None:
        if self._stale and self._running:
            self._stale = False
            self._flows.clear()
            self.configuration.read()

    def _changed(self, type_: str, obj: Object) -> None:
        key, now = (obj["kind"], meta.name(obj)), (meta.uid(obj), obj.get("spec") or {})
        if type_ == "DELETED":
            self._specs.pop(key, None)
        elif self._specs.get(key) == now:
            self.on_change()
            return
        else:
            self._specs[key] = now
        self._stale = True
        self._flows.clear()
        self.on_change()

    # -- one request

    def flow_of(self, user: User, info: RequestInfo) -> Flow:
        key: tuple[Any, ...]
        if info.is_resource:
            key = user.name, user.groups, info.verb, info.group, info.resource, info.subresource, info.namespace
        else:
            key = user.name, user.groups, info.verb, info.path
        return self._flows.get(key) or self._classify(key, user, info)

    def _classify(self, key: tuple[Any, ...], user: User, info: RequestInfo) -> Flow:
        self.refresh()
        schema = select(self.configuration.schemas, user, info)
        level = self.configuration.levels[schema.level]
        distinguisher, queuing = "", level.queuing
        hand: tuple[int, ...] = ()
        if queuing.queues == 1:
            hand = (0,)
        elif queuing.queues:
            distinguisher = schema.distinguish(user, info)
            hand = deal(hash_flow(schema.name, distinguisher), queuing.queues, queuing.hand_size)
        if len(self._flows) >= MEMORY:
            self._flows.clear()
        counts = self.metrics.counts(level.name, schema.name)
        flow = Flow(schema.name, schema.uid, level, level.uid, distinguisher, hand, counts)
        if sum(map(len, key)) <= LONGEST:
            self._flows[key] = flow
        return flow

    def estimate(self, flow: Flow, request: Request, info: RequestInfo) -> Work:
        """Of anything but a GET of one object, which is one seat."""
        served = self._served.get((info.group, info.version, info.resource))
        if served is None or served.collection is None:
            return ONE_SEAT
        most = flow.level.limits.request_maximum
        if info.verb in ("create", "update", "patch", "delete"):
            scope = f"{info.namespace}/" if info.namespace and served.resource.id.namespaced else ""
            return write_work(request, info, served.collection.watchers_of(scope), most)
        if info.verb == "list":
            return list_work(request, info, served.collection.count(), most)
        return watch_work(request, info, served.collection.count(), most) if info.verb == "watch" else ONE_SEAT

    async def queue(self, flow: Flow, work: Work, user: User, info: RequestInfo) -> Turn:
        """Wait for a turn. Raises Rejected."""
        return await flow.level.wait(flow, work, user, info, self.patience)

    def finish(self, turn: Turn) -> None:
        """The request has been answered."""
        seconds, counts = turn.flow.level.finish(turn), turn.flow.counts
        if turn.work is ONE_SEAT:
            counts.one_seat_seconds.append(seconds)
        else:
            counts.executed.observe(seconds)
            counts.seats_estimated.observe(turn.work.seats)

    def passed(self, flow: Flow) -> None:
        """A request of one seat has been answered without waiting for anything."""
        counts = flow.counts
        counts.dispatched[0] += 1
        counts.one_seat_seconds.append(0.0)
        if not flow.level.exempt:
            counts.waited.counts[0] += 1

    def retry_after(self, level: str) -> int:
        """Seconds after which whom this level has turned away may come again."""
        return self._retry_after.setdefault(level, RetryAfter()).turned_away(self._clock.now().timestamp())
