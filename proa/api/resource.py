"""What a resource is to the generic code: its names, its scope, and the policy that only it knows.

`ResourceId` is how a client names a resource. `Resource` is what the server serves; explicit tables hold them, CRDs add to the same
registry at run time. A `Strategy` fills in what create and update mean for one kind; generic code owns the order of steps.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from typing import Any, Protocol

from proa.api.errors import Cause
from proa.api.meta import Object
from proa.lib.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class ResourceId:
    """Group, version and plural of a resource, with its kind and scope."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def group_resource(self) -> str:
        return f"{self.plural}.{self.group}" if self.group else self.plural

    def path(self, namespace: str = "", name: str = "", subresource: str = "") -> str:
        """The URL path, unencoded (names of objects are safe in paths but for RBAC's colons, which are allowed there)."""
        parts = ["/apis", self.group] if self.group else ["/api"]
        parts.append(self.version)
        if namespace and self.namespaced:
            parts += ["namespaces", namespace]
        parts += [part for part in (self.plural, name, subresource) if part]
        return "/".join(parts)


class Requester(Protocol):
    """The authenticated caller as a whole."""

    @property
    def name(self) -> str: ...

    @property
    def groups(self) -> tuple[str, ...]: ...

    @property
    def uid(self) -> str: ...

    @property
    def extra(self) -> Mapping[str, tuple[str, ...]]: ...


@dataclass(frozen=True, slots=True)
class StrategyContext:
    """What a strategy may ask: the caller, the moment, whether it is a dry run."""

    user: str = ""
    now: str = ""
    dry_run: bool = False
    subresource: str = ""
    requester: Requester | None = None


class Strategy(Protocol):
    """Policy of one kind. Pure: objects in, the same objects changed or causes out. Defaults are applied before any of it."""

    allow_create_on_update: bool
    graceful_deletion: bool

    def default(self, obj: Object) -> None:
        """Fill in what the API documents as defaults; the object has passed the schema."""
        ...

    def prepare_for_create(self, obj: Object, context: StrategyContext) -> None:
        """Clear what users may not set (status), start generation at 1."""
        ...

    def validate(self, obj: Object) -> Sequence[Cause]: ...

    def prepare_for_update(self, obj: Object, old: Object, context: StrategyContext) -> None:
        """Keep what this endpoint may not change (status for the main resource, spec for /status); step generation."""
        ...

    def validate_update(self, obj: Object, old: Object) -> Sequence[Cause]: ...

    def canonicalize(self, obj: Object) -> None: ...

    def warnings(self, obj: Object, old: Object | None) -> Sequence[str]: ...


@dataclass(frozen=True, slots=True)
class Column:
    """A printed column of a Table; `cell(obj, now)` gives its value. `priority` 1 shows only with -o wide."""

    name: str
    type: str
    description: str
    cell: Callable[[Object, float], Any]
    priority: int = 0
    format: str = ""


@dataclass(frozen=True, slots=True)
class Subresource:
    """`status`, `scale`, `binding`, ...: kind is what travels (Scale for scale), with its own group and version where they differ."""

    name: str
    kind: str
    verbs: tuple[str, ...]
    group: str = ""
    version: str = ""
    strategy: Strategy | None = None


ALL_VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")


def _no_fields(obj: Object) -> Mapping[str, str]:
    return {}


@dataclass(slots=True)
class Resource:
    """A served resource of one version. `definition` names its schema; versions of one kind share `storage_key`.

    `selectable_fields(obj)` gives what field selectors may ask, beside metadata.name and metadata.namespace.
    `convert(obj, to_version)` turns an object of any served version of this kind into another.
    """

    id: ResourceId
    strategy: Strategy
    singular: str = ""
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ALL_VERBS
    subresources: dict[str, Subresource] = field(default_factory=dict)
    columns: tuple[Column, ...] = ()
    selectable_fields: Callable[[Object], Mapping[str, str]] = _no_fields
    selectable_field_names: tuple[str, ...] = ()
    stored_field_labels: Mapping[str, str] = field(default_factory=dict)
    """What the stored object calls a selectable field, where this version has another name for it."""
    storage_version: str = ""
    storage_group: str | None = None
    """The group under which it is stored, where that is another one (events.k8s.io Events are core Events)."""
    convert: Callable[[Object, str], Object] = lambda obj, version: obj
    definition: str = ""
    virtual: bool = False
    """True for what is answered and not stored (TokenReview, SubjectAccessReview, ...)."""

    @property
    def storage_key(self) -> str:
        """`/registry/pods/`, `/registry/apps/deployments/`: the prefix of this resource's keys."""
        group = self.id.group if self.storage_group is None else self.storage_group
        return f"/registry/{group}/{self.id.plural}/" if group else f"/registry/{self.id.plural}/"
