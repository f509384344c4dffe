"""Who a bound service-account token stands for, while everything that it is bound to still exists with the same UID.

Verified signatures are remembered; times and bound objects are looked at for every request: a deleted pod's token is refused at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from proa.api import meta
from proa.api.errors import Unauthorized
from proa.api.meta import Object
from proa.apiserver.authn.default_group import with_group
from proa.apiserver.authn.json_web_token import SigningKey, decode_base64, unverified_issuer
from proa.apiserver.authn.service_account_claims import Reference, TokenClaims, read_claims, to_user
from proa.apiserver.interface import AUTHENTICATED_GROUP, ObjectReader, User
from proa.lib.clock import Clock, parse_time
from proa.lib.http.message import Request
from proa.lib.recently_used import RecentlyUsed

LEEWAY_SECONDS = 60.0
"""How far clocks may differ, and how long a terminating object's token still works, so that its last requests get through."""
BEARER = "bearer "
WEBSOCKET_PREFIX = "base64url.bearer.authorization.k8s.io."


@dataclass(frozen=True, slots=True)
class Verified:
    claims: TokenClaims
    user: User


class ServiceAccountTokenAuthenticator:
    """`audiences` are those of this API server: a token made for someone else is wrong here."""

    def __init__(self, key: SigningKey, issuer: str, audiences: Sequence[str], reader: ObjectReader, clock: Clock) -> None:
        self._key = key
        self._issuer = issuer
        self._audiences = tuple(audiences)
        self._reader = reader
        self._clock = clock
        self._verified: RecentlyUsed[str, Verified] = RecentlyUsed(8192)

    async def authenticate(self, request: Request) -> User | None:
        token = bearer_token(request)
        if not token:
            return None
        found = self.authenticate_token(token, self._audiences)
        if found is None:
            raise Unauthorized
        return found[0]

    def authenticate_token(self, token: str, audiences: Sequence[str] = ()) -> tuple[User, tuple[str, ...]] | None:
        """The user and the audiences in common with `audiences` (this server's, if none are given); None for a token that is not valid."""
        verified = self._verified.get(token) or self._verify(token)
        if verified is None or not self._is_valid(verified.claims):
            return None
        common = tuple(each for each in audiences or self._audiences if each in verified.claims.audiences)
        return (verified.user, common) if common else None

    def _verify(self, token: str) -> Verified | None:
        payload = self._key.decode(token) if unverified_issuer(token) == self._issuer else None
        claims = read_claims(payload) if payload else None
        if claims is None:
            return None
        verified = Verified(claims, with_group(to_user(claims), AUTHENTICATED_GROUP))
        self._verified.put(token, verified)
        return verified

    def _is_valid(self, claims: TokenClaims) -> bool:
        now = self._clock.now().timestamp()
        if not claims.not_before - LEEWAY_SECONDS <= now <= claims.expires + LEEWAY_SECONDS:
            return False
        if not self._exists("serviceaccounts", claims.service_account, claims.namespace, now):
            return False
        bound = claims.bound
        # The node of a pod-bound token is told, not checked: the pod's existence vouches for it.
        if "pod" in bound:
            return self._exists("pods", bound["pod"], claims.namespace, now)
        if "secret" in bound:
            return self._exists("secrets", bound["secret"], claims.namespace, now)
        return "node" not in bound or self._exists("nodes", bound["node"], "", now)

    def _exists(self, plural: str, reference: Reference, namespace: str, now: float) -> bool:
        found = self._reader.get("", plural, reference.name, namespace)
        return found is not None and meta.uid(found) == reference.uid and not _is_long_gone(found, now)


def _is_long_gone(obj: Object, now: float) -> bool:
    deleted = obj["metadata"].get("deletionTimestamp")
    return bool(deleted) and parse_time(deleted).timestamp() < now - LEEWAY_SECONDS


def bearer_token(request: Request) -> str:
    """The token of the Authorization header, or of a WebSocket's subprotocol (browsers can't set headers there)."""
    header = request.headers.get("authorization", "")
    if header[: len(BEARER)].lower() == BEARER:
        return header[len(BEARER) :].strip()
    return _websocket_token(request)


def _websocket_token(request: Request) -> str:
    protocols = request.headers.get("sec-websocket-protocol", "")
    if WEBSOCKET_PREFIX not in protocols:
        return ""
    token = next(each.strip() for each in protocols.split(",") if each.strip().startswith(WEBSOCKET_PREFIX))
    try:
        return decode_base64(token.removeprefix(WEBSOCKET_PREFIX)).decode()
    except ValueError:
        raise Unauthorized from None
