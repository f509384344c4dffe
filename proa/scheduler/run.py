"""The scheduler with its own caches and recorder, as one coroutine: for a process of its own, or beside the controllers in one loop."""

from proa.api.kinds import PODS
from proa.client.informer import InformerFactory
from proa.client.interface import Client
from proa.lib.clock import Clock, SystemClock
from proa.runtime.event_recorder import EventRecorder
from proa.runtime.manager import Manager
from proa.scheduler.pod_cache import slim
from proa.scheduler.scheduler import Scheduler
from proa.scheduler.watching import DEFAULT_SCHEDULER

USER = "system:kube-scheduler"
GROUPS = ("system:authenticated",)
"""Who the scheduler is to the API: what RBAC's bootstrap role is bound to."""


async def run(client: Client, clock: Clock | None = None, *, name: str = DEFAULT_SCHEDULER) -> None:
    """Until cancelled; closes the client."""
    clock = clock or SystemClock()
    informers = InformerFactory(client, transforms={PODS: slim}, clock=clock)
    recorder = EventRecorder(client, name, clock)
    scheduler = Scheduler(client, informers, recorder, clock, name=name)
    try:
        await Manager(informers, [scheduler]).run()
    finally:
        await recorder.close()
        await client.close()
