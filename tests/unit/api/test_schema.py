"""The packed schemas give every definition back as Kubernetes publishes it, and nodes that may be cyclic."""

import pytest

from proa.api.schema import DEFAULTS, Schema, available_versions, load_schema
from proa.api.schema_node import SchemaNode


def pod() -> SchemaNode:
    schema = load_schema()
    return schema.node(schema.definition_name("", "v1", "Pod") or "")


def test_every_supported_version_loads_with_all_its_definitions() -> None:
    versions = available_versions()
    assert (versions[0], versions[-1], len(versions)) == ("1.25", "1.37", 13)
    for version in versions:
        schema = Schema(version, load_schema.__wrapped__(version).definitions)
        assert all(schema.node(name) for name in schema.definitions)


def test_a_release_number_names_its_minor_version() -> None:
    assert load_schema("v1.37.2").version == "1.37"


def test_an_unknown_version_names_the_available_ones() -> None:
    with pytest.raises(ValueError, match=r"no schema of Kubernetes 1\.99; available: 1\.25, .*1\.37"):
        load_schema("1.99")


@pytest.mark.parametrize(
    ("group", "version", "kind", "expected"),
    [
        ("", "v1", "Pod", "io.k8s.api.core.v1.Pod"),
        ("apps", "v1", "Deployment", "io.k8s.api.apps.v1.Deployment"),
        ("autoscaling", "v1", "Scale", "io.k8s.api.autoscaling.v1.Scale"),
        ("apiregistration.k8s.io", "v1", "APIService", "io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.APIService"),
        ("apps", "v1", "DeleteOptions", "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions"),
        ("apps", "v9", "Deployment", None),
    ],
)  # fmt: skip
def test_kinds_name_their_definition(group: str, version: str, kind: str, expected: str | None) -> None:
    assert load_schema().definition_name(group, version, kind) == expected


def test_what_the_validator_format_added_is_undone() -> None:
    definitions = load_schema().definitions
    assert definitions["io.k8s.api.core.v1.Pod"]["type"] == "object"
    assert "enum" not in definitions["io.k8s.api.core.v1.Pod"]["properties"]["kind"]
    assert definitions["io.k8s.api.core.v1.Pod"]["properties"]["spec"]["$ref"] == "#/definitions/io.k8s.api.core.v1.PodSpec"
    assert definitions["io.k8s.apimachinery.pkg.util.intstr.IntOrString"]["format"] == "int-or-string"
    assert definitions["io.k8s.apimachinery.pkg.api.resource.Quantity"]["type"] == "string"


def test_a_field_keeps_its_list_and_patch_rules() -> None:
    spec = pod().properties["spec"]
    containers = spec.properties["containers"]
    assert containers.type == "array"
    assert (containers.list_type, containers.list_map_keys) == ("map", ("name",))
    assert (containers.patch_strategy, containers.patch_merge_key) == (frozenset({"merge"}), "name")
    assert spec.properties["volumes"].patch_strategy == frozenset({"merge", "retainKeys"})
    assert spec.properties["nodeSelector"].map_type == "atomic"
    assert spec.required == ("containers",)


def test_special_types_are_told_apart() -> None:
    schema = load_schema()
    container = schema.node("io.k8s.api.core.v1.Container")
    limits = container.properties["resources"].properties["limits"]
    assert limits.values is not None
    assert (limits.type, limits.values.type) == ("map", "quantity")
    assert schema.node("io.k8s.api.core.v1.ServicePort").properties["targetPort"].type == "int_or_string"
    assert schema.node("io.k8s.apimachinery.pkg.apis.meta.v1.ManagedFieldsEntry").properties["fieldsV1"].type == "any"
    assert schema.node("io.k8s.api.core.v1.PodStatus").properties["startTime"].format == "date-time"


def test_fields_named_like_schema_keywords_are_fields() -> None:
    props = load_schema().node("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps")
    assert [props.properties[name].type for name in ("$ref", "type", "properties", "required", "items", "enum")] == [
        "string", "string", "map", "array", "any", "array",
    ]  # fmt: skip


def test_a_cyclic_definition_is_a_cyclic_graph() -> None:
    props = load_schema().node("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps")
    inner = props.properties["not"]
    assert inner.properties is props.properties


def test_defaults_name_fields_that_exist() -> None:
    schema = load_schema()
    for name, defaults in DEFAULTS.items():
        assert {field: schema.node(name).properties[field].default for field in defaults} == defaults
