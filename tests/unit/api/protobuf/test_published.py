"""Every kind's message, all fields filled, against the descriptors that Kubernetes publishes: ours must be read by them, theirs by us."""

import functools
from collections.abc import Mapping
from typing import Any

import pytest
from google.protobuf.unknown_fields import UnknownFieldSet

from proa.api.protobuf.codec import decode, encode, has_message
from proa.api.protobuf.envelope import decode_object, wrap
from proa.api.protobuf.table import message_name
from proa.api.schema import load_schema
from proa.apiserver.registry.builtin import builtin_resources
from tests.published_messages import PROPS, find, json_name, parse, published_name, to_json

META = "io.k8s.apimachinery.pkg.apis.meta.v1"
DEPTH = 24
OWN_KINDS = [
    "Status",
    "DeleteOptions",
    "ListMeta",
    "WatchEvent",
    "APIGroup",
    "APIGroupList",
    "APIResource",
    "APIResourceList",
    "APIVersions",
]


@functools.cache
def definitions() -> Mapping[str, Any]:
    return load_schema("1.37").definitions


def kinds() -> dict[str, str]:
    """(what a client sends and gets: its definition) for every resource and subresource that can be served."""
    found = {}
    for resource in builtin_resources(load_schema("1.37"), {"api/all": True}):
        pairs = [(resource.id.api_version, resource.id.kind)]
        for sub in resource.subresources.values():
            group_version = f"{sub.group}/{sub.version}" if sub.group else sub.version
            pairs.append((group_version or resource.id.api_version, sub.kind))
        for api_version, kind in pairs:
            if definition := message_name(api_version, kind):
                found[f"{api_version} {kind}"] = definition
    return {name: found[name] for name in sorted(found) if found[name] in definitions()}


ALL = {name: definition for name, definition in kinds().items() if find(definition) is not None} | {
    kind: f"{META}.{kind}" for kind in OWN_KINDS if has_message(f"{META}.{kind}")
}


@functools.cache
def properties(full_name: str) -> frozenset[str]:
    for definition, schema in definitions().items():
        if published_name(definition) == full_name:
            return frozenset(schema.get("properties", ()))
    return frozenset()


class Filler:
    """Values that differ from each other and from every zero, for each field that the schema and, if `published`, the descriptors have.

    What is empty, as it is cut off or as its kind has nothing to say, is absent where no reader tells these apart.
    """

    def __init__(self, *, published: bool = True) -> None:
        self.count, self.published = 0, published

    def fill(self, definition: str, depth: int = 0) -> Any:
        schema = definitions()[definition]
        if (special := self._special(definition)) is not None:
            return special
        known = self._published(definition) if self.published else schema.get("properties", {})
        if definition.endswith(".JSONSchemaProps"):
            depth += DEPTH // 3
        values = {
            name: self._value(each, depth + 1)
            for name, each in schema.get("properties", {}).items()
            if name in known and name not in ("apiVersion", "kind") and (depth < DEPTH or "$ref" not in str(each))
        }
        return {name: value for name, value in values.items() if value != {} or (depth < DEPTH - 1 and name != "spec")}

    def _published(self, definition: str) -> set[str]:
        message = find(definition)
        assert message is not None, definition
        return self._names(message, properties(message.full_name))

    def _names(self, message: Any, own: frozenset[str]) -> set[str]:
        found = set()
        for field in message.fields:
            name = json_name(message.full_name, field.name)
            if name not in own and field.message_type is not None:
                found |= self._names(field.message_type, own)
            found.add(name)
        return found

    def _special(self, definition: str) -> Any:
        kind = definition.rpartition(".")[2]
        self.count += 1
        made: dict[str, Any] = {
            "Time": "2026-01-02T03:04:05Z", "MicroTime": f"2026-01-02T03:04:05.{self.count % 1000000:06d}Z", "Quantity": f"{self.count}m",
            "IntOrString": self.count if self.count % 2 else f"{self.count}%", "RawExtension": {"a": [self.count]},
            "FieldsV1": {"f:a": {}}, "JSON": {"any": self.count}, "ExtraValue": [f"x{self.count}"], "AttestationValue": [f"x{self.count}"],
        }  # fmt: skip
        if definition.startswith("io.k8s.apiextensions"):
            made |= {"JSONSchemaPropsOrBool": True, "JSONSchemaPropsOrArray": {"type": "object"}, "JSONSchemaPropsOrStringArray": ["x"]}
        return made.get(kind)

    def _value(self, schema: Mapping[str, Any], depth: int) -> Any:
        if "$ref" in schema and isinstance(schema["$ref"], str):
            return self.fill(schema["$ref"].rpartition("/")[2], depth)
        self.count += 1
        kind = schema.get("type")
        if kind == "array":
            return [self._value(schema["items"], depth)]
        if kind == "object":
            return {f"k{self.count}": self._value(schema["additionalProperties"], depth)} if "additionalProperties" in schema else {}
        if kind == "string":
            return "AAEC" if schema.get("format") == "byte" else f"s{self.count}"
        return {"integer": self.count, "number": self.count + 0.5, "boolean": True}[kind or ""]


@pytest.mark.parametrize("name", ALL)
def test_ours_is_theirs(name: str) -> None:
    definition = ALL[name]
    obj = Filler().fill(definition)
    assert obj
    message = parse(definition, encode(definition, obj))
    assert not len(UnknownFieldSet(message))
    assert to_json(message, properties) == obj
    assert decode(definition, message.SerializeToString(deterministic=True)) == obj


@pytest.mark.parametrize("name", kinds())
def test_every_field_of_the_newest_schema_has_a_form(name: str) -> None:
    obj = Filler(published=False).fill(kinds()[name])
    assert decode(kinds()[name], encode(kinds()[name], obj)) == obj


def test_kinds_of_the_newest_schema_have_a_message() -> None:
    served = {
        name
        for name, schema in definitions().items()
        if schema.get("x-kubernetes-group-version-kind") and name.startswith("io.k8s.api.") and not name.endswith("List")
    }
    assert served > {"io.k8s.api.certificates.v1.PodCertificateRequest", "io.k8s.api.lifecycle.v1alpha1.EvictionRequest"}
    assert {name for name in served if not has_message(name)} == set()


def test_nothing_that_is_served_is_left_out() -> None:
    assert len(ALL) >= 90
    assert {"v1 Pod", "autoscaling/v1 Scale", "policy/v1 Eviction", "v1 Binding", "authentication.k8s.io/v1 TokenRequest"} <= set(ALL)
    assert {"authentication.k8s.io/v1 SelfSubjectReview", "authorization.k8s.io/v1 SubjectAccessReview", "Status"} <= set(ALL)
    assert properties(PROPS) >= {"$ref", "x-kubernetes-list-type"}


def test_the_frame_is_runtime_unknown() -> None:
    body = wrap("v1", "Namespace", encode("io.k8s.api.core.v1.Namespace", {"metadata": {"name": "n"}}))
    unknown = parse("io.k8s.apimachinery.pkg.runtime.Unknown", body[4:])
    assert (unknown.typeMeta.apiVersion, unknown.typeMeta.kind, unknown.contentType) == ("v1", "Namespace", "")
    assert parse("io.k8s.api.core.v1.Namespace", unknown.raw).metadata.name == "n"
    assert decode_object(b"k8s\0" + unknown.SerializeToString())["metadata"] == {"name": "n"}


def test_an_object_without_its_content() -> None:
    obj = {"metadata": {"name": "n", "labels": {"a": "b"}}}
    message = parse(f"{META}.PartialObjectMetadata", encode(f"{META}.PartialObjectMetadata", obj))
    assert (message.metadata.name, dict(message.metadata.labels)) == ("n", {"a": "b"})
