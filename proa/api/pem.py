"""PEM as Kubernetes checks it: blocks with their types and headers, and what is inside them. Reasons are worded as the API gives them."""

import base64
import binascii
import re
from typing import TYPE_CHECKING

from proa.lib.dataclass import dataclass

if TYPE_CHECKING:
    from cryptography import x509

_BLOCK = re.compile(r"-----BEGIN ([^-\n]+)-----[ \t]*\r?\n(.*?)-----END \1-----", re.DOTALL)
_HEADER = re.compile(r"^[^:\n]+:[^\n]*\n")


class Malformed(ValueError):
    """Why it is no such thing."""


@dataclass(frozen=True, slots=True)
class Block:
    type: str
    headers: bool
    der: bytes


def blocks(text: str) -> list[Block]:
    """What doesn't decode is skipped, as Go's decoder does."""
    found = []
    for type_, body in _BLOCK.findall(text):
        headers = _HEADER.match(body) is not None
        encoded = body.partition("\n\n")[2] if headers else body
        try:
            found.append(Block(type_, headers, base64.b64decode("".join(encoded.split()), validate=True)))
        except binascii.Error:
            continue
    return found


def parse_certificate(der: bytes) -> "x509.Certificate":
    """Raises ValueError."""
    from cryptography import x509

    return x509.load_der_x509_certificate(der)


def check_certificates(text: str) -> None:
    """One certificate or more and nothing else; raises Malformed."""
    found = blocks(text)
    for block in found:
        if block.type != "CERTIFICATE":
            raise Malformed(f'only CERTIFICATE PEM blocks are allowed, found "{block.type}"')
        if block.headers:
            raise Malformed("no PEM block headers are permitted")
        try:
            parse_certificate(block.der)
        except ValueError as error:
            raise Malformed(f"x509: malformed certificate: {error}") from None
    if not found:
        raise Malformed("must contain at least one CERTIFICATE PEM block")


def parse_request(text: str) -> "x509.CertificateSigningRequest":
    """A PKCS#10 request with a valid signature; raises Malformed."""
    found = blocks(text)
    if not found or found[0].type != "CERTIFICATE REQUEST":
        raise Malformed("PEM block type must be CERTIFICATE REQUEST")
    return parse_request_der(found[0].der)


def parse_request_der(der: bytes) -> "x509.CertificateSigningRequest":
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm

    try:
        request = x509.load_der_x509_csr(der)
        valid = request.is_signature_valid
    except (ValueError, UnsupportedAlgorithm) as error:
        raise Malformed(f"x509: malformed certificate request: {error}") from None
    if not valid:
        raise Malformed("x509: the signature of the certificate request is invalid")
    return request
