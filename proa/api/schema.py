"""The published API schema of one Kubernetes version: definitions as OpenAPI v2 has them, and `SchemaNode`s made from them.

A build step packs the definitions (hatch_build.py); loading one version is a decompression and one JSON decode. Nodes are made when first
asked for, one per definition and shared by every field that refers to it, so a cyclic definition is a cyclic graph and nothing is unrolled.
"""

import functools
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from proa.api.schema_node import NodeType, SchemaNode

Definition = dict[str, Any]
REFERENCE_PREFIX = "#/definitions/"
_FILES = Path(__file__).parent / "schemas"

_EXTENSIONS = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1."
_PROPS = f"{_EXTENSIONS}JSONSchemaProps"
_CHOICES = frozenset({f"{_PROPS}OrArray", f"{_PROPS}OrBool", f"{_PROPS}OrStringArray"})
_SPECIAL: Mapping[str, NodeType] = {
    "io.k8s.apimachinery.pkg.api.resource.Quantity": "quantity",
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": "int_or_string",
    "io.k8s.apimachinery.pkg.runtime.RawExtension": "any",
    "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1": "any",
    "io.k8s.apimachinery.pkg.apis.meta.v1.Patch": "any",
    f"{_EXTENSIONS}JSON": "any",
    **dict.fromkeys(_CHOICES, "any"),
}
"""Definitions whose Go type reads its JSON itself, so that their published type says nothing."""

DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "io.k8s.api.core.v1.ContainerPort": {"protocol": "TCP"},
    "io.k8s.api.core.v1.ServicePort": {"protocol": "TCP"},
    "io.k8s.api.core.v1.RBDVolumeSource": {"pool": "rbd", "user": "admin", "keyring": "/etc/ceph/keyring"},
    "io.k8s.api.core.v1.RBDPersistentVolumeSource": {"pool": "rbd", "user": "admin", "keyring": "/etc/ceph/keyring"},
    "io.k8s.api.core.v1.ISCSIVolumeSource": {"iscsiInterface": "default"},
    "io.k8s.api.core.v1.ISCSIPersistentVolumeSource": {"iscsiInterface": "default"},
    "io.k8s.api.core.v1.ScaleIOVolumeSource": {"storageMode": "ThinProvisioned", "fsType": "xfs"},
    "io.k8s.api.core.v1.ScaleIOPersistentVolumeSource": {"storageMode": "ThinProvisioned", "fsType": "xfs"},
    "io.k8s.api.core.v1.AzureDiskVolumeSource": {"cachingMode": "ReadWrite", "fsType": "ext4", "kind": "Shared", "readOnly": False},
}
"""Defaults that the schema of a running server states and the published one lacks. Server-side apply completes list keys with them."""


class Schema:
    """All definitions of one version. Treat everything it hands out as frozen."""

    def __init__(self, version: str, definitions: dict[str, Definition]) -> None:
        self.version = version
        self.definitions = definitions
        self._names = _names_by_kind(definitions)
        self._nodes: dict[str, SchemaNode] = {}

    def definition_name(self, group: str, version: str, kind: str) -> str | None:
        """`io.k8s.api.apps.v1.Deployment` for ("apps", "v1", "Deployment"); None for what this version does not publish."""
        return self._names.get((group, version, kind))

    def node(self, definition_name: str) -> SchemaNode:
        """The node of a definition; raises KeyError for an unknown name."""
        node = self._nodes.get(definition_name)
        if node is None:
            definition = self.definitions[definition_name]
            node = self._nodes[definition_name] = _bare_node(definition, definition_name)
            # Registered before its fields are made: a field may lead back here.
            self._fill(node, definition)
        return node

    def _fill(self, node: SchemaNode, definition: Definition) -> None:
        if node.type == "object":
            defaults = DEFAULTS.get(node.definition, {})
            fields = {name: self._field(field, defaults.get(name)) for name, field in definition.get("properties", {}).items()}
            node.properties.update(fields)  # type: ignore[attr-defined]
        elif node.type == "map":
            node.values = self._field(definition["additionalProperties"])
        elif node.type == "array":
            node.items = self._field(definition["items"])

    def _field(self, field: Definition, default: Any = None) -> SchemaNode:
        reference = field.get("$ref")
        if reference is None:
            node = _bare_node(field, "")
            self._fill(node, field)
        else:
            node = _referring_node(self.node(reference.removeprefix(REFERENCE_PREFIX)), field)
        if node.definition in _CHOICES:
            node.choice = self.node(_PROPS)
        node.default = default
        return node


def _bare_node(schema: Definition, name: str) -> SchemaNode:
    """Everything of a node but its children."""
    kind = _SPECIAL.get(name) or _node_type(schema, inline=not name)
    strategy = schema.get("x-kubernetes-patch-strategy")
    return SchemaNode(
        type=kind,
        definition=name,
        description=schema.get("description", ""),
        required=tuple(schema.get("required", ())),
        format=schema.get("format", ""),
        enum=tuple(schema.get("enum", ())),
        list_type=schema.get("x-kubernetes-list-type", "atomic"),
        list_map_keys=tuple(schema.get("x-kubernetes-list-map-keys", ())),
        map_type=schema.get("x-kubernetes-map-type", "granular"),
        patch_strategy=frozenset(strategy.split(",")) if strategy else frozenset(),
        patch_merge_key=schema.get("x-kubernetes-patch-merge-key", ""),
        preserve_unknown_fields=kind == "any",
    )


def _node_type(schema: Definition, *, inline: bool) -> NodeType:
    declared = schema.get("type")
    if declared == "object" and "additionalProperties" in schema:
        return "map"
    if declared == "object" and inline and "properties" not in schema:
        return "any"
    return declared or "any"


def _referring_node(target: SchemaNode, field: Definition) -> SchemaNode:
    """A field of a definition's type: it shares the children (which may not be filled in yet), not the description and patch rules."""
    strategy = field.get("x-kubernetes-patch-strategy")
    return SchemaNode(
        type=target.type,
        definition=target.definition,
        description=field.get("description") or target.description,
        properties=target.properties,
        required=target.required,
        values=target.values,
        items=target.items,
        format=target.format,
        map_type=field.get("x-kubernetes-map-type") or target.map_type,
        patch_strategy=frozenset(strategy.split(",")) if strategy else frozenset(),
        patch_merge_key=field.get("x-kubernetes-patch-merge-key", ""),
        preserve_unknown_fields=target.preserve_unknown_fields,
    )


def _names_by_kind(definitions: dict[str, Definition]) -> dict[tuple[str, str, str], str]:
    return {
        (each["group"], each["version"], each["kind"]): name
        for name, definition in definitions.items()
        for each in definition.get("x-kubernetes-group-version-kind", ())
    }


def available_versions() -> tuple[str, ...]:
    """The Kubernetes versions whose schema is in this package, oldest first: ("1.25", ..., "1.37")."""
    versions = [file.name.removeprefix("v").removesuffix(".json.z") for file in _FILES.glob("v*.json.z")]
    return tuple(sorted(versions, key=lambda version: tuple(int(part) for part in version.split("."))))


@functools.lru_cache(maxsize=2)
def load_schema(version: str = "1.37") -> Schema:
    """The schema of a version ("1.37", or as releases are written: "v1.37.2"); raises ValueError for one that is not shipped."""
    short = ".".join(version.removeprefix("v").split(".")[:2])
    try:
        packed = (_FILES / f"v{short}.json.z").read_bytes()
    except FileNotFoundError:
        known = ", ".join(available_versions()) or "none: run hatch_build.py"
        raise ValueError(f"no schema of Kubernetes {version}; available: {known}") from None
    return Schema(short, orjson.loads(zlib.decompress(packed)))
