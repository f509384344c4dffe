"""How a line of the table of built-in resources is written, and how it becomes a `Resource`."""

from collections.abc import Callable
from dataclasses import field, replace

from proa.api.meta import Object
from proa.api.resource import ALL_VERBS, Resource, ResourceId, Strategy, Subresource
from proa.api.schema import Schema
from proa.apiserver.columns.builtin import columns_for
from proa.apiserver.registry.normalize import NormalizerCache
from proa.apiserver.registry.selectable_fields import ALIASES, STORED_LABELS, selectable_fields
from proa.apiserver.registry.strategy import KindStrategy, StatusStrategy
from proa.lib.dataclass import dataclass

Convert = Callable[[Object, str], Object]
READ_WRITE = ("get", "patch", "update")
PROXY_VERBS = ("create", "delete", "get", "patch", "update")
CREATE = ("create",)
READ_ONLY = ("get", "list")
NO_COLLECTION_DELETE = tuple(verb for verb in ALL_VERBS if verb != "deletecollection")


@dataclass(frozen=True, slots=True)
class Sub:
    """A subresource; `make` derives its strategy from the main one."""

    name: str
    verbs: tuple[str, ...] = READ_WRITE
    kind: str = ""
    group: str = ""
    version: str = ""
    make: Callable[[KindStrategy], Strategy] | None = None


STATUS = Sub("status", make=StatusStrategy)
SCALE = Sub("scale", kind="Scale", group="autoscaling", version="v1")


@dataclass(frozen=True, slots=True)
class Row:
    """One resource in one version. `convert` set means: kept in `storage_version` (and `storage_group`, where that differs)."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool
    strategy: Callable[..., KindStrategy]
    short: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    subresources: tuple[Sub, ...] = ()
    verbs: tuple[str, ...] = ALL_VERBS
    virtual: bool = False
    singular: str = ""
    storage_version: str = ""
    storage_group: str | None = None
    convert: Convert | None = None
    other_versions: tuple[str, ...] = field(default=())
    """Versions of the same object, off unless the runtime configuration asks for them."""
    reshape: Convert | None = None
    """For other versions whose structure differs: the object in the form of the version named (without its group)."""

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    def in_version(self, version: str) -> "Row":
        """The same resource in another version, stored in this one."""

        def relabel(obj: Object, to: str) -> Object:
            return obj | {"apiVersion": f"{self.group}/{to}"}

        return replace(self, version=version, storage_version=self.version, convert=self.reshape or relabel, other_versions=())


def make_resource(row: Row, schema: Schema, cache: NormalizerCache, definition: str) -> Resource:
    strategy = row.strategy(row.namespaced, lambda: cache.normalizer(schema.node(definition)))
    names, read = selectable_fields(row.group, row.plural)
    resource = Resource(
        id=ResourceId(row.group, row.version, row.plural, row.kind, row.namespaced),
        strategy=strategy,
        singular=row.singular or row.kind.lower(),
        short_names=row.short,
        categories=row.categories,
        verbs=row.verbs,
        subresources={sub.name: _make_subresource(sub, row, strategy) for sub in row.subresources},
        columns=columns_for(row.group, row.plural),
        selectable_fields=read,
        selectable_field_names=names,
        stored_field_labels=STORED_LABELS.get((row.group, row.plural)) or ALIASES.get((row.group, row.plural), {}),
        storage_version=row.storage_version or row.version,
        storage_group=row.storage_group,
        definition=definition,
        virtual=row.virtual,
    )
    if row.convert is not None:
        resource.convert = row.convert
    return resource


def _make_subresource(sub: Sub, row: Row, strategy: KindStrategy) -> Subresource:
    made = sub.make(strategy) if sub.make else None
    return Subresource(sub.name, sub.kind or row.kind, sub.verbs, sub.group, sub.version, made)
