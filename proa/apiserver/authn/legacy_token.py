"""Service-account tokens that lie in Secrets of type kubernetes.io/service-account-token: they name neither an audience nor an end, and
are good while the Secret holds just this token and the account is the same. Source: Kubernetes' "Managing Service Accounts", KEP-2799.

The day of a token's last use is written to its Secret's label, at most once a day, so that the cleaner can tell what nobody needs.
"""

import base64
import logging
from collections.abc import Callable, Sequence
from typing import Any

from proa.api import meta
from proa.api.legacy_token import CLAIM, INVALID_SINCE, ISSUER, LAST_USED
from proa.api.meta import Object
from proa.apiserver.authn.service_account_claims import groups, user_name
from proa.apiserver.authn.service_account_token import BROKEN_SIGNATURE
from proa.apiserver.authn.token import Identified, InvalidToken
from proa.apiserver.interface import ObjectReader, User
from proa.lib.clock import Clock
from proa.lib.dataclass import dataclass
from proa.lib.json_web_token import SigningKey, unverified_issuer
from proa.lib.recently_used import RecentlyUsed

INVALIDATED = "Token has been invalidated"
log = logging.getLogger(__name__)

MarkUsed = Callable[[str, str, str], None]
"""Namespace and name of a Secret, and the day (YYYY-MM-DD) on which it was used."""


@dataclass(frozen=True, slots=True)
class LegacyClaims:
    namespace: str
    account: str
    account_uid: str
    secret: str


def read_claims(payload: dict[str, Any]) -> LegacyClaims:
    """Raises InvalidToken."""
    names = {"namespace": "namespace", "secret.name": "secretName", "service-account.name": "serviceAccountName",
             "service-account.uid": "serviceAccountUID"}  # fmt: skip
    if not payload.get("sub"):
        raise InvalidToken("sub claim is missing")
    for claim, title in names.items():
        if not payload.get(CLAIM + claim):
            raise InvalidToken(f"{title} claim is missing")
    namespace, secret, account, uid = (str(payload[CLAIM + claim]) for claim in names)
    if payload["sub"] != user_name(namespace, account):
        raise InvalidToken("sub claim is invalid")
    return LegacyClaims(namespace, account, uid, secret)


class LegacyTokenAuthenticator:
    def __init__(self, key: SigningKey, own: Sequence[str], reader: ObjectReader, clock: Clock, mark_used: MarkUsed) -> None:
        self._key = key
        self._own = frozenset(own)
        self._reader = reader
        self._clock = clock
        self._mark_used = mark_used
        self._verified: RecentlyUsed[str, LegacyClaims] = RecentlyUsed(1024)

    async def authenticate_token(self, token: str, audiences: Sequence[str]) -> Identified | None:
        claims = self._verified.get(token) or self._verify(token)
        if claims is None:
            return None
        common = tuple(each for each in audiences if each in self._own)
        if not common:
            raise InvalidToken("legacy service account tokens are only good for the API server's own audiences")
        secret = self._secret(claims, token)
        self._check_account(claims)
        if meta.labels(secret).get(INVALID_SINCE):
            raise InvalidToken(
                f"the token in secret {claims.namespace}/{claims.secret} for service account {claims.namespace}/{claims.account} has been "
                "marked invalid. Use tokens from the TokenRequest API or manually created secret-based tokens, or remove the "
                f"'{INVALID_SINCE}' label from the secret to temporarily allow use of this token"
            )
        self._note_use(secret)
        return Identified(User(user_name(claims.namespace, claims.account), groups(claims.namespace), claims.account_uid), common)

    def _verify(self, token: str) -> LegacyClaims | None:
        if unverified_issuer(token) != ISSUER:
            return None
        payload = self._key.decode(token)
        if payload is None:
            raise InvalidToken(BROKEN_SIGNATURE)
        claims = read_claims(payload)
        self._verified.put(token, claims)
        return claims

    def _secret(self, claims: LegacyClaims, token: str) -> Object:
        secret = self._reader.get("", "secrets", claims.secret, claims.namespace)
        if secret is None or meta.is_terminating(secret):
            raise InvalidToken(INVALIDATED)
        if base64.b64decode((secret.get("data") or {}).get("token", "")) != token.encode():
            raise InvalidToken("Token does not match server's copy")
        return secret

    def _check_account(self, claims: LegacyClaims) -> None:
        account = self._reader.get("", "serviceaccounts", claims.account, claims.namespace)
        if account is None:
            raise InvalidToken(f'serviceaccounts "{claims.account}" not found')
        if meta.is_terminating(account):
            raise InvalidToken(f"ServiceAccount {claims.namespace}/{claims.account} has been deleted")
        if meta.uid(account) != claims.account_uid:
            raise InvalidToken(f"ServiceAccount UID ({meta.uid(account)}) does not match claim ({claims.account_uid})")

    def _note_use(self, secret: Object) -> None:
        today = self._clock.now().date().isoformat()
        if meta.labels(secret).get(LAST_USED) != today:
            self._mark_used(meta.namespace(secret), meta.name(secret), today)
