"""From the stored form of a custom resource to a served version and back.

What comes from the store gets the defaults of the version in which it was stored, becomes an object of the wanted version, and loses what
that version's schema does not know. Strategy None changes nothing but apiVersion; Webhook asks.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from proa.api.meta import Object
from proa.apiserver.crd.version_schema import VersionSchema
from proa.storage.interface import Entry

Convert = Callable[[Sequence[Object], str], Awaitable[Sequence[Object]]]
"""(objects, apiVersion) to the same objects of that version; raises ApiError."""


async def relabelled(objects: Sequence[Object], api_version: str) -> Sequence[Object]:
    """Strategy None."""
    for obj in objects:
        obj["apiVersion"] = api_version
    return objects


class CustomVersioner:
    """The `Versioner` of one served version. Entries newer than `since` were written under the definition as it is now."""

    def __init__(
        self, group: str, version: str, storage_version: str, schemas: Mapping[str, VersionSchema], convert: Convert,
        since: int, generation: int,
    ) -> None:  # fmt: skip
        self._api_version = f"{group}/{version}"
        self._storage = f"{group}/{storage_version}"
        self._prefix = f"{group}/"
        self._schemas = schemas
        self._wanted = schemas[version]
        self._convert = convert
        self._since = since
        self._same = version == storage_version
        self.variant: tuple[object, ...] = ("custom", version, generation)

    def is_current(self, entry: Entry) -> bool:
        return self._same and entry.revision > self._since

    async def from_storage(self, objects: Sequence[Object]) -> Sequence[Object]:
        for obj in objects:
            schema = self._schemas.get(obj["apiVersion"].removeprefix(self._prefix))
            if schema is not None:
                schema.default(obj)
        if any(obj["apiVersion"] != self._api_version for obj in objects):
            objects = await self._convert(objects, self._api_version)
        for obj in objects:
            self._wanted.decode(obj)
        return objects

    async def to_storage(self, obj: Object) -> Object:
        if obj["apiVersion"] == self._storage:
            return obj
        # The caller keeps its object: it is what a dry run answers with.
        return (await self._convert([dict(obj)], self._storage))[0]
