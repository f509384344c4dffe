"""Plays a controller against the fake client on a virtual clock: the stage for tests of whole controllers.

`async with rehearse(build, *objects) as stage:` runs it; `stage.settle()` lets everything that is due happen.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import field
from typing import Any

from proa.api import meta
from proa.api.kinds import PODS
from proa.api.meta import Object
from proa.api.resource import ResourceId
from proa.client.fake import FakeClient
from proa.client.informer import InformerFactory
from proa.controllers import pods
from proa.controllers.context import ControllerContext
from proa.controllers.options import ControllerOptions
from proa.lib.clock import VirtualClock
from proa.lib.dataclass import dataclass
from proa.lib.tasks import cancel_and_wait
from proa.runtime.manager import Manager, Runnable


@dataclass(slots=True)
class EventLog:
    """A recorder whose events read as `Pod web Normal Reason: message`."""

    lines: list[str] = field(default_factory=list)

    def event(self, obj: Object, type_: str, reason: str, message: str, *, field_path: str = "") -> None:
        self.lines.append(f"{obj.get('kind')} {meta.name(obj)} {type_} {reason}: {message}")


@dataclass(slots=True)
class Stage:
    client: FakeClient
    clock: VirtualClock
    log: EventLog

    async def settle(self, seconds: float = 0) -> None:
        """Let time pass and everything that follows happen."""
        await self.clock.advance(seconds)
        for _ in range(40):
            await self.clock.advance(0.001)

    def objects(self, resource: ResourceId) -> list[Object]:
        return self.client.objects(resource)

    @property
    def events(self) -> list[str]:
        return self.log.lines


@asynccontextmanager
async def rehearse(
    build: Callable[[ControllerContext], Runnable], *objects: Object, resources: tuple[ResourceId, ...] = (), **options: Any
) -> AsyncIterator[Stage]:
    clock = VirtualClock()
    client = FakeClient(*objects, clock=clock, resources=resources)
    informers = InformerFactory(client, transforms={PODS: pods.slim}, clock=clock)
    stage = Stage(client, clock, EventLog())
    context = ControllerContext("rehearsed", client, informers, stage.log, clock, ControllerOptions(**options))
    running = asyncio.ensure_future(Manager(informers, [build(context)]).run())
    try:
        await stage.settle()
        yield stage
    finally:
        await cancel_and_wait(running)
