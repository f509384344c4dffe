"""Decoding against a schema finds, words and prunes what Go's decoder would."""

import copy
from typing import Any

import pytest

from proa.api.schema import load_schema
from proa.api.schema_node import SchemaNode
from proa.api.validation import (
    Findings,
    compile_decoder,
    compile_pruner,
    compile_validator,
    decode_error,
    field_order,
    strict_complaints,
    strict_error,
)

POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "web", "labels": {"app": "web"}, "creationTimestamp": "2030-01-01T00:00:00Z"},
    "spec": {
        "containers": [
            {
                "name": "web",
                "image": "web:1",
                "ports": [{"containerPort": 80}],
                "resources": {"limits": {"cpu": 1, "memory": "64Mi"}, "requests": {"cpu": 0.5}},
                "readinessProbe": {"httpGet": {"port": "http"}},
            }
        ]
    },
}
NAMES = {
    "Pod": "io.k8s.api.core.v1.Pod",
    "Deployment": "io.k8s.api.apps.v1.Deployment",
    "Secret": "io.k8s.api.core.v1.Secret",
    "CustomResourceDefinition": "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition",
}


def decode(kind: str, value: Any) -> Findings:
    return compile_decoder(load_schema().node(NAMES[kind]))(value)


def changed(path: list[Any], value: Any) -> dict[str, Any]:
    obj = copy.deepcopy(POD)
    target: Any = obj
    for part in path[:-1]:
        target = target[part]
    target[path[-1]] = value
    return obj


def test_a_good_object_passes_untouched() -> None:
    obj = copy.deepcopy(POD)
    assert decode("Pod", obj) == Findings()
    assert obj == POD


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (["spec", "containers", 0, "name"], 5,
         "json: cannot unmarshal number into Go struct field Container.spec.containers.name of type string"),
        (["spec", "containers"], {}, "json: cannot unmarshal object into Go struct field PodSpec.spec.containers of type []v1.Container"),
        (["spec", "containers", 0], "x", "json: cannot unmarshal string into Go struct field PodSpec.spec.containers of type v1.Container"),
        (["metadata", "labels", "app"], True, "json: cannot unmarshal bool into Go struct field ObjectMeta.metadata.labels of type string"),
        (["metadata", "labels"], [],
         "json: cannot unmarshal array into Go struct field ObjectMeta.metadata.labels of type map[string]string"),
        (["spec", "containers", 0, "ports", 0, "containerPort"], "80",
         "json: cannot unmarshal string into Go struct field ContainerPort.spec.containers.ports.containerPort of type int32"),
        (["spec", "containers", 0, "ports", 0, "containerPort"], 2**31,
         "json: cannot unmarshal number 2147483648 into Go struct field ContainerPort.spec.containers.ports.containerPort of type int32"),
        (["spec", "hostNetwork"], "true", "json: cannot unmarshal string into Go struct field PodSpec.spec.hostNetwork of type bool"),
        (["spec", "containers", 0, "resources", "limits", "cpu"], "one",
         "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"),
        (["spec", "containers", 0, "resources", "limits", "cpu"], "1KK", "unable to parse quantity's suffix"),
        (["spec", "containers", 0, "readinessProbe", "httpGet", "port"], [], "json: cannot unmarshal array into Go value of type int32"),
        (["metadata", "creationTimestamp"], "today",
         'parsing time "today" as "2006-01-02T15:04:05Z07:00": cannot parse "today" as "2006"'),
        (["metadata", "creationTimestamp"], "2030-02-30T00:00:00Z", 'parsing time "2030-02-30T00:00:00Z": day out of range'),
        (["spec", "restartPolicy"], 1,
         "json: cannot unmarshal number into Go struct field PodSpec.spec.restartPolicy of type v1.RestartPolicy"),
        (["spec", "containers", 0, "resources", "limits"], "x",
         "json: cannot unmarshal string into Go struct field "
         "ResourceRequirements.spec.containers.resources.limits of type v1.ResourceList"),
        (["spec"], 3, "json: cannot unmarshal number into Go struct field Pod.spec of type v1.PodSpec"),
    ],
)  # fmt: skip
def test_a_wrong_type_is_worded_as_upstream(path: list[Any], value: Any, message: str) -> None:
    assert [cause.message for cause in decode("Pod", changed(path, value)).causes] == [message]


def test_the_whole_body_of_a_wrong_type() -> None:
    assert [cause.message for cause in decode("Pod", []).causes] == ["json: cannot unmarshal array into Go value of type v1.Pod"]


def test_every_wrong_type_is_found_in_document_order() -> None:
    obj = {"metadata": {"name": 1}, "spec": {"containers": [{"image": 2}, {"name": 3}], "hostPID": 4}}
    assert [cause.field for cause in decode("Pod", obj).causes] == [
        "metadata.name", "spec.containers[0].image", "spec.containers[1].name", "spec.hostPID",
    ]  # fmt: skip


def test_unknown_fields_are_removed_and_named() -> None:
    obj = changed(["spec", "containers", 0, "imagee"], "x")
    obj["extra"] = {"deep": 1}
    assert compile_pruner(load_schema().node(NAMES["Pod"]))(obj) == ("spec.containers[0].imagee", "extra")
    assert obj == POD


def test_nulls_are_dropped_as_absent() -> None:
    obj = changed(["metadata", "annotations"], None)
    obj["status"] = None
    assert decode("Pod", obj) == Findings()
    assert obj == POD


def test_a_null_stays_where_the_schema_allows_it() -> None:
    node = SchemaNode("object", properties={"a": SchemaNode("string", nullable=True), "b": SchemaNode("string")})
    obj = {"a": None, "b": None}
    assert compile_decoder(node)(obj) == Findings()
    assert obj == {"a": None}


def test_an_unknown_null_is_an_unknown_field() -> None:
    obj = changed(["spec", "foo"], None)
    assert decode("Pod", obj).unknown == ("spec.foo",)
    assert obj == POD


def test_null_elements_become_zero_values() -> None:
    obj = changed(["metadata", "labels"], {"a": None})
    obj["spec"]["containers"] = [None]
    obj["metadata"]["finalizers"] = [None]
    assert decode("Pod", obj) == Findings()
    assert (obj["metadata"]["labels"], obj["metadata"]["finalizers"], obj["spec"]["containers"]) == ({"a": ""}, [""], [{}])


@pytest.mark.parametrize(("data", "bad"), [("aGVsbG8=", False), ("aGVs\nbG8=", False), ("", False), ("aGVsbG8", True), ("a*==", True)])
def test_bytes_are_base64(data: str, bad: bool) -> None:
    causes = decode("Secret", {"data": {"key": data}}).causes
    assert [cause.message.startswith("illegal base64 data at input byte") for cause in causes] == [True] * bad


def test_free_form_values_are_not_looked_into() -> None:
    schema = {"type": "object", "properties": {"x": {"default": {"any": [None, 1]}, "additionalProperties": True}}}
    obj = {"spec": {"versions": [{"name": "v1", "schema": {"openAPIV3Schema": schema}}]}}
    expected = copy.deepcopy(obj)
    assert decode("CustomResourceDefinition", obj) == Findings()
    assert obj == expected


@pytest.mark.parametrize("place", ["items", "additionalProperties"])
def test_a_schema_that_may_also_be_something_else_is_looked_into(place: str) -> None:
    schema: dict[str, Any] = {"type": "array", place: {"unknown": 1, "pattern": 5}}
    obj = {"spec": {"versions": [{"name": "v1", "schema": {"openAPIV3Schema": schema}}]}}
    found = decode("CustomResourceDefinition", obj)
    assert [cause.message for cause in found.causes] == [
        "json: cannot unmarshal number into Go struct field JSONSchemaProps.pattern of type string"
    ]
    assert (found.unknown, schema[place]) == ((), {"pattern": 5})


def test_recursion_without_end_is_refused() -> None:
    value: dict[str, Any] = {}
    for _ in range(5000):
        value = {"not": value}
    obj = {"spec": {"versions": [{"schema": {"openAPIV3Schema": value}}]}}
    assert [cause.message for cause in decode("CustomResourceDefinition", obj).causes] == ["json: exceeded max depth"]


def test_the_answer_to_a_body_that_does_not_decode() -> None:
    validate = compile_validator(load_schema().node(NAMES["Deployment"]))
    causes = validate({"spec": {"replicas": "3"}})
    error = decode_error("Deployment", "v1", causes[0].message)
    assert (error.status_code, error.status_reason) == (400, "BadRequest")
    assert error.message == (
        'Deployment in version "v1" cannot be handled as a Deployment: '
        "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32"
    )


def test_the_answer_under_strict_field_validation() -> None:
    error = strict_error("Pod", "v1", strict_complaints(["spec.foo"], ["spec.x"]))
    assert error.message == (
        'Pod in version "v1" cannot be handled as a Pod: strict decoding error: duplicate field "spec.x", unknown field "spec.foo"'
    )


def test_complaints_come_in_the_documents_order_and_a_stray_that_is_given_twice_is_a_stray() -> None:
    order = field_order({"spec": {"stray": 1, "twice": 2, "both": 3, "list": [{"deep": 4}]}})
    yaml_complaint = 'yaml: unmarshal errors:\n  line 3: key "b" already set in map'
    assert strict_complaints(["spec.stray", "spec.both", "spec.list[0].deep"], ["spec.twice", "spec.both", yaml_complaint], order) == [
        yaml_complaint,
        'unknown field "spec.stray"',
        'duplicate field "spec.twice"',
        'unknown field "spec.both"',
        'unknown field "spec.list[0].deep"',
    ]
