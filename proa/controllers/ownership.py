"""Which objects belong to a controller object: it adopts matching orphans and releases what no longer matches its selector.

Adoption first asks the API whether the owner still lives, as the cache may be behind; every patch carries the child's UID, so it can't hit
a namesake.
"""

from collections.abc import Callable, Iterable
from typing import Any

from proa.api import meta
from proa.api.errors import Invalid, NotFound
from proa.api.labels import Selector
from proa.api.meta import Object
from proa.api.resource import ResourceId
from proa.client.interface import STRATEGIC_MERGE_PATCH, Client


class OwnerGone(Exception):
    """The owner is being deleted or was replaced: it must not adopt."""


class Claims:
    """Claims children of one resource for one owner."""

    def __init__(self, client: Client, owner_resource: ResourceId, owner: Object, child_resource: ResourceId, selector: Selector) -> None:
        self._client, self._owner_resource, self._owner = client, owner_resource, owner
        self._child_resource, self._selector = child_resource, selector
        self._may_adopt: bool | None = None

    async def claim(self, candidates: Iterable[Object], adoptable: Callable[[Object], bool] = lambda child: True) -> list[Object]:
        """Those of `candidates` that are the owner's, after adoption and release."""
        claimed = []
        for child in candidates:
            controller = meta.controller_of(child)
            matches = self._selector.matches(meta.labels(child))
            if controller is not None:
                if controller["uid"] != meta.uid(self._owner):
                    continue
                if matches:
                    claimed.append(child)
                elif not meta.is_terminating(self._owner):
                    await self._release(child)
            elif matches and adoptable(child) and not meta.is_terminating(child) and not meta.is_terminating(self._owner):
                adopted = await self._adopt(child)
                claimed += [adopted] if adopted else []
        return claimed

    async def _adopt(self, child: Object) -> Object | None:
        await self._check_owner()
        reference = meta.owner_reference(self._owner)
        try:
            await self._patch(child, [reference])
        except NotFound:
            return None
        metadata = {**child["metadata"], "ownerReferences": [*meta.owner_references(child), reference]}
        return {**child, "metadata": metadata}

    async def _release(self, child: Object) -> None:
        try:
            await self._patch(child, [{"$patch": "delete", "uid": meta.uid(self._owner)}])
        except (NotFound, Invalid):
            return  # it is gone, or has no such owner any more

    async def _patch(self, child: Object, references: list[Any]) -> None:
        patch = {"metadata": {"uid": meta.uid(child), "ownerReferences": references}}
        name, namespace = meta.name(child), meta.namespace(child)
        await self._client.patch(self._child_resource, name, patch, namespace, patch_type=STRATEGIC_MERGE_PATCH)

    async def _check_owner(self) -> None:
        if self._may_adopt is None:
            fresh = await self._client.get(self._owner_resource, meta.name(self._owner), meta.namespace(self._owner))
            self._may_adopt = meta.uid(fresh) == meta.uid(self._owner) and not meta.is_terminating(fresh)
        if not self._may_adopt:
            raise OwnerGone(f"{self._owner_resource.kind} {meta.key(self._owner)} can't adopt: it is gone, replaced or being deleted")


def owner_key(obj: Object, kind: str) -> str | None:
    """The key of the controlling object if it is of that kind."""
    controller = meta.controller_of(obj)
    if controller is None or controller.get("kind") != kind:
        return None
    namespace = meta.namespace(obj)
    return f"{namespace}/{controller['name']}" if namespace else str(controller["name"])
