"""Controllers at work on the API server of a scenario, each as the identity that it has in a cluster."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from proa.client.loopback import LoopbackClient
from proa.controllers import manager
from proa.controllers.identity import user_of
from proa.controllers.options import ControllerOptions
from proa.lib.tasks import cancel_and_wait
from tests.integration.conftest import Answer, Api

ROUNDS = 500


@asynccontextmanager
async def working(api: Api, *names: str, **options: Any) -> AsyncIterator[None]:
    def client_for(name: str) -> LoopbackClient:
        return LoopbackClient(api.server.handler, *user_of(name))

    running = asyncio.ensure_future(manager.run(client_for, ControllerOptions(**options), api.clock, names=names))
    try:
        yield
    finally:
        await cancel_and_wait(running)


async def until(api: Api, path: str, fits: Callable[[Answer], bool], *, step: float = 0.01) -> Answer:
    """The first answer that fits, while time passes in small steps."""
    for _ in range(ROUNDS):
        answer = await api("GET", path)
        if fits(answer):
            return answer
        await api.clock.advance(step)
    raise AssertionError(f"GET {path} never answered as expected; last: {answer.raw!r}")
