"""Creates and deletes the pods of an owner, saying so in events; creation starts slowly, so that a hopeless template costs few requests."""

import asyncio
from collections.abc import Awaitable, Callable

from proa.api import meta
from proa.api.errors import ApiError, Forbidden, NotFound
from proa.api.kinds import PODS
from proa.api.meta import Object
from proa.client.interface import Client
from proa.runtime.event_recorder import Recorder


class PodControl:
    def __init__(self, client: Client, recorder: Recorder) -> None:
        self._client, self._recorder = client, recorder

    async def create(self, owner: Object, pod: Object) -> Object:
        try:
            created = await self._client.create(PODS, pod)
        except ApiError as error:
            if not namespace_terminating(error):
                self._recorder.event(owner, "Warning", "FailedCreate", f"Error creating: {error.message}")
            raise
        self._recorder.event(owner, "Normal", "SuccessfulCreate", f"Created pod: {meta.name(created)}")
        return created

    async def delete(self, owner: Object, pod: Object) -> None:
        try:
            await self._client.delete(PODS, meta.name(pod), meta.namespace(pod), uid=meta.uid(pod))
        except NotFound:
            raise
        except ApiError as error:
            self._recorder.event(owner, "Warning", "FailedDelete", f"Error deleting: {error.message}")
            raise
        self._recorder.event(owner, "Normal", "SuccessfulDelete", f"Deleted pod: {meta.name(pod)}")


def namespace_terminating(error: ApiError) -> bool:
    """Creation was refused because the whole namespace is going: nothing to complain about."""
    causes = error.details.get("causes") or ()
    return isinstance(error, Forbidden) and any(cause.get("reason") == "NamespaceTerminating" for cause in causes)


async def slow_start(count: int, create: Callable[[], Awaitable[object]]) -> tuple[int, Exception | None]:
    """Call `create` `count` times in batches of 1, 2, 4, ...; stop after the first batch with a failure.

    Returns how many succeeded and the first failure."""
    remaining, succeeded, batch = count, 0, 1
    while remaining:
        batch = min(batch, remaining)
        outcomes = await asyncio.gather(*(create() for _ in range(batch)), return_exceptions=True)
        failures = [each for each in outcomes if isinstance(each, BaseException)]
        succeeded += batch - len(failures)
        if failures:
            return succeeded, _as_exception(failures[0])
        remaining -= batch
        batch *= 2
    return succeeded, None


def _as_exception(failure: BaseException) -> Exception:
    if isinstance(failure, Exception):
        return failure
    raise failure
