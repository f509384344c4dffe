"""The definitions of custom resources for the OpenAPI documents, made when a document is asked for."""

from collections.abc import Mapping

from proa.api.resource import ResourceId
from proa.apiserver.crd.list_types import children
from proa.apiserver.crd.pruning import Schema
from proa.apiserver.crd.serving import CustomServed
from proa.apiserver.served import GroupVersionResource, ServedResource

META = "#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1."
API_VERSION = (
    "APIVersion defines the versioned schema of this representation of an object. Servers should convert recognized schemas to the latest "
    "internal value, and may reject unrecognized values. More info: "
    "https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#resources"
)
KIND = (
    "Kind is a string value representing the REST resource this object represents. Servers may infer this from the endpoint the client "
    "submits requests to. Cannot be updated. In CamelCase. More info: "
    "https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#types-kinds"
)
STANDARD = (
    "Standard object's metadata. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata"
)
TYPE_FIELDS: Mapping[str, Schema] = {
    "apiVersion": {"type": "string", "description": API_VERSION},
    "kind": {"type": "string", "description": KIND},
}


class CustomDefinitions:
    """All of them, by name."""

    def __init__(self, served: Mapping[GroupVersionResource, ServedResource]) -> None:
        self._served = served

    def __call__(self) -> dict[str, Schema]:
        found: dict[str, Schema] = {}
        for served in self._served.values():
            if isinstance(served, CustomServed):
                found |= definitions(served.resource.id, served.resource.definition, served.compiled.published())
        return found


def definitions(resource: ResourceId, name: str, schema: Schema) -> dict[str, Schema]:
    """The kind and its list."""
    group_version_kind = {"group": resource.group, "version": resource.version}
    own = _published(schema)
    own["properties"] = {**(own.get("properties") or {}), **TYPE_FIELDS, "metadata": _reference("ObjectMeta")}
    own["x-kubernetes-group-version-kind"] = [group_version_kind | {"kind": resource.kind}]
    own["type"] = "object"
    listed: Schema = {
        "description": f"{resource.kind}List is a list of {resource.kind}",
        "type": "object",
        "required": ["items"],
        "properties": {
            **TYPE_FIELDS,
            "items": {
                "type": "array",
                "description": f"List of {resource.plural}. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md",
                "items": {"$ref": f"#/definitions/{name}"},
            },
            "metadata": _reference("ListMeta"),
        },
        "x-kubernetes-group-version-kind": [group_version_kind | {"kind": f"{resource.kind}List"}],
    }
    return {name: own, f"{name}List": listed}


def _reference(kind: str) -> Schema:
    return {"$ref": f"{META}{kind}", "description": STANDARD}


def _published(schema: Schema) -> Schema:
    """Embedded resources show the type fields that they have."""
    made: Schema = dict(schema)
    if any(True for _ in children(schema)):
        if "properties" in made:
            made["properties"] = {key: _published(inner) for key, inner in made["properties"].items()}
        for key in ("items", "additionalProperties"):
            if isinstance(made.get(key), dict):
                made[key] = _published(made[key])
    if made.get("x-kubernetes-embedded-resource"):
        made["properties"] = {**(made.get("properties") or {}), **TYPE_FIELDS, "metadata": _reference("ObjectMeta")}
    return made
