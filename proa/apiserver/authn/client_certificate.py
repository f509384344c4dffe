"""Who a client certificate stands for: its common name is the user, its organizations are the groups, and it may state a UID.

The TLS layer has checked the chain against every authority that a client may have; which of them it was is looked at here, once for each
certificate, and the dates each time, as a connection may outlive them.
"""

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from proa.api.errors import Unauthorized
from proa.apiserver.authn.default_group import with_group
from proa.apiserver.authn.service_account_claims import EXTRA
from proa.apiserver.interface import AUTHENTICATED_GROUP, User
from proa.lib.clock import Clock
from proa.lib.dataclass import dataclass
from proa.lib.http.message import Request
from proa.lib.recently_used import RecentlyUsed

if TYPE_CHECKING:
    from cryptography import x509


@dataclass(frozen=True, slots=True)
class CertificateIdentity:
    user: User | None
    """None for a certificate without a common name."""
    not_before: float
    not_after: float


STRANGER = CertificateIdentity(None, 0.0, 0.0)


UID_ATTRIBUTE = "1.3.6.1.4.1.57683.2"
"""Of a subject: the user's UID, at most once (KEP-4827)."""


class Authority:
    """Certificates of one bundle (PEM). Its file is read when the first certificate is judged."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._certificates: list[x509.Certificate] | None = None

    def vouches_for(self, certificate: "x509.Certificate") -> bool:
        """Whether one of the bundle's certificates has issued it, if need be by way of others of the bundle."""
        from cryptography import x509

        if self._certificates is None:
            self._certificates = x509.load_pem_x509_certificates(self._path.read_bytes())
        return any(certificate == each or _issued(certificate, each) for each in self._certificates)


def _issued(certificate: "x509.Certificate", issuer: "x509.Certificate") -> bool:
    from cryptography.exceptions import InvalidSignature

    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


class ClientCertificateAuthenticator:
    """`authority` is only needed where the TLS layer trusts another one as well (the front proxy's)."""

    def __init__(self, clock: Clock, authority: Authority | None = None) -> None:
        self._clock = clock
        self._authority = authority
        self._identities: RecentlyUsed[bytes, CertificateIdentity] = RecentlyUsed(4096)

    async def authenticate(self, request: Request) -> User | None:
        if request.certificate is None:
            return None
        if not self.vouches_for(request.certificate):
            raise Unauthorized
        return self.user(request.certificate)

    def vouches_for(self, der: bytes) -> bool:
        """Whether the certificate is of this authority."""
        return self._identity(der) is not STRANGER

    def user(self, der: bytes) -> User | None:
        """Raises Unauthorized for a certificate whose time is over or has not come."""
        identity = self._identity(der)
        if not identity.not_before <= self._clock.now().timestamp() <= identity.not_after:
            raise Unauthorized
        return identity.user

    def _identity(self, der: bytes) -> CertificateIdentity:
        # bytes remember their hash, and a connection hands out the same bytes each time: a look-up costs less than a microsecond.
        identity = self._identities.get(der)
        if identity is None:
            identity = read_identity(der, self._authority)
            self._identities.put(der, identity)
        return identity


def read_identity(der: bytes, authority: Authority | None = None) -> CertificateIdentity:
    """STRANGER for a certificate of another authority, or one that contradicts itself."""
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    certificate = x509.load_der_x509_certificate(der)
    if authority is not None and not authority.vouches_for(certificate):
        return STRANGER
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    organizations = certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    extra = {f"{EXTRA}credential-id": (f"X509SHA256={hashlib.sha256(der).hexdigest()}",)}
    groups = tuple(str(each.value) for each in organizations)
    uids = [str(each.value) for each in certificate.subject.get_attributes_for_oid(x509.ObjectIdentifier(UID_ATTRIBUTE))]
    if len(uids) > 1 or "" in uids:
        return STRANGER
    user = with_group(User(str(names[0].value), groups, "".join(uids), extra), AUTHENTICATED_GROUP) if names else None
    return CertificateIdentity(user, certificate.not_valid_before_utc.timestamp(), certificate.not_valid_after_utc.timestamp())
