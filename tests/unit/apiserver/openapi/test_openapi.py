"""OpenAPI documents name every operation with what clients look for, hold every schema they refer to, and travel as JSON and protobuf."""

from collections.abc import Iterator
from typing import Any, cast

import orjson
import pytest

from proa.api.kinds import DEPLOYMENTS, NODES, PODS, SUBJECT_ACCESS_REVIEWS
from proa.api.resource import Resource, ResourceId, Strategy, Subresource
from proa.api.schema import load_schema
from proa.apiserver.openapi.documents import JSON, V2_PROTOBUF, OpenApiDocuments
from proa.apiserver.openapi.operations import operations
from proa.apiserver.openapi.v3 import to_v3

STATUS = ("get", "patch", "update")
WIDGET = {
    "type": "object",
    "properties": {"spec": {"type": "object", "properties": {"size": {"type": "integer", "minimum": 1, "default": 3, "enum": [1, 3]}}}},
    "x-kubernetes-group-version-kind": [{"group": "example.com", "kind": "Widget", "version": "v1"}],
}


def resource(id_: ResourceId, definition: str, *subresources: Subresource, verbs: tuple[str, ...] | None = None) -> Resource:
    made = Resource(id_, cast(Strategy, None), definition=definition, subresources={each.name: each for each in subresources})
    if verbs is not None:
        made.verbs = verbs
    return made


RESOURCES = [
    resource(
        PODS,
        "io.k8s.api.core.v1.Pod",
        Subresource("status", "Pod", STATUS),
        Subresource("log", "Pod", ("get",)),
        Subresource("exec", "PodExecOptions", ("create", "get")),
        Subresource("eviction", "Eviction", ("create",), "policy", "v1"),
    ),
    resource(NODES, "io.k8s.api.core.v1.Node"),
    resource(
        DEPLOYMENTS,
        "io.k8s.api.apps.v1.Deployment",
        Subresource("scale", "Scale", STATUS, "autoscaling", "v1"),
    ),
    resource(SUBJECT_ACCESS_REVIEWS, "io.k8s.api.authorization.v1.SubjectAccessReview", verbs=("create",)),
    resource(ResourceId("example.com", "v1", "widgets", "Widget", True), "com.example.v1.Widget"),
]


@pytest.fixture(scope="module")
def documents() -> OpenApiDocuments:
    return OpenApiDocuments(RESOURCES, load_schema(), "v1.37.0", {"com.example.v1.Widget": WIDGET})


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, each in value.items():
            if key == "$ref" and isinstance(each, str):
                yield each
            else:
                yield from references(each)
    elif isinstance(value, list):
        for each in value:
            yield from references(each)


def resolves(document: dict[str, Any], reference: str) -> bool:
    target: Any = document
    for part in reference.removeprefix("#/").split("/"):
        target = target.get(part) if isinstance(target, dict) else None
    return target is not None


def test_every_operation_of_a_namespaced_resource() -> None:
    listed = [(each.method, each.path, each.action, each.id) for each in operations(RESOURCES[:1]) if "/{name}/" not in each.path]
    collection = "/api/v1/namespaces/{namespace}/pods"
    assert listed == [
        ("get", collection, "list", "listCoreV1NamespacedPod"),
        ("post", collection, "post", "createCoreV1NamespacedPod"),
        ("delete", collection, "deletecollection", "deleteCoreV1CollectionNamespacedPod"),
        ("get", f"{collection}/{{name}}", "get", "readCoreV1NamespacedPod"),
        ("put", f"{collection}/{{name}}", "put", "replaceCoreV1NamespacedPod"),
        ("delete", f"{collection}/{{name}}", "delete", "deleteCoreV1NamespacedPod"),
        ("patch", f"{collection}/{{name}}", "patch", "patchCoreV1NamespacedPod"),
        ("get", "/api/v1/pods", "list", "listCoreV1PodForAllNamespaces"),
        ("get", "/api/v1/watch/namespaces/{namespace}/pods", "watchlist", "watchCoreV1NamespacedPodList"),
        ("get", "/api/v1/watch/namespaces/{namespace}/pods/{name}", "watch", "watchCoreV1NamespacedPod"),
        ("get", "/api/v1/watch/pods", "watchlist", "watchCoreV1PodListForAllNamespaces"),
    ]


def test_every_operation_of_subresources() -> None:
    listed = [
        (each.method, each.path.rpartition("/")[2], each.action, each.id, each.kind and each.kind.kind) for each in operations(RESOURCES)
    ]
    assert [each for each in listed if each[1] in ("exec", "eviction", "log", "scale")] == [
        ("post", "eviction", "post", "createCoreV1NamespacedPodEviction", "Eviction"),
        ("get", "exec", "connect", "connectCoreV1GetNamespacedPodExec", "PodExecOptions"),
        ("post", "exec", "connect", "connectCoreV1PostNamespacedPodExec", "PodExecOptions"),
        ("get", "log", "get", "readCoreV1NamespacedPodLog", "Pod"),
        ("get", "scale", "get", "readAppsV1NamespacedDeploymentScale", "Scale"),
        ("put", "scale", "put", "replaceAppsV1NamespacedDeploymentScale", "Scale"),
        ("patch", "scale", "patch", "patchAppsV1NamespacedDeploymentScale", "Scale"),
    ]


def test_cluster_scoped_and_create_only_resources() -> None:
    paths = [(each.method, each.path) for each in operations(RESOURCES[1:2] + RESOURCES[3:4])]
    assert ("get", "/api/v1/nodes/{name}") in paths
    assert paths[-1] == ("post", "/apis/authorization.k8s.io/v1/subjectaccessreviews")


def test_operation_ids_are_unique() -> None:
    ids = [each.id for each in operations(RESOURCES)]
    assert len(set(ids)) == len(ids)


def test_v2_is_whole(documents: OpenApiDocuments) -> None:
    document = orjson.loads(documents.v2_json.body)
    assert document["info"] == {"title": "Kubernetes", "version": "v1.37.0"}
    assert [reference for reference in references(document["paths"]) if not resolves(document, reference)] == []
    patch = document["paths"]["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"]["patch"]
    assert patch["x-kubernetes-group-version-kind"] == {"group": "apps", "kind": "Deployment", "version": "v1"}
    assert "application/strategic-merge-patch+json" in patch["consumes"]
    assert [each["name"] for each in patch["parameters"]] == ["body", "dryRun", "fieldManager", "fieldValidation", "force"]
    assert patch["responses"]["200"]["schema"] == {"$ref": "#/definitions/io.k8s.api.apps.v1.Deployment"}


def test_custom_resources_take_no_strategic_merge_patch(documents: OpenApiDocuments) -> None:
    document = orjson.loads(documents.v2_json.body)
    patch = document["paths"]["/apis/example.com/v1/namespaces/{namespace}/widgets/{name}"]["patch"]
    assert "application/strategic-merge-patch+json" not in patch["consumes"]
    assert document["definitions"]["com.example.v1.Widget"] == WIDGET


def test_v2_protobuf_says_what_json_says(documents: OpenApiDocuments) -> None:
    from proa.apiserver.openapi import gnostic_pb2

    message = gnostic_pb2.Document.FromString(documents.v2_protobuf.body)
    document = orjson.loads(documents.v2_json.body)
    assert [path.name for path in message.paths.path] == list(document["paths"])
    assert {each.name for each in message.definitions.additional_properties} == set(document["definitions"])
    schemas = {each.name: each.value for each in message.definitions.additional_properties}
    ports = {each.name: each.value for each in schemas["io.k8s.api.core.v1.Container"].properties.additional_properties}["ports"]
    assert list(ports.type.value) == ["array"]
    assert getattr(ports.items.schema[0], "_ref") == "#/definitions/io.k8s.api.core.v1.ContainerPort"  # noqa: B009
    assert {each.name: orjson.loads(each.value.yaml) for each in ports.vendor_extension} == {
        "x-kubernetes-list-map-keys": ["containerPort", "protocol"],
        "x-kubernetes-list-type": "map",
        "x-kubernetes-patch-merge-key": "containerPort",
        "x-kubernetes-patch-strategy": "merge",
    }
    size = schemas["com.example.v1.Widget"].properties.additional_properties[0].value.properties.additional_properties[0].value
    assert (size.minimum, size.default.yaml, [each.yaml for each in size.enum]) == (1.0, "3", ["1", "3"])
    labels = {each.name: each.value for each in schemas["io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"].properties.additional_properties}
    assert list(labels["labels"].additional_properties.schema.type.value) == ["string"]


def test_v2_protobuf_names_the_parameters_of_patches(documents: OpenApiDocuments) -> None:
    from proa.apiserver.openapi import gnostic_pb2

    message = gnostic_pb2.Document.FromString(documents.v2_protobuf.body)
    item = next(path.value for path in message.paths.path if path.name.endswith("/pods/{name}"))
    parameters = [each.parameter for each in item.patch.parameters]
    assert parameters[0].body_parameter.required
    assert [each.non_body_parameter.query_parameter_sub_schema.name for each in parameters[1:]] == [
        "dryRun", "fieldManager", "fieldValidation", "force",
    ]  # fmt: skip
    assert [getattr(each.json_reference, "_ref") for each in item.parameters] == [  # noqa: B009
        "#/parameters/namespace", "#/parameters/name", "#/parameters/pretty",
    ]  # fmt: skip


def test_what_the_accept_header_of_v2_gives(documents: OpenApiDocuments) -> None:
    assert documents.v2("application/com.github.proto-openapi.spec.v2@v1.0+protobuf").content_type == V2_PROTOBUF
    assert documents.v2("application/json").content_type == JSON
    assert documents.v2("*/*").content_type == JSON


def test_the_v3_index_names_every_group_version(documents: OpenApiDocuments) -> None:
    paths = orjson.loads(documents.v3_index.body)["paths"]
    assert list(paths) == [
        "api", "apis", "version", "api/v1", "apis/apps", "apis/apps/v1", "apis/authorization.k8s.io", "apis/authorization.k8s.io/v1",
        "apis/example.com", "apis/example.com/v1",
    ]  # fmt: skip
    assert paths["apis/apps/v1"] == {"serverRelativeURL": f"/openapi/v3/apis/apps/v1?hash={documents.hashes['apis/apps/v1']}"}


@pytest.mark.parametrize(
    "path", ["api", "apis", "version", "apis/apps", "api/v1", "apis/apps/v1", "apis/authorization.k8s.io/v1", "apis/example.com/v1"]
)
def test_v3_documents_hold_all_they_refer_to_and_no_more(documents: OpenApiDocuments, path: str) -> None:
    found = documents.v3(path)
    assert found is not None
    document = orjson.loads(found.body)
    used = set(references(document))
    assert [reference for reference in used if not resolves(document, reference)] == []
    assert {f"#/components/schemas/{name}" for name in document["components"]["schemas"]} == used


def test_a_v3_operation(documents: OpenApiDocuments) -> None:
    found = documents.v3("api/v1")
    assert found is not None
    patch = orjson.loads(found.body)["paths"]["/api/v1/namespaces/{namespace}/pods/{name}"]["patch"]
    assert patch["x-kubernetes-action"] == "patch"
    assert patch["x-kubernetes-group-version-kind"] == {"group": "", "kind": "Pod", "version": "v1"}
    assert "application/strategic-merge-patch+json" in patch["requestBody"]["content"]
    assert {each["name"] for each in patch["parameters"]} >= {"dryRun", "fieldManager", "fieldValidation", "force"}


@pytest.mark.parametrize(
    ("document", "path", "operation_id", "response"),
    [
        ("api", "/api/", "getCoreAPIVersions", "APIVersions"),
        ("apis/authorization.k8s.io", "/apis/authorization.k8s.io/", "getAuthorizationAPIGroup", "APIGroup"),
        ("api/v1", "/api/v1/", "getCoreV1APIResources", "APIResourceList"),
        ("apis/apps/v1", "/apis/apps/v1/", "getAppsV1APIResources", "APIResourceList"),
    ],
)
def test_discovery_is_described_too(documents: OpenApiDocuments, document: str, path: str, operation_id: str, response: str) -> None:
    found = documents.v3(document)
    assert found is not None
    operation = orjson.loads(found.body)["paths"][path]["get"]
    schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
    assert (operation["operationId"], schema["$ref"].rpartition(".")[2]) == (operation_id, response)
    assert "x-kubernetes-group-version-kind" not in operation


def test_an_unknown_v3_path_has_no_document(documents: OpenApiDocuments) -> None:
    assert documents.v3("apis/nothing.io/v1") is None


def test_hashes_change_with_a_custom_schema_and_only_there() -> None:
    schema = load_schema()
    one = OpenApiDocuments(RESOURCES, schema, "v1.37.0", {"com.example.v1.Widget": WIDGET}).hashes
    other = OpenApiDocuments(RESOURCES, schema, "v1.37.0", {"com.example.v1.Widget": WIDGET | {"description": "x"}}).hashes
    assert {path for path in one if one[path] != other[path]} == {"apis/example.com/v1"}


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"$ref": "#/definitions/A"}, {"$ref": "#/components/schemas/A"}),
        ({"$ref": "#/definitions/A", "description": "d"}, {"allOf": [{"$ref": "#/components/schemas/A"}], "description": "d"}),
        ({"type": "array", "items": {"$ref": "#/definitions/A"}}, {"type": "array", "items": {"$ref": "#/components/schemas/A"}}),
        ({"type": "object", "properties": {"$ref": {"type": "string"}}}, {"type": "object", "properties": {"$ref": {"type": "string"}}}),
    ],
)
def test_schemas_in_v3_form(schema: dict[str, Any], expected: dict[str, Any]) -> None:
    assert to_v3(schema) == expected


def test_types_and_defaults_that_only_v3_can_say() -> None:
    definitions = load_schema().definitions
    quantity, int_or_string = "io.k8s.apimachinery.pkg.api.resource.Quantity", "io.k8s.apimachinery.pkg.util.intstr.IntOrString"
    assert to_v3(definitions[quantity], quantity)["oneOf"] == [{"type": "string"}, {"type": "number"}]
    assert to_v3(definitions[int_or_string], int_or_string)["oneOf"] == [{"type": "integer"}, {"type": "string"}]
    port = "io.k8s.api.core.v1.ContainerPort"
    assert to_v3(definitions[port], port)["properties"]["protocol"]["default"] == "TCP"
