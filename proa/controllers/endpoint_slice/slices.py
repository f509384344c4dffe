"""The slices that one controller manages: which Service a slice is for, and the writes that a plan asks for."""

from collections.abc import Callable

from proa.api import meta
from proa.api.errors import NotFound
from proa.api.kinds import ENDPOINT_SLICES
from proa.api.meta import Object
from proa.client.interface import Client
from proa.controllers.endpoint_slice.packing import MANAGED_BY, SERVICE_NAME, SlicePlan
from proa.controllers.written import WrittenObjects


def service_index(manager: str) -> Callable[[Object], list[str]]:
    """Index function: the Service of a slice that the manager made, nothing for slices of others."""

    def service_of(endpoint_slice: Object) -> list[str]:
        labels = meta.labels(endpoint_slice)
        if labels.get(MANAGED_BY) != manager or not labels.get(SERVICE_NAME):
            return []
        return [f"{meta.namespace(endpoint_slice)}/{labels[SERVICE_NAME]}"]

    return service_of


async def apply(client: Client, written: WrittenObjects, key: str, plan: SlicePlan) -> None:
    """Write the slices of the Service `key`; each write is remembered until the cache shows it."""
    for each in plan.create:
        written.wrote(key, await client.create(ENDPOINT_SLICES, each))
    for each in plan.update:
        written.wrote(key, await client.update(ENDPOINT_SLICES, each))
    for each in plan.delete:
        try:
            await client.delete(ENDPOINT_SLICES, meta.name(each), meta.namespace(each), uid=meta.uid(each))
        except NotFound:
            continue
        written.deleted(key, each)
