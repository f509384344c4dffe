"""Signatures of JSON Web Tokens: which algorithm a key signs with, and whether a signature is a key's (RFC 7518, 3.3 to 3.5).

The algorithm must fit the key, whatever the token's header says, so that no header can talk the verifier into a weaker one (RFC 8725,
3.1): an RSA key never checks HMACs, a curve has one hash.
"""

import base64
from typing import TYPE_CHECKING, Any

from proa.lib.dataclass import dataclass

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
    from cryptography.hazmat.primitives.hashes import HashAlgorithm

    PrivateKey = EllipticCurvePrivateKey | RSAPrivateKey
    PublicKey = EllipticCurvePublicKey | RSAPublicKey

CURVES = {"secp256r1": ("ES256", "P-256", 32), "secp384r1": ("ES384", "P-384", 48), "secp521r1": ("ES512", "P-521", 66)}
"""By OpenSSL's name: the algorithm, the name in a JSON Web Key, bytes of a coordinate."""
RSA_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
ALGORITHMS = (*RSA_ALGORITHMS, "ES256", "ES384", "ES512")


@dataclass(frozen=True)
class VerificationKey:
    """A public key with the name by which tokens point to it; `algorithm` "" takes every one that fits the key."""

    key: "PublicKey"
    key_id: str = ""
    algorithm: str = ""

    def verifies(self, algorithm: str, signature: bytes, data: bytes) -> bool:
        if self.algorithm and algorithm != self.algorithm:
            return False
        return verify(self.key, algorithm, signature, data)


def algorithm_of(key: "PrivateKey | PublicKey") -> str:
    """What a service-account key signs with: its curve's algorithm, RS256 for RSA. Raises ValueError for a curve that JWS has not."""
    curve = getattr(key, "curve", None)
    if curve is None:
        return "RS256"
    if curve.name not in CURVES:
        raise ValueError(f"the elliptic curve {curve.name} has no signature algorithm")
    return CURVES[curve.name][0]


def sign(key: "PrivateKey", data: bytes) -> bytes:
    """With the key's own algorithm (`algorithm_of`)."""
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

    digest = _hash(algorithm_of(key))
    if isinstance(key, EllipticCurvePrivateKey):
        size = CURVES[key.curve.name][2]
        r, s = decode_dss_signature(key.sign(data, ECDSA(digest)))
        return r.to_bytes(size, "big") + s.to_bytes(size, "big")
    return key.sign(data, PKCS1v15(), digest)


def verify(key: "PublicKey", algorithm: str, signature: bytes, data: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

    try:
        if isinstance(key, EllipticCurvePublicKey):
            return _verify_curve(key, algorithm, signature, data)
        if algorithm not in RSA_ALGORITHMS:
            return False
        key.verify(signature, data, _padding(algorithm), _hash(algorithm))
    except InvalidSignature:
        return False
    return True


def _verify_curve(key: "EllipticCurvePublicKey", algorithm: str, signature: bytes, data: bytes) -> bool:
    """r and s stand side by side in a JWS, not in ASN.1."""
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

    own, _, size = CURVES.get(key.curve.name, ("", "", 0))
    if algorithm != own or len(signature) != 2 * size:
        return False
    r, s = (int.from_bytes(half, "big") for half in (signature[:size], signature[size:]))
    key.verify(encode_dss_signature(r, s), data, ECDSA(_hash(algorithm)))
    return True


def _padding(algorithm: str) -> Any:
    from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS, PKCS1v15

    return PKCS1v15() if algorithm.startswith("RS") else PSS(MGF1(_hash(algorithm)), PSS.DIGEST_LENGTH)


def _hash(algorithm: str) -> "HashAlgorithm":
    from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512

    kinds: dict[str, type[HashAlgorithm]] = {"256": SHA256, "384": SHA384, "512": SHA512}
    return kinds[algorithm[2:]]()


def to_json_web_key(key: "PublicKey") -> dict[str, str]:
    """The key's own members of a JSON Web Key (RFC 7518, 6)."""
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

    if isinstance(key, EllipticCurvePublicKey):
        _, curve, size = CURVES[key.curve.name]
        point = key.public_numbers()
        x, y = (encode_base64(number.to_bytes(size, "big")) for number in (point.x, point.y))
        return {"kty": "EC", "crv": curve, "x": x, "y": y}
    numbers = key.public_numbers()
    n, e = (encode_base64(number.to_bytes((number.bit_length() + 7) // 8, "big")) for number in (numbers.n, numbers.e))
    return {"kty": "RSA", "n": n, "e": e}


def from_json_web_key(document: dict[str, Any]) -> VerificationKey | None:
    """None for a key that isn't for signatures or of a kind that nobody here verifies; raises ValueError for one that is broken."""
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    if document.get("use", "sig") != "sig":
        return None
    key_id, algorithm = str(document.get("kid", "")), str(document.get("alg", ""))
    try:
        if document.get("kty") == "RSA":
            return VerificationKey(rsa.RSAPublicNumbers(_number(document["e"]), _number(document["n"])).public_key(), key_id, algorithm)
        curves: dict[str, ec.EllipticCurve] = {"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1(), "P-521": ec.SECP521R1()}
        if document.get("kty") == "EC" and document.get("crv") in curves:
            numbers = ec.EllipticCurvePublicNumbers(_number(document["x"]), _number(document["y"]), curves[document["crv"]])
            return VerificationKey(numbers.public_key(), key_id, algorithm)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"broken JSON Web Key: {error}") from None
    return None


def _number(text: str) -> int:
    return int.from_bytes(decode_base64(text), "big")


def encode_base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode_base64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
