"""Which trust anchors a clusterTrustBundle source projects, and how."""

import base64
from typing import Any

import pytest

from proa.api.meta import Object
from proa.kubelet.volumes.payload import PayloadError
from proa.kubelet.volumes.trust_anchors import trust_anchors

SALT = b"1"


def pem(*contents: bytes) -> str:
    return "".join(f"-----BEGIN CERTIFICATE-----\n{base64.b64encode(each).decode()}\n-----END CERTIFICATE-----\n" for each in contents)


def bundle(name: str, *contents: bytes, signer: str = "", **labels: str) -> Object:
    return {
        "metadata": {"name": name, "labels": labels},
        "spec": {"trustBundle": pem(*contents)} | ({"signerName": signer} if signer else {}),
    }


BUNDLES = {
    each["metadata"]["name"]: each
    for each in (
        bundle("plain", b"a", b"b"),
        bundle("x:one", b"c", b"d", signer="x/y", live="yes"),
        bundle("x:two", b"d", b"e", signer="x/y", live="no"),
        bundle("z:one", b"f", signer="z/y", live="yes"),
    )
}


def found(salt: bytes = SALT, **source: Any) -> set[bytes]:
    text = trust_anchors(source, BUNDLES, salt).decode()
    parts = [part.split("-----END")[0] for part in text.split("-----BEGIN CERTIFICATE-----\n")[1:]]
    contents = [base64.b64decode(part) for part in parts]
    assert len(contents) == len(set(contents))
    assert text == pem(*contents)
    return set(contents)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ({"name": "plain"}, b"ab"),
        ({"name": "x:one"}, b"cd"),
        ({"signerName": "x/y", "labelSelector": {}}, b"cde"),
        ({"signerName": "x/y", "labelSelector": {"matchLabels": {"live": "yes"}}}, b"cd"),
        ({"signerName": "x/y", "labelSelector": {"matchExpressions": [{"key": "live", "operator": "NotIn", "values": ["yes"]}]}}, b"de"),
        ({"name": "none", "optional": True}, b""),
        ({"signerName": "x/y", "optional": True}, b""),
        ({"signerName": "none/y", "labelSelector": {}, "optional": True}, b""),
    ],
)
def test_selected_anchors_each_once(source: dict[str, Any], expected: bytes) -> None:
    assert found(**source) == {bytes([each]) for each in expected}


NOTHING_MATCHED = "combination of signerName and labelSelector matched zero ClusterTrustBundles"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ({"name": "none"}, 'while getting ClusterTrustBundle: clustertrustbundle.certificates.k8s.io "none" not found'),
        ({"signerName": "x/y"}, NOTHING_MATCHED),
        ({"signerName": "x/y", "labelSelector": {"matchLabels": {"live": "perhaps"}}}, NOTHING_MATCHED),
        ({}, "ClusterTrustBundle projection requires either name or signerName to be set"),
    ],
)
def test_what_must_be_there_and_is_not(source: dict[str, Any], message: str) -> None:
    with pytest.raises(PayloadError) as raised:
        trust_anchors(source, BUNDLES, SALT)
    assert str(raised.value) == message


def test_the_order_is_stable_and_another_one_with_another_salt() -> None:
    many = bundle("m", *(bytes([each]) for each in range(40)))
    backwards = bundle("m", *(bytes([each]) for each in reversed(range(40))))
    first = trust_anchors({"name": "m"}, {"m": many}, b"1")
    assert trust_anchors({"name": "m"}, {"m": backwards}, b"1") == first
    assert trust_anchors({"name": "m"}, {"m": many}, b"2") != first


def test_lines_are_as_long_as_pem_has_them() -> None:
    assert {len(line) for line in trust_anchors({"name": "m"}, {"m": bundle("m", bytes(96))}, SALT).splitlines()} == {27, 64, 25}
