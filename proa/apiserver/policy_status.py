"""Keeps the status of ValidatingAdmissionPolicies: which generation was looked at, and what type checking has to say of it.

Upstream runs this in the controller manager. Here it is a loop inside the API server, which has the schemas.
"""

import asyncio

from proa.api import meta
from proa.api.errors import ApiError, Conflict, NotFound
from proa.api.meta import Object
from proa.apiserver.admission.shown import Served
from proa.apiserver.interface import ObjectReader, ObjectWriter
from proa.lib.clock import Clock

GROUP, PLURAL = "admissionregistration.k8s.io", "validatingadmissionpolicies"
RETRY_SECONDS = 1.0


def is_outdated(policy: Object) -> bool:
    return (policy.get("status") or {}).get("observedGeneration") != (policy.get("metadata") or {}).get("generation")


class PolicyStatus:
    def __init__(self, reader: ObjectReader, writer: ObjectWriter, served: Served, clock: Clock) -> None:
        self._reader, self._writer, self._served, self._clock = reader, writer, served, clock
        self._waiting: set[str] = set()
        self._changed = asyncio.Event()
        reader.observe(GROUP, PLURAL, self._on_policy)

    def _on_policy(self, event: str, policy: Object) -> None:
        if event != "DELETED" and is_outdated(policy):
            self._waiting.add(meta.name(policy))
            self._changed.set()

    async def run(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            while self._waiting:
                await self._settle(self._waiting.pop())

    async def _settle(self, name: str) -> None:
        policy = self._reader.get(GROUP, PLURAL, name)
        if policy is None or not is_outdated(policy):
            return
        try:
            await self._writer.request("PUT", f"/apis/{GROUP}/v1/{PLURAL}/{name}/status", self._with_status(policy))
        except (Conflict, NotFound):
            self._waiting.add(name)
            await asyncio.sleep(0)
        except ApiError:
            self._waiting.add(name)
            await self._clock.sleep(RETRY_SECONDS)

    def _with_status(self, policy: Object) -> Object:
        from proa.apiserver.admission.policy.type_checking import TypeChecker

        warnings = TypeChecker(self._served).warnings(policy)
        checked = {"expressionWarnings": warnings} if warnings else {}
        status = {**(policy.get("status") or {}), "observedGeneration": policy["metadata"]["generation"], "typeChecking": checked}
        return {**policy, "status": status}
