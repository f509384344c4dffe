"""Writes down when tokens that lie in Secrets are used, so that those which nobody needs can be told: a label on the Secret with the day,
and a ConfigMap with the day since which uses are written down (KEP-2799).
"""

import asyncio
import logging

from proa.api.errors import AlreadyExists, ApiError
from proa.api.legacy_token import LAST_USED, TRACKING
from proa.api.legacy_token import TRACKING_NAMESPACE as NAMESPACE
from proa.apiserver.interface import ObjectWriter
from proa.lib.clock import Clock

log = logging.getLogger(__name__)


class LegacyTokenUse:
    """`note` never waits: a request must not, for a label."""

    def __init__(self, writer: ObjectWriter | None, clock: Clock) -> None:
        self._writer = writer
        self._clock = clock
        self._noted: asyncio.Queue[tuple[str, str, str]] = asyncio.Queue(1024)
        self._pending: set[tuple[str, str, str]] = set()

    def note(self, namespace: str, name: str, day: str) -> None:
        use = namespace, name, day
        if use not in self._pending and not self._noted.full():
            self._pending.add(use)
            self._noted.put_nowait(use)

    async def run(self) -> None:
        if self._writer is None:
            return
        await self._begin(self._writer)
        while True:
            use = await self._noted.get()
            namespace, name, day = use
            try:
                body = {"metadata": {"labels": {LAST_USED: day}}}
                await self._writer.request("PATCH", f"/api/v1/namespaces/{namespace}/secrets/{name}", body)
            except ApiError as error:
                log.warning("the last use of the token in secret %s/%s can't be written: %s", namespace, name, error)
            self._pending.discard(use)

    async def _begin(self, writer: ObjectWriter) -> None:
        since = self._clock.now().date().isoformat()
        config_map = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": TRACKING, "namespace": NAMESPACE},
            "data": {"since": since},
        }
        try:
            await writer.request("POST", f"/api/v1/namespaces/{NAMESPACE}/configmaps", config_map)
        except AlreadyExists:
            return
        except ApiError as error:
            log.warning("configmap %s/%s can't be made: %s", NAMESPACE, TRACKING, error)
