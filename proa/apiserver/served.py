"""A resource as the server has it at work: its policy, its objects, and the bytes that every answer about it starts with, made once."""

import functools
from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Any

import orjson

from proa.api.errors import NotFound
from proa.api.meta import Object
from proa.api.resource import Resource
from proa.api.schema_node import SchemaNode
from proa.api.validation import Findings, compile_decoder
from proa.apiserver.interface import WriteHook
from proa.lib.dataclass import dataclass
from proa.storage.interface import Collection, Entry

GroupVersionResource = tuple[str, str, str]


@dataclass
class ServedResource:
    """One resource in one version. `collection` is None for virtual resources, which are answered and not stored.

    Its schema is made when it is first asked for: a start asks for a third of them, and all together take 30 ms."""

    resource: Resource
    schema_source: Callable[[], SchemaNode]
    collection: Collection | None = None
    hook: WriteHook | None = None
    controllerless: str = ""
    """The warning for writes of a kind that nothing acts upon yet."""
    list_head: bytes = b""
    item_prefix: bytes = b""
    converts: bool = False
    custom: bool = field(init=False, default=False)
    """Of a CustomResourceDefinition: no strategic merge patches, no protobuf, updates say which version they replace."""
    deprecation: str = field(init=False, default="")
    """The warning for every use of a deprecated version."""
    removed_release: str = field(init=False, default="")
    """In which a deprecated version is gone."""

    def __post_init__(self) -> None:
        identity = self.resource.id
        version = orjson.dumps(identity.api_version)
        self.list_head = b'{"kind":"%bList","apiVersion":%b,"metadata":{' % (identity.kind.encode(), version)
        self.item_prefix = b'{"apiVersion":%b,"kind":"%b",' % (version, identity.kind.encode())
        self.converts = bool(self.resource.storage_version) and self.resource.storage_version != identity.version

    @functools.cached_property
    def schema(self) -> SchemaNode:
        return self.schema_source()

    @functools.cached_property
    def decoder(self) -> Callable[[Any], Findings] | None:
        """Prunes a body and says what was wrong with it."""
        return compile_decoder(self.schema) if self.schema.type != "any" else None

    @property
    def objects(self) -> Collection:
        if self.collection is None:
            raise RuntimeError(f"{self.resource.id.plural} is not stored")
        return self.collection

    def value(self, entry: Entry) -> bytes:
        """The object's JSON in this resource's version."""
        if not self.converts:
            return entry.value
        return entry.encoded(self.resource.id.api_version, self._convert)

    def _convert(self, entry: Entry) -> bytes:
        return orjson.dumps(self.resource.convert(entry.decode(), self.resource.id.version))

    def decode(self, entry: Entry) -> Object:
        obj: Object = orjson.loads(self.value(entry))
        return obj

    def to_storage(self, obj: Object) -> Object:
        return self.resource.convert(obj, self.resource.storage_version) if self.converts else obj

    def from_storage(self, obj: Object) -> Object:
        return self.resource.convert(obj, self.resource.id.version) if self.converts else obj

    def key(self, namespace: str, name: str) -> str:
        return f"{namespace}/{name}" if self.resource.id.namespaced else name

    def missing(self, name: str) -> NotFound:
        return NotFound.of(self.resource.id.group, self.resource.id.plural, name)


def attributes_of(resource: Resource) -> "AttributesFunction":
    return AttributesFunction(resource)


class AttributesFunction:
    """(labels, fields) of a stored object, as selectors see it."""

    def __init__(self, resource: Resource) -> None:
        self._fields = resource.selectable_fields
        self._namespaced = resource.id.namespaced

    @classmethod
    def reading(cls, fields: Callable[[Object], Mapping[str, str]], *, namespaced: bool) -> "AttributesFunction":
        """For a collection that resources of several versions share."""
        made = cls.__new__(cls)
        made._fields, made._namespaced = fields, namespaced
        return made

    def __call__(self, obj: Object) -> tuple[Mapping[str, str], Mapping[str, str]]:
        metadata = obj.get("metadata") or {}
        fields = {"metadata.name": metadata.get("name", "")}
        if self._namespaced:
            fields["metadata.namespace"] = metadata.get("namespace", "")
        fields.update(self._fields(obj))
        return metadata.get("labels") or {}, fields
