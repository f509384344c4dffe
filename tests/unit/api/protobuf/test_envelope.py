"""The frame around messages."""

import struct

import pytest

from proa.api.protobuf.codec import ProtobufError, decode, encode
from proa.api.protobuf.envelope import decode_object, definition_of, encode_list, read_watch_frame, unwrap, watch_frame, wrap

NAMESPACE = "io.k8s.api.core.v1.Namespace"
WRAPPED = b"k8s\0\x0a\x0f\x0a\x02v1\x12\x09Namespace\x12\x05\x0a\x03\x0a\x01n\x1a\x00\x22\x00"


def test_an_object_travels_with_its_type() -> None:
    raw = encode(NAMESPACE, {"metadata": {"name": "n"}})
    assert wrap("v1", "Namespace", raw) == WRAPPED
    assert unwrap(WRAPPED) == ("v1", "Namespace", raw)
    assert decode_object(WRAPPED) == {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "n"}}


def test_long_messages_have_long_lengths() -> None:
    raw = encode(NAMESPACE, {"metadata": {"name": "n" * 70_000}})
    assert unwrap(wrap("v1", "Namespace", raw))[2] == raw


def test_a_list_is_its_metadata_and_its_items() -> None:
    items = [encode(NAMESPACE, {"metadata": {"name": name}}) for name in ("a", "b")]
    body = b"".join(encode_list({"resourceVersion": "7"}, items))
    assert body == b"\x0a\x03\x12\x017" + b"\x12\x05\x0a\x03\x0a\x01a" + b"\x12\x05\x0a\x03\x0a\x01b"


def test_a_watch_event_is_a_frame() -> None:
    frame = watch_frame("ADDED", WRAPPED)
    assert struct.unpack(">I", frame[:4]) == (len(frame) - 4,)
    assert read_watch_frame(frame[4:]) == ("ADDED", WRAPPED)
    assert decode("io.k8s.apimachinery.pkg.apis.meta.v1.WatchEvent", b"\x0a\x05ADDED")["type"] == "ADDED"


@pytest.mark.parametrize(
    ("api_version", "kind", "definition"),
    [
        ("v1", "Pod", "io.k8s.api.core.v1.Pod"),
        ("apps/v1", "Deployment", "io.k8s.api.apps.v1.Deployment"),
        ("rbac.authorization.k8s.io/v1", "Role", "io.k8s.api.rbac.v1.Role"),
        ("v1", "DeleteOptions", "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions"),
        (
            "apiextensions.k8s.io/v1",
            "CustomResourceDefinition",
            "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition",
        ),
    ],
)
def test_a_kind_names_its_message(api_version: str, kind: str, definition: str) -> None:
    assert definition_of(api_version, kind) == definition


def test_a_custom_resource_has_no_protobuf_form() -> None:
    with pytest.raises(ProtobufError, match="Shop"):
        definition_of("example.com/v1", "Shop")


@pytest.mark.parametrize("data", [b"", b"{}", b"k8s\0\x0a", b"k8s\0\x0a\xff\x01", b"k8s\0\x08\x01", b"k8s\0" + b"\xff" * 12])
def test_what_has_no_envelope_is_refused(data: bytes) -> None:
    with pytest.raises(ProtobufError):
        unwrap(data)
