"""Looks after one APIService that another server answers for: is it there, what does it serve, what do its documents say.

It looks at once when woken, also by a request that did not get there, every half minute else, and soon again after a failure. A condition
is written only when it has changed; what the server serves is known before the condition says that it is available.
"""

import asyncio
import contextlib
import copy
import logging
from collections.abc import Callable

from proa.api import meta
from proa.api.errors import ApiError, Conflict, NotFound
from proa.api.meta import Object
from proa.apiserver.aggregation.availability import judge
from proa.apiserver.aggregation.discovery import RemoteDiscovery
from proa.apiserver.aggregation.forwarding import forward, refusal
from proa.apiserver.aggregation.openapi import RemoteOpenApi
from proa.apiserver.aggregation.registration import GROUP, PATH, PLURAL
from proa.apiserver.aggregation.remote import RemoteApi
from proa.apiserver.interface import ObjectReader, ObjectWriter, User
from proa.lib.backoff import Backoff
from proa.lib.clock import Clock
from proa.lib.http.message import AnyResponse, Request
from proa.lib.tasks import cancel_and_wait

log = logging.getLogger(__name__)

RESYNC_SECONDS = 30.0
ATTEMPTS = 5
RETRY = (0.1, 1.0)


class Keeper:
    """`discovered` and `described` are called when the resources or the OpenAPI documents are others."""

    def __init__(
        self, remote: RemoteApi, reader: ObjectReader, writer: ObjectWriter, clock: Clock, now: Callable[[], str],
        discovered: Callable[[], None], described: Callable[[], None],
    ) -> None:  # fmt: skip
        self.remote = remote
        self.openapi = RemoteOpenApi(remote.group, remote.version)
        self._reader, self._writer, self._clock, self._now = reader, writer, clock, now
        self._discovered, self._described = discovered, described
        self._discovery = RemoteDiscovery(remote.version)
        self.shown: Object = self._discovery.shown(fresh=False)
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name=f"APIService {self.name}")

    @property
    def name(self) -> str:
        return f"{self.remote.version}.{self.remote.group}"

    def replace(self, remote: RemoteApi) -> RemoteApi:
        """The same group version is answered elsewhere from now on; returns what is no longer of use."""
        old, self.remote = self.remote, remote
        self.wake()
        return old

    def wake(self) -> None:
        self._wake.set()

    async def stop(self) -> None:
        if self._task is not None:
            await cancel_and_wait(self._task)
        await self.remote.close()

    async def answer(self, request: Request, user: User) -> AnyResponse:
        await asyncio.sleep(0)
        return await forward(request, user, self.remote, self.wake)

    async def answer_openapi(self, request: Request, user: User) -> AnyResponse:
        """The OpenAPI v3 document of the group version: the server's own, or what was made of its v2."""
        await asyncio.sleep(0)
        made = self.openapi.response(request)
        if made is not None:
            return made
        if not self.openapi.index_entry:
            return refusal(404, "404 page not found")
        return await forward(request, user, self.remote, self.wake)

    async def _run(self) -> None:
        backoff = Backoff(*RETRY)
        while True:
            self._wake.clear()
            try:
                seen = await self._look()
            except ApiError as error:
                log.warning("APIService %s: %s", self.name, error.message)
                seen = False
            except Exception:
                log.exception("APIService %s can't be looked after", self.name)
                seen = False
            if seen:
                backoff.reset()
            await self._rest(RESYNC_SECONDS if seen else backoff.next())

    async def _look(self) -> bool:
        """Whether everything is as it should be."""
        remote = self.remote
        condition = await judge(remote, self._reader)
        available: bool = condition["status"] == "True"
        fresh = available and await self._discovery.refresh(remote)
        shown = self._discovery.shown(fresh=fresh)
        if shown != self.shown:
            self.shown = shown
            self._discovered()
        await record(self._reader, self._writer, self.name, condition, self._now())
        if available and await self.openapi.refresh(remote):
            self._described()
        return fresh

    async def _rest(self, seconds: float) -> None:
        sleeping = asyncio.ensure_future(self._clock.sleep(seconds))
        woken = asyncio.ensure_future(self._wake.wait())
        try:
            await asyncio.wait((sleeping, woken), return_when=asyncio.FIRST_COMPLETED)
        finally:
            await cancel_and_wait(sleeping, woken)


async def record(reader: ObjectReader, writer: ObjectWriter, name: str, condition: Object, now: str) -> None:
    """Put a condition into the status of an APIService, beside those of others. Raises ApiError."""
    for _ in range(ATTEMPTS):
        found = reader.get(GROUP, PLURAL, name)
        if found is None:
            return
        obj = copy.deepcopy(found)
        if not meta.set_condition(obj, condition, now):
            return
        with contextlib.suppress(Conflict, NotFound):
            await writer.request("PUT", f"{PATH}/{name}/status", obj)
            return
        await asyncio.sleep(0)
