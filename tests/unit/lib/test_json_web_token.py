"""Tokens are readable by their own key alone, whatever their header says."""

from pathlib import Path

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from proa.apiserver.authn.openid_discovery import json_web_key_set, openid_configuration
from proa.lib.json_web_signature import decode_base64, encode_base64
from proa.lib.json_web_token import SigningKey, unverified_issuer
from proa.lib.pki import load_or_create_private_key, write_file


def make_key(directory: Path, algorithm: str) -> SigningKey:
    path = directory / f"{algorithm}.key"
    if algorithm == "RS256":
        key = rsa.generate_private_key(65537, 2048)
        write_file(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    else:
        load_or_create_private_key(path)
    return SigningKey(path)


@pytest.mark.parametrize("algorithm", ["ES256", "RS256"])
def test_a_token_is_read_back_by_its_key_only(tmp_path: Path, algorithm: str) -> None:
    key, other = make_key(tmp_path, algorithm), SigningKey(tmp_path / "other")
    load_or_create_private_key(tmp_path / "other")
    token = key.encode({"iss": "me", "sub": "x"})
    assert key.decode(token) == {"iss": "me", "sub": "x"}
    assert other.decode(token) is None
    assert orjson.loads(decode_base64(token.split(".")[0])) == {"alg": algorithm, "kid": key.key_id}
    assert unverified_issuer(token) == "me"


def test_what_was_tampered_with_is_refused(tmp_path: Path) -> None:
    key = make_key(tmp_path, "ES256")
    header, claims, signature = key.encode({"sub": "x"}).split(".")
    forged = encode_base64(orjson.dumps({"sub": "y"}))
    unsigned = encode_base64(orjson.dumps({"alg": "none"}))
    short = encode_base64(decode_base64(signature)[:-1])
    tokens = [
        f"{header}.{forged}.{signature}",
        f"{unsigned}.{claims}.",
        f"{header}.{claims}.{short}",
        f"{header}.{claims}",
        "a.b.c",
        "",
        "...",
    ]
    assert [key.decode(token) for token in tokens] == [None] * len(tokens)
    assert [unverified_issuer(token) for token in ("", "a.b.c", "...")] == ["", "", ""]


def test_discovery_documents_describe_the_key(tmp_path: Path) -> None:
    key = make_key(tmp_path, "ES256")
    [published] = json_web_key_set(key)["keys"]
    assert {name: published[name] for name in ("use", "kid", "alg", "kty", "crv")} == {
        "use": "sig", "kid": key.key_id, "alg": "ES256", "kty": "EC", "crv": "P-256",
    }  # fmt: skip
    assert [len(decode_base64(published[axis])) for axis in "xy"] == [32, 32]
    assert openid_configuration(key, "https://issuer", "https://10.0.0.1:6443/") == {
        "issuer": "https://issuer",
        "jwks_uri": "https://10.0.0.1:6443/openid/v1/jwks",
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
    }
