"""Who a service-account token stands for, while everything that it is bound to still exists with the same UID.

Verified signatures are remembered; times and bound objects are looked at for every request: a deleted pod's token is refused at once.
"""

import json
from collections.abc import Sequence

from proa.api import meta
from proa.api.meta import Object
from proa.apiserver.authn.default_group import with_group
from proa.apiserver.authn.service_account_claims import Reference, TokenClaims, read_claims, to_user
from proa.apiserver.authn.token import Identified, InvalidToken
from proa.apiserver.interface import AUTHENTICATED_GROUP, ObjectReader, User
from proa.lib.clock import Clock, parse_time
from proa.lib.dataclass import dataclass
from proa.lib.json_web_token import SigningKey, unverified_issuer
from proa.lib.recently_used import RecentlyUsed

LEEWAY_SECONDS = 60.0
"""How far clocks may differ, and how long a terminating object's token still works, so that its last requests get through."""
INVALIDATED = "service account token has been invalidated"
BROKEN_SIGNATURE = "go-jose/go-jose: error in cryptographic primitive"


@dataclass(frozen=True, slots=True)
class Verified:
    claims: TokenClaims
    user: User


class ServiceAccountTokenAuthenticator:
    """`issuers` are all whose tokens count; `own` are the audiences of this API server, which a token without any is for."""

    def __init__(self, key: SigningKey, issuers: Sequence[str], own: Sequence[str], reader: ObjectReader, clock: Clock) -> None:
        self._key = key
        self._issuers = frozenset(issuers)
        self._own = tuple(own)
        self._reader = reader
        self._clock = clock
        self._verified: RecentlyUsed[str, Verified] = RecentlyUsed(8192)

    async def authenticate_token(self, token: str, audiences: Sequence[str]) -> Identified | None:
        verified = self._verified.get(token) or self._verify(token)
        if verified is None:
            return None
        claims = verified.claims
        common = tuple(each for each in audiences if each in (claims.audiences or self._own))
        if not common:
            given, asked = quoted(claims.audiences or self._own), quoted(audiences)
            raise InvalidToken(f"token audiences {given} is invalid for the target audiences {asked}")
        self._check(claims)
        return Identified(verified.user, common)

    def _verify(self, token: str) -> Verified | None:
        if unverified_issuer(token) not in self._issuers:
            return None
        payload = self._key.decode(token)
        if payload is None:
            raise InvalidToken(BROKEN_SIGNATURE)
        claims = read_claims(payload)
        if claims is None:
            raise InvalidToken("service account token claims could not be validated due to unexpected private claim")
        verified = Verified(claims, with_group(to_user(claims), AUTHENTICATED_GROUP))
        self._verified.put(token, verified)
        return verified

    def _check(self, claims: TokenClaims) -> None:
        now = self._clock.now().timestamp()
        if now > claims.expires + LEEWAY_SECONDS:
            raise InvalidToken("service account token has expired")
        if now < claims.not_before - LEEWAY_SECONDS:
            raise InvalidToken("service account token is not valid yet")
        self._check_account(claims, now)
        self._check_bound("secrets", "secret", claims.bound.get("secret"), claims.namespace, now)
        self._check_bound("pods", "pod", claims.bound.get("pod"), claims.namespace, now)
        # The node of a pod-bound token is told, not checked: the pod's existence vouches for it.
        if "pod" not in claims.bound:
            self._check_bound("nodes", "node", claims.bound.get("node"), "", now)

    def _check_account(self, claims: TokenClaims, now: float) -> None:
        reference = claims.service_account
        account = self._reader.get("", "serviceaccounts", reference.name, claims.namespace)
        if account is None:
            raise InvalidToken(f'serviceaccounts "{reference.name}" not found')
        if is_long_gone(account, now):
            raise InvalidToken(f"service account {claims.namespace}/{reference.name} has been deleted")
        if meta.uid(account) != reference.uid:
            raise InvalidToken(f"service account UID ({meta.uid(account)}) does not match claim ({reference.uid})")

    def _check_bound(self, plural: str, kind: str, reference: Reference | None, namespace: str, now: float) -> None:
        if reference is None:
            return
        found = self._reader.get("", plural, reference.name, namespace)
        if found is None or is_long_gone(found, now):
            raise InvalidToken(INVALIDATED)
        if meta.uid(found) != reference.uid:
            raise InvalidToken(f"{kind} UID ({meta.uid(found)}) does not match service account {kind} ref claim ({reference.uid})")


def quoted(names: Sequence[str]) -> str:
    return f"[{' '.join(json.dumps(name) for name in names)}]"


def is_long_gone(obj: Object, now: float) -> bool:
    deleted = obj["metadata"].get("deletionTimestamp")
    return bool(deleted) and parse_time(deleted).timestamp() < now - LEEWAY_SECONDS
