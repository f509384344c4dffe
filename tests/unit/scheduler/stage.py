"""A scheduler at work on a fake API and a virtual clock; of equally good nodes it takes the first."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from proa.api import meta
from proa.api.kinds import PODS
from proa.api.meta import Object
from proa.client.fake import FakeClient
from proa.client.informer import InformerFactory
from proa.lib.clock import VirtualClock
from proa.lib.tasks import TaskSet
from proa.runtime.manager import Manager
from proa.scheduler.pod_cache import slim
from proa.scheduler.scheduler import Scheduler


@dataclass(slots=True)
class Events:
    """A recorder: (pod, reason, message) of each event."""

    seen: list[tuple[str, str, str]] = field(default_factory=list)

    def event(self, obj: Object, type_: str, reason: str, message: str, *, field_path: str = "") -> None:
        self.seen.append((meta.name(obj), reason, message))


@dataclass(slots=True)
class Stage:
    client: FakeClient
    clock: VirtualClock
    scheduler: Scheduler
    events: Events

    async def settle(self, seconds: float = 0) -> None:
        await self.clock.advance(seconds)
        for _ in range(20):
            await self.clock.advance(0)

    async def nodes(self) -> dict[str, str]:
        """Which node each pod has."""
        await self.settle()
        return {meta.name(each): each["spec"].get("nodeName", "") for each in self.client.objects(PODS)}

    def condition(self, name: str) -> tuple[str, str, str]:
        """(status, reason, message) of PodScheduled."""
        found = next(each for each in self.client.objects(PODS) if meta.name(each) == name)
        condition = meta.condition(found, "PodScheduled") or {}
        return condition.get("status", ""), condition.get("reason", ""), condition.get("message", "")


@asynccontextmanager
async def stage(*objects: Object) -> AsyncIterator[Stage]:
    clock = VirtualClock()
    default = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default"}}
    client = FakeClient(default, *objects, clock=clock)
    informers, events, tasks = InformerFactory(client, transforms={PODS: slim}, clock=clock), Events(), TaskSet()
    scheduler = Scheduler(client, informers, events, clock, choose=lambda number: 0)
    tasks.spawn(Manager(informers, [scheduler]).run(), "scheduler")
    built = Stage(client, clock, scheduler, events)
    await built.settle()
    try:
        yield built
    finally:
        await tasks.cancel()
