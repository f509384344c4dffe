"""How every component talks to the API: one narrow interface with three makings (HTTPS, Unix socket, in the same process).

Objects are plain dicts. Errors are `proa.api.errors`. A watch ends with `Expired` when its resource version is too old.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, Literal, Protocol

from proa.api.meta import Object
from proa.api.resource import ResourceId
from proa.lib.dataclass import dataclass

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_MERGE_PATCH = "application/strategic-merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"


@dataclass(frozen=True, slots=True)
class ObjectList:
    """`items` carry apiVersion and kind, as single objects do."""

    items: list[Object]
    resource_version: str
    continue_token: str = ""


@dataclass(frozen=True, slots=True)
class WatchEvent:
    """For BOOKMARK only metadata.resourceVersion of the object counts."""

    type: Literal["ADDED", "MODIFIED", "DELETED", "BOOKMARK"]
    object: Object


class Client(Protocol):
    """The verbs. `namespace` is "" for cluster-scoped resources and for all namespaces; `subresource` is "status", "binding", ..."""

    async def get(self, resource: ResourceId, name: str, namespace: str = "", *, subresource: str = "") -> Object: ...

    async def list(
        self, resource: ResourceId, namespace: str = "", *, label_selector: str = "", field_selector: str = "",
        limit: int = 0, continue_token: str = "", resource_version: str = "", metadata_only: bool = False,
    ) -> ObjectList:  # fmt: skip
        """With `metadata_only`, items are PartialObjectMetadata."""
        ...

    async def create(self, resource: ResourceId, obj: Object, *, name: str = "", namespace: str = "", subresource: str = "") -> Object:
        """Namespace is the object's own where not given; `name` is needed for subresources (binding, eviction, token)."""
        ...

    async def update(self, resource: ResourceId, obj: Object, *, subresource: str = "") -> Object:
        """Replace; raises Conflict if obj's resourceVersion is not the newest."""
        ...

    async def patch(
        self, resource: ResourceId, name: str, patch: Any, namespace: str = "", *, patch_type: str = MERGE_PATCH,
        subresource: str = "", field_manager: str = "", force: bool = False,
    ) -> Object: ...  # fmt: skip

    async def delete(
        self, resource: ResourceId, name: str, namespace: str = "", *, uid: str = "", resource_version: str = "",
        grace_period_seconds: int | None = None, propagation_policy: str = "",
    ) -> Object: ...  # fmt: skip

    def watch(
        self, resource: ResourceId, namespace: str = "", *, resource_version: str, label_selector: str = "", field_selector: str = "",
        timeout_seconds: int = 0, metadata_only: bool = False,
    ) -> AsyncIterator[WatchEvent]: ...  # fmt: skip

    async def request(
        self, method: str, path: str, *, query: dict[str, str] | None = None, body: bytes = b"", headers: dict[str, str] | None = None,
    ) -> tuple[int, dict[str, str], bytes]:  # fmt: skip
        """Any path, raw; no error is raised for a status."""
        ...

    async def close(self) -> None: ...


class Lister(Protocol):
    """The informer's cache. Treat what it hands out as frozen: `copy.deepcopy` or rebuild before a change."""

    def get(self, key: str) -> Object | None: ...

    def list(self, namespace: str = "") -> Sequence[Object]: ...

    def by_index(self, index: str, value: str) -> Sequence[Object]:
        """Objects for which the index function gave that value."""
        ...


IndexFunction = Callable[[Object], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Handlers:
    """Called in the event loop, in order; must not block. `update` gets (old, new)."""

    add: Callable[[Object], None] = lambda obj: None
    update: Callable[[Object, Object], None] = lambda old, new: None
    delete: Callable[[Object], None] = lambda obj: None
