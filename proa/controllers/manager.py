"""Runs all controllers in one event loop over one set of caches, each with its own identity.

Every kind is watched once, however many controllers look at it, and pods are cached as the part that controllers read.
"""

from collections.abc import Callable, Collection, Mapping

from proa.api.kinds import PODS
from proa.client.informer import InformerFactory
from proa.client.interface import Client
from proa.controllers import pods
from proa.controllers.context import ControllerContext
from proa.controllers.identity import SHARED_INFORMERS
from proa.controllers.options import ControllerOptions
from proa.controllers.registry import ACCOUNTS, CONTROLLERS, EVENT_SOURCES, Build
from proa.lib.clock import Clock, SystemClock
from proa.runtime.controller import Observe
from proa.runtime.event_recorder import EventRecorder
from proa.runtime.manager import Manager


async def run(
    client_for: Callable[[str], Client],
    options: ControllerOptions,
    clock: Clock | None = None,
    *,
    names: Collection[str] | None = None,
    more: Mapping[str, Build] | None = None,
    observe: Observe | None = None,
) -> None:
    """Until cancelled. `client_for(name)` gives a client with that identity (see `identity`); `more` adds controllers of other packages,
    such as the load balancer's (`service-controller`); `names` picks some."""
    clock = clock or SystemClock()
    clients: dict[str, Client] = {}

    def client(name: str) -> Client:
        if name not in clients:
            clients[name] = client_for(name)
        return clients[name]

    informers = InformerFactory(client(SHARED_INFORMERS), transforms={PODS: pods.slim}, clock=clock)
    builds = {name: build for name, build in {**CONTROLLERS, **(more or {})}.items() if names is None or name in names}
    recorders: list[EventRecorder] = []
    runnables = []
    for name, build in builds.items():
        own = client(ACCOUNTS.get(name, name))
        recorders.append(EventRecorder(own, EVENT_SOURCES.get(name, name), clock))
        runnables.append(build(ControllerContext(name, own, informers, recorders[-1], clock, options, observe)))
    try:
        await Manager(informers, runnables).run()
    finally:
        for recorder in recorders:
            await recorder.close()
        for each in clients.values():
            await each.close()
