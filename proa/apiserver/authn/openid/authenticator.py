"""Tokens of one external issuer (OpenID Connect ID tokens): signature, issuer, audience and time first, then its rules about claims."""

from collections.abc import Sequence
from typing import Any

from proa.apiserver.authn.openid.claims import to_user
from proa.apiserver.authn.openid.configuration import JWTAuthenticatorConfig
from proa.apiserver.authn.openid.keys import ProviderKeys
from proa.apiserver.authn.token import Identified, InvalidToken
from proa.lib.clock import Clock
from proa.lib.json_web_token import split_token, unverified_issuer
from proa.lib.recently_used import RecentlyUsed

REMEMBERED_SECONDS = 10.0
"""As long as upstream's token cache: an expression may look at more than the token's own end."""


class JWTAuthenticator:
    def __init__(self, config: JWTAuthenticatorConfig, clock: Clock) -> None:
        self.config = config
        self._clock = clock
        self._keys = ProviderKeys(config.issuer, clock)
        self._remembered: RecentlyUsed[str, tuple[float, Identified]] = RecentlyUsed(4096)

    async def authenticate_token(self, token: str, audiences: Sequence[str]) -> Identified | None:
        if unverified_issuer(token) != self.config.issuer.url:
            return None
        now = self._clock.now().timestamp()
        remembered = self._remembered.get(token)
        if remembered is not None and now < remembered[0]:
            return remembered[1]
        claims = await self._verified_claims(token, now)
        found = Identified(to_user(self.config, claims))
        self._remembered.put(token, (min(now + REMEMBERED_SECONDS, float(claims["exp"])), found))
        return found

    async def _verified_claims(self, token: str, now: float) -> dict[str, Any]:
        parts = split_token(token)
        if parts is None:
            raise InvalidToken("oidc: verify token: oidc: malformed jwt")
        header, claims, signature, signed = parts
        check_claims(self.config, claims, now)
        algorithm = str(header.get("alg", ""))
        if algorithm not in self.config.algorithms:
            listed = " ".join(sorted(self.config.algorithms))
            raise InvalidToken(
                f'oidc: verify token: oidc: id token signed with unsupported algorithm, expected ["{listed}"] got "{algorithm}"'
            )
        verified = await self._keys.verified(algorithm, str(header.get("kid", "")), signature, signed)
        if verified is None:
            raise InvalidToken("oidc: authenticator not initialized")
        if not verified:
            raise InvalidToken("oidc: verify token: failed to verify signature: failed to verify id token signature")
        return claims


def check_claims(config: JWTAuthenticatorConfig, claims: dict[str, Any], now: float) -> None:
    """The claims that every token has; raises InvalidToken."""
    given = claims.get("aud") or []
    audiences = [given] if isinstance(given, str) else given
    wanted = config.issuer.audiences
    if not isinstance(audiences, list) or not any(each in wanted for each in audiences):
        got = f"[{' '.join(map(str, audiences))}]"
        if len(wanted) == 1:
            raise InvalidToken(f'oidc: verify token: oidc: expected audience "{wanted[0]}" got {got}')
        raise InvalidToken(f"oidc: expected audience in [{' '.join(wanted)}] got {got}")
    for claim in ("exp", "nbf"):
        if not isinstance(claims.get(claim, 0), int | float) or isinstance(claims.get(claim), bool):
            raise InvalidToken(f"oidc: verify token: oidc: failed to unmarshal claims: invalid {claim}")
    expires = float(claims.get("exp", 0))
    if expires < now:
        raise InvalidToken(f"oidc: verify token: oidc: token is expired (Token Expiry: {_moment(expires)})")
    if claims.get("nbf", 0) > now + NOT_BEFORE_LEEWAY:
        raise InvalidToken("oidc: verify token: oidc: current time before the nbf (not before) time")


NOT_BEFORE_LEEWAY = 300.0


def _moment(seconds: float) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S +0000 UTC")
