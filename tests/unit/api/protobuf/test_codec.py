"""Objects through their protobuf form: bytes written by hand, round trips, and what Go leaves out."""

import pytest

from proa.api.protobuf.codec import ProtobufError, decode, encode, has_message
from proa.api.protobuf.table import load_messages
from proa.api.protobuf.wire import SCALARS

CORE = "io.k8s.api.core.v1"
APPS = "io.k8s.api.apps.v1"
EXTENSIONS = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1"

POD = {
    "metadata": {
        "name": "p",
        "namespace": "n",
        "labels": {"app": "x"},
        "creationTimestamp": "2026-01-02T03:04:05Z",
        "managedFields": [{"manager": "m", "operation": "Update", "fieldsType": "FieldsV1", "fieldsV1": {"f:spec": {}}}],
    },
    "spec": {
        "volumes": [{"name": "v", "configMap": {"name": "c", "items": [{"key": "k", "path": "p"}]}}, {"name": "e", "emptyDir": {}}],
        "containers": [
            {
                "name": "c",
                "image": "i",
                "command": ["a", "b"],
                "env": [{"name": "E", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k", "optional": False}}}],
                "ports": [{"containerPort": 80, "protocol": "TCP"}],
                "resources": {"limits": {"cpu": "100m", "memory": "1Gi"}},
                "livenessProbe": {"httpGet": {"path": "/", "port": "http"}, "periodSeconds": 3},
            }
        ],
        "terminationGracePeriodSeconds": 0,
        "automountServiceAccountToken": False,
    },
}

SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "default": {"a": 1},
    "$ref": "x",
    "properties": {"a": {"items": {"type": "string"}}, "b": {"additionalProperties": {"type": "integer"}}},
}


@pytest.mark.parametrize(
    ("definition", "obj"),
    [
        (f"{CORE}.Pod", POD),
        (f"{CORE}.Secret", {"metadata": {"name": "s"}, "data": {"k": "AAEC"}, "type": "Opaque"}),
        (f"{CORE}.Service", {"spec": {"ports": [{"port": 80, "targetPort": 8080}, {"port": 81, "targetPort": "named"}]}}),
        (f"{APPS}.Deployment", {"spec": {"replicas": 0, "strategy": {"rollingUpdate": {"maxSurge": "25%", "maxUnavailable": 0}}}}),
        (f"{APPS}.ControllerRevision", {"data": {"any": ["thing", 1]}, "revision": 3}),
        ("io.k8s.api.coordination.v1.Lease", {"spec": {"renewTime": "2026-01-02T03:04:05.000006Z", "leaseTransitions": 0}}),
        ("io.k8s.api.authentication.v1.TokenReview", {"status": {"user": {"username": "u", "extra": {"k": ["a", "b"]}}}}),
        (f"{EXTENSIONS}.JSONSchemaProps", SCHEMA),
    ],
    ids=lambda value: value.rpartition(".")[2] if isinstance(value, str) else "",
)  # fmt: skip
def test_what_is_written_is_read_again(definition: str, obj: dict[str, object]) -> None:
    assert decode(definition, encode(definition, obj)) == obj


def test_bytes_are_those_of_the_published_numbers() -> None:
    # ConfigMapKeySelector: localObjectReference=1 {name=1}, key=2, optional=3
    assert encode(f"{CORE}.ConfigMapKeySelector", {"name": "n", "key": "k", "optional": True}) == b"\x0a\x03\x0a\x01n\x12\x01k\x18\x01"
    # ServicePort: name=1 protocol=2 port=3 targetPort=4 {type=1 intVal=2 strVal=3}
    assert encode(f"{CORE}.ServicePort", {"port": 80, "targetPort": 8080}) == b"\x18\x50\x22\x07\x08\x00\x10\x90\x3f\x1a\x00"


def test_zeros_that_go_does_not_tell_from_absences_are_left_out_and_others_kept() -> None:
    # hostNetwork=11 and nodeName=10 are plain, automountServiceAccountToken=21 is a pointer
    assert decode(f"{CORE}.PodSpec", b"\x52\x00\x58\x00\xa8\x01\x00") == {"automountServiceAccountToken": False}
    # ready=4 and restartCount=5 are always written
    assert decode(f"{CORE}.ContainerStatus", b"\x0a\x01c\x20\x00\x28\x00\x3a\x00") == {
        "name": "c",
        "ready": False,
        "restartCount": 0,
        "imageID": "",
    }
    # an empty Time is null
    assert decode("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta", b"\x0a\x01n\x42\x00") == {"name": "n"}


def test_what_is_not_a_message_is_refused() -> None:
    with pytest.raises(ProtobufError, match="not a Pod"):
        decode(f"{CORE}.Pod", b"\x0a\xff")
    with pytest.raises(ProtobufError, match="PodSpec"):
        encode(f"{CORE}.PodSpec", {"nodeName": 3})


def test_fields_of_other_versions_are_left_out() -> None:
    cluster_name_of_1_20 = b"\x7a\x00"
    assert decode("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta", b"\x0a\x01n" + cluster_name_of_1_20) == {"name": "n"}
    assert decode(f"{CORE}.Pod", b"\xfa\x06\x01x") == {}


def test_every_type_in_the_table_is_known() -> None:
    messages = load_messages()
    used = {field.type for fields in messages.values() for field in fields}
    assert {kind for kind in used if len(kind) > 1} - messages.keys() == set()
    assert {kind for kind in used if len(kind) == 1} <= set(SCALARS)
    assert has_message(f"{CORE}.Pod")
    assert has_message("io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.APIService")
    assert not has_message("com.example.v1.Shop")


def test_times_have_years_of_four_digits() -> None:
    lease = {"spec": {"acquireTime": "0001-01-01T00:00:02.000000Z"}}
    definition = "io.k8s.api.coordination.v1.Lease"
    assert decode(definition, encode(definition, lease))["spec"] == lease["spec"]
