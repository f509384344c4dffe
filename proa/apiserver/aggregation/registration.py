"""Keeps the APIServices of what this server serves itself: `local.plan` made true, at the start and whenever what is served changes."""

import asyncio
import contextlib
import copy
import logging
from collections.abc import Callable, Iterable, Mapping

from proa.api import meta
from proa.api.errors import AlreadyExists, ApiError, Conflict, NotFound
from proa.api.meta import Object
from proa.apiserver.aggregation.local import Action, Wanted, plan
from proa.apiserver.interface import ObjectReader, ObjectWriter
from proa.lib.clock import Clock

log = logging.getLogger(__name__)

GROUP, PLURAL = "apiregistration.k8s.io", "apiservices"
PATH = f"/apis/{GROUP}/v1/{PLURAL}"
RETRY_SECONDS = 1.0


class Registration:
    """`served` gives the group versions that are served here now."""

    def __init__(self, served: Callable[[], Iterable[Wanted]], reader: ObjectReader, writer: ObjectWriter, clock: Clock) -> None:
        self._served, self._reader, self._writer, self._clock = served, reader, writer, clock
        self._old: frozenset[str] = frozenset()
        self._settled: frozenset[str] = frozenset()
        self._wake = asyncio.Event()

    def wake(self) -> None:
        self._wake.set()

    async def start(self) -> None:
        """Everything that is built in is registered when this returns."""
        self._old = frozenset(self._present())
        await self._sync()
        self._settled = self._old | {each.name for each in self._served() if not each.custom}

    async def run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            if not await self._sync():
                await self._clock.sleep(RETRY_SECONDS)
                self._wake.set()

    def _present(self) -> Mapping[str, Object]:
        return {meta.name(each): each for each in self._reader.list(GROUP, PLURAL)}

    async def _sync(self) -> bool:
        actions = plan(set(self._served()), self._present(), self._old, self._settled)
        done = await asyncio.gather(*(self._apply(action) for action in actions))
        return all(done)

    async def _apply(self, action: Action) -> bool:
        verb, obj = action
        try:
            await self._write(verb, obj)
        except Conflict:
            return False
        except ApiError as error:
            log.warning("APIService %s can't be registered: %s", meta.name(obj), error.message)
            return False
        return True

    async def _write(self, verb: str, obj: Object) -> None:
        path = f"{PATH}/{meta.name(obj)}"
        with contextlib.suppress(AlreadyExists, NotFound):
            if verb == "create":
                await self._writer.request("POST", PATH, obj)
            elif verb == "update":
                await self._writer.request("PUT", path, copy.deepcopy(obj))
            else:
                preconditions = {"uid": meta.uid(obj), "resourceVersion": meta.resource_version(obj)}
                await self._writer.request("DELETE", path, {"preconditions": preconditions})
