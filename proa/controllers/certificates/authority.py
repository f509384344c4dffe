"""Issues what a request asks for, for as long as it may: subject, key and alternative names are the request's, usages those that it lists.

Certificates begin five minutes early, for clocks that are behind, and never outlive their authority. Source: the signing controller of
kube-controller-manager.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography import x509

BACKDATE = timedelta(minutes=5)
SHORT_LIFE = timedelta(hours=8)
"""A life shorter than this isn't cut by what the beginning was moved back."""
SHORTEST_SECONDS = 600
KEY_USAGES = {
    "signing": "digital_signature", "digital signature": "digital_signature", "content commitment": "content_commitment",
    "key encipherment": "key_encipherment", "key agreement": "key_agreement", "data encipherment": "data_encipherment",
    "cert sign": "key_cert_sign", "crl sign": "crl_sign", "encipher only": "encipher_only", "decipher only": "decipher_only",
}  # fmt: skip
PURPOSES = {
    "any": "2.5.29.37.0", "server auth": "1.3.6.1.5.5.7.3.1", "client auth": "1.3.6.1.5.5.7.3.2", "code signing": "1.3.6.1.5.5.7.3.3",
    "email protection": "1.3.6.1.5.5.7.3.4", "s/mime": "1.3.6.1.5.5.7.3.4", "ipsec end system": "1.3.6.1.5.5.7.3.5",
    "ipsec tunnel": "1.3.6.1.5.5.7.3.6", "ipsec user": "1.3.6.1.5.5.7.3.7", "timestamping": "1.3.6.1.5.5.7.3.8",
    "ocsp signing": "1.3.6.1.5.5.7.3.9", "microsoft sgc": "1.3.6.1.4.1.311.10.3.3", "netscape sgc": "2.16.840.1.113730.4.1",
}  # fmt: skip


def lifetime(asked: int | None, longest: float) -> timedelta:
    """What `spec.expirationSeconds` gets, between ten minutes and what the signer is configured for."""
    return timedelta(seconds=longest if asked is None else min(max(asked, SHORTEST_SECONDS), longest))


def period(now: datetime, life: timedelta, authority_end: datetime) -> tuple[datetime, datetime]:
    end = now + life - (timedelta() if life < SHORT_LIFE else BACKDATE)
    return now - BACKDATE, min(end, authority_end)


def sign(
    request: "x509.CertificateSigningRequest", usages: Sequence[str], life: timedelta, certificate: Path, key: Path, now: datetime
) -> bytes:  # fmt: skip
    """The certificate as PEM; raises OSError, ValueError if the authority can't be read."""
    from cryptography import x509
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

    authority = x509.load_pem_x509_certificate(certificate.read_bytes())
    start, end = period(now.replace(microsecond=0), life, authority.not_valid_after_utc)
    builder = x509.CertificateBuilder(issuer_name=authority.subject, subject_name=request.subject, public_key=request.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(start).not_valid_after(end)
    builder = _with_usages(builder, usages).add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    for extension in request.extensions:
        if isinstance(extension.value, x509.SubjectAlternativeName):
            builder = builder.add_extension(extension.value, critical=not list(request.subject))
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key())  # type: ignore[arg-type]
    builder = builder.add_extension(identifier, critical=False)
    signed = builder.sign(load_pem_private_key(key.read_bytes(), None), SHA256())  # type: ignore[arg-type]
    return signed.public_bytes(Encoding.PEM)


def _with_usages(builder: "x509.CertificateBuilder", usages: Sequence[str]) -> "x509.CertificateBuilder":
    from cryptography import x509

    bits = dict.fromkeys(KEY_USAGES.values(), False) | {KEY_USAGES[each]: True for each in usages if each in KEY_USAGES}
    if any(bits.values()):
        bits["key_agreement"] = bits["key_agreement"] or bits["encipher_only"] or bits["decipher_only"]
        builder = builder.add_extension(x509.KeyUsage(**bits), critical=True)
    purposes = list(dict.fromkeys(PURPOSES[each] for each in usages if each in PURPOSES))
    if purposes:
        builder = builder.add_extension(x509.ExtendedKeyUsage([x509.ObjectIdentifier(each) for each in purposes]), critical=False)
    return builder
