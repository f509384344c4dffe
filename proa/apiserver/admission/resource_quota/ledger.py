"""Charges quotas for requests of one namespace in turn, many at a time with one write: two requests never both get the last place.

The charge is in the quota's status before the request goes on. If the request fails after that, the quota's controller finds out.
"""

import asyncio
from collections.abc import Sequence

from proa.api import meta
from proa.api.errors import ApiError, Conflict, NotFound
from proa.api.meta import Object
from proa.api.pod_resources import Amounts
from proa.apiserver.admission.resource_quota.charge import Demand, QuotaRefusal, charge
from proa.apiserver.admission.resource_quota.limited import Limited
from proa.apiserver.interface import ObjectReader, ObjectWriter
from proa.lib.dataclass import dataclass

ATTEMPTS = 10


@dataclass(slots=True, eq=False)
class _Waiter:
    demand: Demand
    dry_run: bool
    done: "asyncio.Future[None]"


class Ledger:
    """`quotas` gives those of a namespace as observed; what was written here is newer and counts until it is observed."""

    def __init__(self, reader: ObjectReader, writer: ObjectWriter, limited: Sequence[Limited] = ()) -> None:
        self._reader, self._writer, self._limited = reader, writer, limited
        self._waiting: dict[str, list[_Waiter]] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def charge(self, namespace: str, demand: Demand, *, dry_run: bool) -> None:
        """Raises QuotaRefusal, ApiError."""
        waiter = _Waiter(demand, dry_run, asyncio.get_running_loop().create_future())
        self._waiting.setdefault(namespace, []).append(waiter)
        if namespace not in self._tasks:
            self._tasks[namespace] = asyncio.create_task(self._work(namespace), name=f"quota of {namespace}")
        await waiter.done

    async def close(self) -> None:
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _work(self, namespace: str) -> None:
        try:
            while batch := self._waiting.pop(namespace, None):
                await self._settle(namespace, [waiter for waiter in batch if not waiter.done.done()])
        finally:
            del self._tasks[namespace]

    async def _settle(self, namespace: str, batch: list[_Waiter]) -> None:
        try:
            for _ in range(ATTEMPTS):
                try:
                    await self._attempt(namespace, batch)
                    break
                except Conflict as error:
                    conflict = error
                    await asyncio.sleep(0)
            else:
                raise conflict
        except (ApiError, OSError) as error:
            for waiter in batch:
                if not waiter.done.done():
                    waiter.done.set_exception(error)
        except asyncio.CancelledError:
            for waiter in batch:
                waiter.done.cancel()
            raise

    async def _attempt(self, namespace: str, batch: list[_Waiter]) -> None:
        quotas = {meta.name(each): each for each in self._reader.list("", "resourcequotas", namespace)}
        current, passed = dict(quotas), list[_Waiter]()
        for waiter in batch:
            if waiter.done.done():
                continue
            try:
                charged = charge(list(current.values()), waiter.demand, self._limited)
            except QuotaRefusal as refusal:
                waiter.done.set_exception(refusal)
                continue
            passed.append(waiter)
            if not waiter.dry_run:
                current |= {name: with_used(current[name], used) for name, used in charged.items()}
        for name, quota in current.items():
            if quota is not quotas[name]:
                await self._write(namespace, name, quota)
        self._release(passed)

    def _release(self, waiters: Sequence[_Waiter]) -> None:
        for waiter in waiters:
            if not waiter.done.done():
                waiter.done.set_result(None)

    async def _write(self, namespace: str, name: str, quota: Object) -> None:
        try:
            await self._writer.request("PUT", f"/api/v1/namespaces/{namespace}/resourcequotas/{name}/status", quota)
        except NotFound:
            return


def with_used(quota: Object, used: Amounts) -> Object:
    """A copy of the quota whose status says so."""
    told = {name: str(amount) for name, amount in used.items()}
    return {**quota, "status": {**(quota.get("status") or {}), "used": told}}
