"""Finalizers that keep storage objects while they are in use: put on what has none, taken off what is deleted and no longer used."""

from proa.api import meta
from proa.api.errors import NotFound
from proa.api.meta import Object
from proa.api.resource import ResourceId
from proa.client.interface import Client


async def settle(client: Client, resource: ResourceId, obj: Object, finalizer: str, *, in_use: bool) -> None:
    """One write where one is needed. A conflict is left to the caller's queue."""
    present = meta.finalizers(obj)
    if meta.is_terminating(obj):
        if finalizer not in present or in_use:
            return
        wanted = [each for each in present if each != finalizer]
    elif finalizer in present:
        return
    else:
        wanted = [*present, finalizer]
    try:
        await client.update(resource, {**obj, "metadata": {**obj["metadata"], "finalizers": wanted}})
    except NotFound:
        return
