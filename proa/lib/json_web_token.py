"""The tokens of this cluster: signed with one key, verified with that key and those that were used before it or elsewhere.

An ECDSA P-256 key is what a fresh cluster uses: signing takes 30 us where RSA takes 600, the key is made in a millisecond, and every
consumer of Kubernetes tokens reads it. Key files are read at the first token, not at start.
"""

import hashlib
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from proa.lib import json_web_signature
from proa.lib.json_web_signature import VerificationKey, algorithm_of, decode_base64, encode_base64

if TYPE_CHECKING:
    from proa.lib.json_web_signature import PrivateKey, PublicKey


class SigningKey:
    """Makes and reads tokens. `others` are files with public (or private) keys whose tokens count as well."""

    def __init__(self, path: Path, others: Sequence[Path] = ()) -> None:
        self._path = path
        self._others = others

    @cached_property
    def _private(self) -> "PrivateKey":
        from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        key = load_pem_private_key(self._path.read_bytes(), None)
        if not isinstance(key, EllipticCurvePrivateKey | RSAPrivateKey):
            raise ValueError(f"{self._path}: the service-account key must be ECDSA or RSA")
        algorithm_of(key)
        return key

    @cached_property
    def _public(self) -> list[VerificationKey]:
        """The signing key's own half first, each key once."""
        keys = [self._private.public_key(), *(key for path in self._others for key in read_public_keys(path))]
        named = [VerificationKey(key, key_id_of(key), algorithm_of(key)) for key in keys]
        return list({each.key_id: each for each in named}.values())

    @property
    def key_id(self) -> str:
        return self._public[0].key_id

    def encode(self, claims: dict[str, Any]) -> str:
        """A signed token in compact form."""
        header = {"alg": algorithm_of(self._private), "kid": self.key_id}
        signed = ".".join(encode_base64(orjson.dumps(part)) for part in (header, claims))
        return f"{signed}.{encode_base64(json_web_signature.sign(self._private, signed.encode()))}"

    def decode(self, token: str) -> dict[str, Any] | None:
        """The claims, if the signature is one of the keys'; times and audiences are the caller's business."""
        parts = split_token(token)
        if parts is None:
            return None
        header, claims, signature, signed = parts
        chosen = [key for key in self._public if key.key_id == header.get("kid")] or self._public
        return claims if any(key.verifies(str(header.get("alg")), signature, signed) for key in chosen) else None

    def json_web_keys(self) -> list[dict[str, str]]:
        """The public keys as /openid/v1/jwks lists them."""
        return [
            {"use": "sig", "kid": key.key_id, "alg": key.algorithm, **json_web_signature.to_json_web_key(key.key)} for key in self._public
        ]


def read_public_keys(path: Path) -> list["PublicKey"]:
    """Every key of a PEM file: public keys, and the public halves of private ones. Raises OSError, ValueError."""
    import re

    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

    found: list[PublicKey] = []
    for block in re.findall(rb"-----BEGIN [^-]+-----.*?-----END [^-]+-----", path.read_bytes(), re.DOTALL):
        key = load_pem_private_key(block, None).public_key() if b"PRIVATE KEY" in block else load_pem_public_key(block)
        if isinstance(key, EllipticCurvePublicKey | RSAPublicKey):
            found.append(key)
    if not found:
        raise ValueError(f"{path}: the data contains no ECDSA or RSA key")
    return found


def key_id_of(key: "PublicKey") -> str:
    """The hash of the public key, as kube-apiserver computes it: verifiers find the key, and nothing else is told."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return encode_base64(hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).digest())


def split_token(token: str) -> tuple[dict[str, Any], dict[str, Any], bytes, bytes] | None:
    """(header, claims, signature, what is signed) of a token in compact form, none of it verified; None if it is no such token."""
    try:
        header, claims, signature = token.split(".")
        decoded = orjson.loads(decode_base64(header)), orjson.loads(decode_base64(claims)), decode_base64(signature)
    except ValueError:
        return None
    if not isinstance(decoded[0], dict) or not isinstance(decoded[1], dict):
        return None
    return *decoded, f"{header}.{claims}".encode()


def unverified_issuer(token: str) -> str:
    """The `iss` claim before any signature is checked: tells whose token this is, never whether it is true."""
    try:
        return str(orjson.loads(decode_base64(token.split(".")[1]))["iss"])
    except (ValueError, LookupError, TypeError):
        return ""
