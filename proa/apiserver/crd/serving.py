"""A CustomResourceDefinition as served resources: one for each version that it serves, over one stored collection."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from proa.api.meta import Object
from proa.api.resource import Resource, ResourceId, Subresource
from proa.api.schema_node import SchemaNode
from proa.apiserver.admission.webhook.client import WebhookClient
from proa.apiserver.crd.collection import VersionedCollection
from proa.apiserver.crd.columns import printer_columns
from proa.apiserver.crd.conversion import Convert, CustomVersioner, relabelled
from proa.apiserver.crd.conversion_webhook import WebhookConverter
from proa.apiserver.crd.pruning import Schema
from proa.apiserver.crd.strategy import CustomResourceStrategy, CustomStatusStrategy
from proa.apiserver.crd.version_schema import VersionSchema
from proa.apiserver.served import ServedResource
from proa.storage.interface import Collection

READ_WRITE = ("get", "patch", "update")
WHOLE_ITEM = b"{"
"""The prefix that all items of a list share and leave out: of custom resources, none, so they keep their apiVersion and kind."""


class CustomServed(ServedResource):
    """A served version; its schema is compiled when first asked for."""

    def __init__(self, resource: Resource, compiled: VersionSchema, collection: VersionedCollection, list_kind: str) -> None:
        self.compiled = compiled
        super().__init__(resource, lambda: compiled.node, collection)
        self.converts = False
        self.custom = True
        self.item_prefix = WHOLE_ITEM
        self.list_head = b'{"apiVersion":"%b","kind":"%b","metadata":{' % (resource.id.api_version.encode(), list_kind.encode())

        self.decoder = compiled.decode

    def __post_init__(self) -> None:
        """What a built-in resource says of its items does not fit."""


def definition_name(group: str, version: str, kind: str) -> str:
    """`com.example.v1.Widget`, as the OpenAPI documents name it."""
    return ".".join((*reversed(group.split(".")), version, kind))


def storage_prefix(crd: Object) -> str:
    return f"/registry/{crd['spec']['group']}/{crd['spec']['names']['plural']}/"


def storage_version(crd: Object) -> str:
    return next(str(version["name"]) for version in crd["spec"]["versions"] if version.get("storage"))


def served_versions(
    crd: Object, stored: Collection, find: Callable[[], Object | None], object_meta: SchemaNode, webhooks: WebhookClient, since: int
) -> list[CustomServed]:
    """`find` gives the definition again when a schema is needed; entries after `since` are written under it."""
    spec = crd["spec"]
    group, kind = spec["group"], spec["names"]["kind"]
    generation = crd["metadata"].get("generation", 0)
    schemas = {version["name"]: VersionSchema(_schema_of(crd, version["name"], find), object_meta) for version in spec["versions"]}
    convert = _converter(spec, group, kind, webhooks)
    made = []
    for version in spec["versions"]:
        if version.get("served"):
            name = version["name"]
            versioner = CustomVersioner(group, name, storage_version(crd), schemas, convert, since, generation)
            resource = _resource(crd, version, schemas[name])
            served = CustomServed(resource, schemas[name], VersionedCollection(stored, versioner), _names(crd)["listKind"])
            served.deprecation = _deprecation(version, group, kind)
            made.append(served)
    return made


def _names(crd: Object) -> Object:
    names: Object = crd["status"]["acceptedNames"]
    return names


def _schema_of(crd: Object, version: str, find: Callable[[], Object | None]) -> Callable[[], Schema]:
    generation = crd["metadata"].get("generation", 0)

    def load() -> Schema:
        current = find()
        if current is None or current["metadata"].get("generation", 0) != generation:
            return {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
        found: Any = next(each for each in current["spec"]["versions"] if each["name"] == version)
        schema: Schema = found["schema"]["openAPIV3Schema"]
        return schema

    return load


def _converter(spec: Object, group: str, kind: str, webhooks: WebhookClient) -> Convert:
    conversion = spec.get("conversion") or {}
    if conversion.get("strategy") == "Webhook":
        return WebhookConverter(conversion["webhook"], group, kind, webhooks)
    return relabelled


def _resource(crd: Object, version: Object, schema: VersionSchema) -> Resource:
    spec, names = crd["spec"], _names(crd)
    namespaced, terminating = spec["scope"] == "Namespaced", bool(crd["metadata"].get("deletionTimestamp"))
    subresources = version.get("subresources") or {}
    strategy = CustomResourceStrategy(
        namespaced, schema, has_status=subresources.get("status") is not None, terminating=terminating, group=spec["group"],
        plural=names["plural"],
    )  # fmt: skip
    strategy.scale = subresources.get("scale") or {}
    fields, read = selectable(crd)
    return Resource(
        id=ResourceId(spec["group"], version["name"], names["plural"], names["kind"], namespaced),
        strategy=strategy,
        singular=names.get("singular", ""),
        short_names=tuple(names.get("shortNames") or ()),
        categories=tuple(names.get("categories") or ()),
        subresources=_subresources(names["kind"], subresources, strategy),
        columns=printer_columns(version.get("additionalPrinterColumns") or ()),
        selectable_fields=read,
        selectable_field_names=tuple(name for name in fields if name in selectable_names(version)),
        storage_version=storage_version(crd),
        definition=definition_name(spec["group"], version["name"], names["kind"]),
    )


def _subresources(kind: str, declared: Object, strategy: CustomResourceStrategy) -> dict[str, Subresource]:
    made: dict[str, Subresource] = {}
    if declared.get("status") is not None:
        made["status"] = Subresource("status", kind, READ_WRITE, strategy=CustomStatusStrategy(strategy))
    if declared.get("scale") is not None:
        made["scale"] = Subresource("scale", "Scale", READ_WRITE, "autoscaling", "v1")
    return made


def selectable_names(version: Object) -> tuple[str, ...]:
    return tuple(field["jsonPath"].removeprefix(".") for field in version.get("selectableFields") or ())


def selectable(crd: Object) -> tuple[tuple[str, ...], Callable[[Object], Mapping[str, str]]]:
    """(names, function that reads them all) over all versions: objects are indexed in their stored form."""
    versions = [version for version in crd["spec"]["versions"] if version.get("selectableFields")]
    names = tuple(dict.fromkeys(name for version in versions for name in selectable_names(version)))
    return names, reader_of(names)


@cache
def reader_of(names: tuple[str, ...]) -> Callable[[Object], Mapping[str, str]]:
    paths = [(name, name.split(".")) for name in names]

    def read(obj: Object) -> Mapping[str, str]:
        return {name: _text(obj, path) for name, path in paths}

    return read


def _text(obj: Any, path: list[str]) -> str:
    for name in path:
        obj = obj.get(name) if isinstance(obj, dict) else None
    if obj is None:
        return ""
    return ("true" if obj else "false") if isinstance(obj, bool) else str(obj)


def _deprecation(version: Object, group: str, kind: str) -> str:
    if not version.get("deprecated"):
        return ""
    return version.get("deprecationWarning") or f"{group}/{version['name']} {kind} is deprecated"
