"""The key pair of a pod's certificate, made here and nowhere else known, and the empty request that proves its possession.

`cryptography` is imported late: only nodes whose pods ask for certificates need it.
"""

from typing import TYPE_CHECKING

from proa.api.pem import blocks
from proa.kubelet.volumes.payload import PayloadError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes


def new_key(key_type: str) -> tuple[bytes, bytes]:
    """(PKCS#8 private key as PEM, PKCS#10 request as DER). RSA takes seconds of CPU. Raises PayloadError."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ed25519

    key = _generate(key_type)
    digest = None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    request = x509.CertificateSigningRequestBuilder(x509.Name([])).sign(key, digest)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return pem, request.public_bytes(serialization.Encoding.DER)


def _generate(key_type: str) -> "CertificateIssuerPrivateKeyTypes":
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    match key_type:
        case "RSA3072" | "RSA4096":
            return rsa.generate_private_key(65537, int(key_type.removeprefix("RSA")))
        case "ECDSAP256":
            return ec.generate_private_key(ec.SECP256R1())
        case "ECDSAP384":
            return ec.generate_private_key(ec.SECP384R1())
        case "ECDSAP521":
            return ec.generate_private_key(ec.SECP521R1())
        case "ED25519":
            return ed25519.Ed25519PrivateKey.generate()
    raise PayloadError(f'while generating keypair: unknown key type "{key_type}"')


def clean_chain(text: str) -> bytes:
    """Only the certificates of a chain, whatever the signer wrote around them, one PEM block each."""
    from cryptography.hazmat.primitives.serialization import Encoding

    from proa.api.pem import parse_certificate

    return b"".join(parse_certificate(each.der).public_bytes(Encoding.PEM) for each in blocks(text) if each.type == "CERTIFICATE")
