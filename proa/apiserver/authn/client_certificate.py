"""Who a client certificate stands for: its common name is the user, its organizations are the groups.

The TLS layer has checked the chain against the client authority; here only its dates are looked at again, as a connection may outlive them.
"""

import hashlib
from dataclasses import dataclass

from proa.api.errors import Unauthorized
from proa.apiserver.authn.default_group import with_group
from proa.apiserver.authn.service_account_claims import EXTRA
from proa.apiserver.interface import AUTHENTICATED_GROUP, User
from proa.lib.clock import Clock
from proa.lib.http.message import Request
from proa.lib.recently_used import RecentlyUsed


@dataclass(frozen=True, slots=True)
class CertificateIdentity:
    user: User | None
    """None for a certificate without a common name."""
    not_before: float
    not_after: float


class ClientCertificateAuthenticator:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._identities: RecentlyUsed[bytes, CertificateIdentity] = RecentlyUsed(4096)

    async def authenticate(self, request: Request) -> User | None:
        if request.certificate is None:
            return None
        # bytes remember their hash, and a connection hands out the same bytes each time: a look-up costs less than a microsecond.
        identity = self._identities.get(request.certificate)
        if identity is None:
            identity = read_identity(request.certificate)
            self._identities.put(request.certificate, identity)
        if not identity.not_before <= self._clock.now().timestamp() <= identity.not_after:
            raise Unauthorized
        return identity.user


def read_identity(der: bytes) -> CertificateIdentity:
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    certificate = x509.load_der_x509_certificate(der)
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    organizations = certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    extra = {f"{EXTRA}credential-id": (f"X509SHA256={hashlib.sha256(der).hexdigest()}",)}
    groups = tuple(str(each.value) for each in organizations)
    user = with_group(User(str(names[0].value), groups, extra=extra), AUTHENTICATED_GROUP) if names else None
    return CertificateIdentity(user, certificate.not_valid_before_utc.timestamp(), certificate.not_valid_after_utc.timestamp())
