"""Makes the objects that every cluster starts with, at each start of the API server: namespaces and the range of cluster IPs first, then
all the rest at once, so that on a fresh store they share a few group commits. What the server itself lives on is looked after as long as it
runs (`keep_forever`), the rest is set right at the next start.
"""

import asyncio
import contextlib
import copy
import logging
from collections.abc import Callable

from proa.api import meta
from proa.api.errors import AlreadyExists, ApiError, Conflict, NotFound
from proa.api.kinds import SERVICE_CIDRS
from proa.api.meta import Object
from proa.api.resource import ResourceId
from proa.apiserver.bootstrap import cluster_objects, flow_control, public_objects, role_based_access
from proa.apiserver.bootstrap.reconcile import RECREATE, reconcile
from proa.apiserver.bootstrap.service_cidr import ensure_service_cidr
from proa.apiserver.config import ApiServerConfig
from proa.apiserver.interface import ObjectReader, ObjectWriter
from proa.lib.clock import Clock, format_time
from proa.lib.dataclass import dataclass
from proa.storage.interface import Unavailable

log = logging.getLogger(__name__)

ATTEMPTS = 5
KEEP_INTERVAL = 10.0
Serves = Callable[[ResourceId], bool]
Wanted = list[tuple[ResourceId, Object]]


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """`serves` says which kinds there are: earlier versions of the API do not have all of them."""

    reader: ObjectReader
    writer: ObjectWriter
    config: ApiServerConfig
    serves: Serves
    clock: Clock

    async def run(self) -> int:
        """Returns how many objects were written."""
        first = await self._first()
        once = role_based_access.default_objects() + cluster_objects.priority_classes() + public_objects.cluster_info(self.config)
        once += flow_control.default_objects() + cluster_objects.client_authority(self.config)
        return first + await self._ensure_all(once + self._kept())

    async def keep_forever(self) -> None:
        """Bring back what somebody deletes or changes."""
        while True:
            await self.clock.sleep(KEEP_INTERVAL)
            try:
                await self._first()
                await self._ensure_all(self._kept())
            except (ApiError, Unavailable) as error:
                log.warning("the objects of the system could not be looked after: %s", error)

    def _kept(self) -> Wanted:
        return cluster_objects.kubernetes_service(self.config) + public_objects.token_tracking(self.clock.now())

    async def _first(self) -> int:
        """What other objects are made in, or out of."""
        writes = [self._ensure_all(cluster_objects.namespaces())]
        if self.serves(SERVICE_CIDRS):
            writes.append(ensure_service_cidr(self.reader, self.writer, self.config, format_time(self.clock.now())))
        return sum(await asyncio.gather(*writes))

    async def _ensure_all(self, objects: Wanted) -> int:
        served = [(resource, wanted) for resource, wanted in objects if self.serves(resource)]
        return sum(await asyncio.gather(*(ensure(self.reader, self.writer, resource, wanted) for resource, wanted in served)))


async def ensure(reader: ObjectReader, writer: ObjectWriter, resource: ResourceId, wanted: Object) -> bool:
    """Create or correct one object; tries again if someone else writes it meanwhile (another API server that starts)."""
    for _ in range(ATTEMPTS):
        try:
            return await _ensure_once(reader, writer, resource, wanted)
        except (AlreadyExists, Conflict):
            await asyncio.sleep(0.05)
    return False


async def _ensure_once(reader: ObjectReader, writer: ObjectWriter, resource: ResourceId, wanted: Object) -> bool:
    name, namespace = meta.name(wanted), meta.namespace(wanted)
    present = reader.get(resource.group, resource.plural, name, namespace)
    if present is None:
        await writer.request("POST", resource.path(namespace), copy.deepcopy(wanted))
        return True
    decision = reconcile(resource, wanted, present)
    if decision is None:
        return False
    if decision == RECREATE:
        with contextlib.suppress(NotFound):
            await writer.request("DELETE", resource.path(namespace, name))
        await writer.request("POST", resource.path(namespace), copy.deepcopy(wanted))
    else:
        await writer.request("PUT", resource.path(namespace, name), copy.deepcopy(decision))
    return True
