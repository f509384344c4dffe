"""At most one of several replicas works: whoever holds a Lease, renews it in time and gives it up on exit.

Timings are upstream's: a Lease of 15 s, renewed every 2 s, given up after 10 s without success. Expiry is judged by when this process saw
the record change, never by another machine's clock.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from proa.api.errors import ApiError, NotFound
from proa.api.kinds import LEASES
from proa.api.meta import Object
from proa.client.interface import Client
from proa.lib.clock import Clock, SystemClock, format_micro_time
from proa.lib.tasks import cancel_and_wait

_log = logging.getLogger(__name__)


class LeadershipLost(Exception):
    """The Lease could not be renewed in time; the work was cancelled."""


class LeaderElector:
    """`run(work)` waits for the Lease, runs `work()` while it is held, and releases it at the end."""

    def __init__(
        self,
        client: Client,
        name: str,
        identity: str,
        *,
        namespace: str = "kube-system",
        lease_seconds: float = 15,
        renew_seconds: float = 10,
        retry_seconds: float = 2,
        clock: Clock | None = None,
    ) -> None:
        self._client, self._name, self._namespace, self._identity = client, name, namespace, identity
        self._lease_seconds, self._renew_seconds, self._retry_seconds = lease_seconds, renew_seconds, retry_seconds
        self._clock: Clock = clock or SystemClock()
        self._observed: Object | None = None
        self._observed_at = 0.0

    async def run(self, work: Callable[[], Awaitable[Any]]) -> None:
        while not await self._try_to_hold():
            await self._clock.sleep(self._retry_seconds)
        _log.info("%s became leader of %s/%s", self._identity, self._namespace, self._name)
        working, renewing = asyncio.ensure_future(work()), asyncio.ensure_future(self._renew_until_lost())
        try:
            await asyncio.wait({working, renewing}, return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                raise LeadershipLost(f"{self._identity} lost {self._namespace}/{self._name}")
            working.result()
        finally:
            await cancel_and_wait(working, renewing)
            await self._release()

    async def _renew_until_lost(self) -> None:
        renewed = self._clock.monotonic()
        while self._clock.monotonic() - renewed < self._renew_seconds:
            await self._clock.sleep(self._retry_seconds)
            if await self._try_to_hold():
                renewed = self._clock.monotonic()

    async def _try_to_hold(self) -> bool:
        try:
            return await self._acquire_or_renew()
        except (ApiError, OSError) as error:
            _log.info("leader election %s/%s: %s", self._namespace, self._name, error)
            return False

    async def _acquire_or_renew(self) -> bool:
        now = format_micro_time(self._clock.now())
        try:
            lease = await self._client.get(LEASES, self._name, self._namespace)
        except NotFound:
            spec = {"acquireTime": now, "leaseTransitions": 0, **self._claim(now)}
            lease = {
                "apiVersion": "coordination.k8s.io/v1",
                "kind": "Lease",
                "metadata": {"name": self._name, "namespace": self._namespace},
            }
            self._observe(await self._client.create(LEASES, {**lease, "spec": spec}))
            return True
        self._observe(lease)
        spec = lease.get("spec") or {}
        held_by_us = spec.get("holderIdentity") == self._identity
        if spec.get("holderIdentity") and not held_by_us and not self._expired(spec):
            return False
        if not held_by_us:
            spec = {**spec, "acquireTime": now, "leaseTransitions": int(spec.get("leaseTransitions") or 0) + 1}
        self._observe(await self._client.update(LEASES, {**lease, "spec": {**spec, **self._claim(now)}}))
        return True

    def _claim(self, now: str) -> Object:
        return {"holderIdentity": self._identity, "leaseDurationSeconds": int(self._lease_seconds), "renewTime": now}

    def _observe(self, lease: Object) -> None:
        if self._observed != lease.get("spec"):
            self._observed = lease.get("spec")
            self._observed_at = self._clock.monotonic()

    def _expired(self, spec: Object) -> bool:
        return self._clock.monotonic() >= self._observed_at + float(spec.get("leaseDurationSeconds") or self._lease_seconds)

    async def _release(self) -> None:
        """Let the next one in at once; best effort, as the Lease expires anyway."""
        try:
            lease = await self._client.get(LEASES, self._name, self._namespace)
            if lease.get("spec", {}).get("holderIdentity") != self._identity:
                return
            now = format_micro_time(self._clock.now())
            freed = {"holderIdentity": "", "leaseDurationSeconds": 1, "renewTime": now, "acquireTime": now}
            await self._client.update(LEASES, {**lease, "spec": {**lease["spec"], **freed}})
        except (ApiError, OSError) as error:
            _log.info("could not release %s/%s: %s", self._namespace, self._name, error)
