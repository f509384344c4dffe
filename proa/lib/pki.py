"""A certificate authority in a directory: what it issues is trusted by whoever holds its certificate, and nothing secret is ever readable
by others, not even for the moment of writing.

Keys are ECDSA P-256 everywhere: one is made in about a millisecond where RSA 2048 takes tens of them, which a cluster's start would feel,
and every TLS stack since 2012 takes them. `cryptography` is imported by the functions that need it, as it costs 100 ms.
"""

import ipaddress
import os
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from proa.lib.dataclass import dataclass

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

CLOCK_SKEW = timedelta(minutes=5)
"""Certificates are valid from this long ago, so that a machine whose clock is a little behind accepts them."""
AUTHORITY_DAYS = 3650
LEAF_DAYS = 365
RENEWAL_FRACTION = 0.2
"""A certificate is renewed when less than this part of its life is left."""


@dataclass(frozen=True, slots=True)
class CertificateAuthority:
    """`certificate` and `private_key` are PEM."""

    certificate: bytes
    private_key: bytes

    @staticmethod
    def load_or_create(directory: Path, name: str) -> "CertificateAuthority":
        """The authority kept in `directory` as NAME.crt and NAME.key, made there if either is missing."""
        certificate, private_key = directory / f"{name}.crt", directory / f"{name}.key"
        if certificate.exists() and private_key.exists():
            return CertificateAuthority(certificate.read_bytes(), private_key.read_bytes())
        authority = create_authority(name)
        directory.mkdir(parents=True, exist_ok=True)
        write_file(private_key, authority.private_key)
        write_file(certificate, authority.certificate, mode=0o644)
        return authority

    def issue(
        self, common_name: str, organizations: Sequence[str] = (), dns_names: Sequence[str] = (), ip_addresses: Sequence[str] = (), *,
        server: bool = False, client: bool = False, days: float = LEAF_DAYS,
    ) -> tuple[bytes, bytes]:  # fmt: skip
        """(certificate, private key) as PEM, for TLS servers, clients or both."""
        from cryptography import x509
        from cryptography.x509.oid import ExtendedKeyUsageOID

        issuer = x509.load_pem_x509_certificate(self.certificate)
        key = _new_key()
        usages = [ExtendedKeyUsageOID.SERVER_AUTH] * server + [ExtendedKeyUsageOID.CLIENT_AUTH] * client
        builder = _builder(_subject(common_name, organizations), issuer.subject, key, days)
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        builder = builder.add_extension(_key_usage(signs_certificates=False), critical=True)
        if usages:
            builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        names = [x509.DNSName(name) for name in dns_names]
        addresses = [x509.IPAddress(ipaddress.ip_address(address)) for address in ip_addresses]
        if names or addresses:
            builder = builder.add_extension(x509.SubjectAlternativeName([*names, *addresses]), critical=False)
        identifier = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(
            issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
        )
        return _signed(builder.add_extension(identifier, critical=False), _load_key(self.private_key)), private_key_pem(key)


def create_authority(name: str, days: float = AUTHORITY_DAYS) -> CertificateAuthority:
    """A new self-signed authority, kept nowhere."""
    from cryptography import x509

    key = _new_key()
    subject = _subject(name, ())
    builder = _builder(subject, subject, key, days)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    builder = builder.add_extension(_key_usage(signs_certificates=True), critical=True)
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    return CertificateAuthority(_signed(builder, key), private_key_pem(key))


def load_or_create_private_key(path: Path) -> bytes:
    """The PEM of an ECDSA P-256 key kept at `path`, made there if missing."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_file(path, private_key_pem(_new_key()))
    return path.read_bytes()


def needs_renewal(certificate: bytes, now: datetime | None = None, fraction: float = RENEWAL_FRACTION) -> bool:
    """Whether less than `fraction` of a PEM certificate's life is left."""
    from cryptography import x509

    parsed = x509.load_pem_x509_certificate(certificate)
    start, end = parsed.not_valid_before_utc, parsed.not_valid_after_utc
    return (now or datetime.now(UTC)) > end - (end - start) * fraction


def write_file(path: Path, data: bytes, *, mode: int = 0o600) -> None:
    """Replace `path` as a whole: readers see the old content or the new, and a crash leaves one of them."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            os.fchmod(stream.fileno(), mode)
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def private_key_pem(key: "EllipticCurvePrivateKey") -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _new_key() -> "EllipticCurvePrivateKey":
    from cryptography.hazmat.primitives.asymmetric import ec

    return ec.generate_private_key(ec.SECP256R1())


def _load_key(pem: bytes) -> "EllipticCurvePrivateKey":
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    key = load_pem_private_key(pem, None)
    if not isinstance(key, EllipticCurvePrivateKey):
        raise ValueError("the authority's private key is not an elliptic curve key")
    return key


def _subject(common_name: str, organizations: Sequence[str]) -> "x509.Name":
    """Organizations are one multi-valued set, as kubeadm and Go's crypto/x509 write them."""
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    names = [x509.RelativeDistinguishedName([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])]
    if organizations:
        attributes = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, each) for each in dict.fromkeys(organizations)]
        names.insert(0, x509.RelativeDistinguishedName(attributes))
    return x509.Name(names)


def _builder(subject: "x509.Name", issuer: "x509.Name", key: "EllipticCurvePrivateKey", days: float) -> "x509.CertificateBuilder":
    from cryptography import x509

    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    return builder.not_valid_before(now - CLOCK_SKEW).not_valid_after(now + timedelta(days=days))


def _key_usage(*, signs_certificates: bool) -> "x509.KeyUsage":
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=True, key_cert_sign=signs_certificates, crl_sign=signs_certificates, content_commitment=False,
        key_encipherment=False, data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _signed(builder: "x509.CertificateBuilder", key: "EllipticCurvePrivateKey") -> bytes:
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import Encoding

    return builder.sign(key, SHA256()).public_bytes(Encoding.PEM)
