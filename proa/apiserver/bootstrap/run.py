"""Makes the objects that every cluster starts with, at each start of the API server: namespaces first, then all the rest at once, so that
on a fresh store they share a few group commits.
"""

import asyncio
import contextlib
import copy
from collections.abc import Callable, Iterable

from proa.api import meta
from proa.api.errors import AlreadyExists, Conflict, NotFound
from proa.api.meta import Object
from proa.api.resource import ResourceId
from proa.apiserver.bootstrap import cluster_objects, flow_control, role_based_access
from proa.apiserver.bootstrap.reconcile import RECREATE, reconcile
from proa.apiserver.config import ApiServerConfig
from proa.apiserver.interface import ObjectReader, ObjectWriter

ATTEMPTS = 5


Serves = Callable[[ResourceId], bool]


async def bootstrap(reader: ObjectReader, writer: ObjectWriter, config: ApiServerConfig, serves: Serves) -> int:
    """Returns how many objects were written; earlier versions of the API do not serve every kind."""
    first = await _ensure_all(reader, writer, cluster_objects.namespaces())
    rest = role_based_access.default_objects() + cluster_objects.priority_classes() + cluster_objects.kubernetes_service(config)
    rest += flow_control.default_objects()
    rest += cluster_objects.service_cidr(config) + cluster_objects.client_authority(config)
    return first + await _ensure_all(reader, writer, ((resource, wanted) for resource, wanted in rest if serves(resource)))


async def _ensure_all(reader: ObjectReader, writer: ObjectWriter, objects: Iterable[tuple[ResourceId, Object]]) -> int:
    return sum(await asyncio.gather(*(ensure(reader, writer, resource, wanted) for resource, wanted in objects)))


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
        await writer.request("POST", resource.path(namespace), wanted)
        return True
    decision = reconcile(resource, wanted, present)
    if decision is None:
        return False
    if decision == RECREATE:
        with contextlib.suppress(NotFound):
            await writer.request("DELETE", resource.path(namespace, name))
        await writer.request("POST", resource.path(namespace), wanted)
    else:
        await writer.request("PUT", resource.path(namespace, name), copy.deepcopy(decision))
    return True
