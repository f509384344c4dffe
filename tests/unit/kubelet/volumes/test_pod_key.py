"""Keys of pods' certificates: what they are, and that their requests prove them."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from proa.api.pem import parse_request_der
from proa.kubelet.volumes.payload import PayloadError
from proa.kubelet.volumes.pod_key import clean_chain, new_key
from proa.lib.pki import create_authority

KINDS = {
    "RSA3072": (rsa.RSAPrivateKey, 3072),
    "ECDSAP256": (ec.EllipticCurvePrivateKey, 256),
    "ECDSAP384": (ec.EllipticCurvePrivateKey, 384),
    "ECDSAP521": (ec.EllipticCurvePrivateKey, 521),
    "ED25519": (ed25519.Ed25519PrivateKey, None),
}


@pytest.mark.parametrize("key_type", KINDS)
def test_a_key_and_an_empty_request_about_it(key_type: str) -> None:
    pem, der = new_key(key_type)
    assert pem.startswith(b"-----BEGIN PRIVATE KEY-----\n")
    key, request = load_pem_private_key(pem, None), parse_request_der(der)
    kind, size = KINDS[key_type]
    assert isinstance(key, kind)
    assert getattr(key, "key_size", None) == size
    form = Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    assert request.public_key().public_bytes(*form) == key.public_key().public_bytes(*form)
    assert (list(request.subject), list(request.extensions)) == ([], [])


def test_an_unknown_type_is_named() -> None:
    with pytest.raises(PayloadError, match=r'^while generating keypair: unknown key type "RSA1"$'):
        new_key("RSA1")


def test_of_a_chain_only_its_certificates_are_written() -> None:
    first, second = (create_authority(name).certificate for name in ("one", "two"))
    dirty = f"leaf:\n{first.decode()}\n\nissuer:\r\n{second.decode().replace(chr(10), chr(13) + chr(10))}"
    assert clean_chain(dirty) == first + second
