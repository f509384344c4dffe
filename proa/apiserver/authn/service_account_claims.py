"""What a service-account token says: the account, what the token is bound to, for whom and how long. Source: KEP-1205, KEP-4193.

Only names and UIDs travel, so whoever reads a token must look each of them up again: deleting the pod revokes its token.
"""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from proa.apiserver.interface import User
from proa.lib.dataclass import dataclass

PRIVATE_CLAIM = "kubernetes.io"
USER_PREFIX = "system:serviceaccount:"
ALL_GROUP = "system:serviceaccounts"
EXTRA = "authentication.kubernetes.io/"

BOUND_TOKEN_SECONDS = 3607
"""What ServiceAccount admission asks for. The odd number is the mark by which such a token is told apart and given a year instead, for
clients that never read the file again; `warnafter` keeps the hour."""
EXTENDED_SECONDS = 365 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Reference:
    """An object by name and UID; no UID for the node of a pod whose Node object is gone."""

    name: str
    uid: str = ""


@dataclass(frozen=True, slots=True)
class TokenClaims:
    namespace: str
    service_account: Reference
    bound: Mapping[str, Reference]
    """By claim name: pod, node, secret."""
    audiences: tuple[str, ...]
    not_before: float
    expires: float
    token_id: str = ""


def user_name(namespace: str, name: str) -> str:
    return f"{USER_PREFIX}{namespace}:{name}"


def split_user_name(user: str) -> tuple[str, str] | None:
    """(namespace, name) of a service account's user name."""
    parts = user.removeprefix(USER_PREFIX).split(":")
    return (parts[0], parts[1]) if user.startswith(USER_PREFIX) and len(parts) == 2 and all(parts) else None


def groups(namespace: str) -> tuple[str, ...]:
    return ALL_GROUP, f"{ALL_GROUP}:{namespace}"


def build_claims(
    issuer: str, namespace: str, account: Reference, bound: Mapping[str, Reference], audiences: Sequence[str], now: int, seconds: int, *,
    extend: bool,
) -> dict[str, Any]:  # fmt: skip
    """The payload of a new token. `extend` gives it a year while `warnafter` keeps what was asked for."""
    private: dict[str, Any] = {"namespace": namespace, "serviceaccount": _claim(account)}
    private |= {kind: _claim(reference) for kind, reference in bound.items()}
    if extend:
        private["warnafter"] = now + seconds
    return {
        "aud": list(audiences),
        "exp": now + (EXTENDED_SECONDS if extend else seconds),
        "iat": now,
        "iss": issuer,
        "jti": str(uuid.uuid4()),
        PRIVATE_CLAIM: dict(sorted(private.items())),
        "nbf": now,
        "sub": user_name(namespace, account.name),
    }


def read_claims(payload: Mapping[str, Any]) -> TokenClaims | None:
    """The claims of a verified payload; None if it is not a service account's or contradicts itself."""
    try:
        private = payload[PRIVATE_CLAIM]
        account = Reference(private["serviceaccount"]["name"], private["serviceaccount"]["uid"])
        bound = {
            kind: Reference(private[kind]["name"], private[kind].get("uid", "")) for kind in ("pod", "node", "secret") if kind in private
        }
        audience = payload.get("aud") or ()
        audiences = (audience,) if isinstance(audience, str) else tuple(audience)
        claims = TokenClaims(
            str(private["namespace"]),
            account,
            bound,
            audiences,
            float(payload.get("nbf", 0)),
            float(payload["exp"]),
            payload.get("jti", ""),
        )
    except (LookupError, TypeError, ValueError, AttributeError):
        return None
    return claims if payload.get("sub") == user_name(claims.namespace, account.name) else None


def to_user(claims: TokenClaims) -> User:
    """The caller that a valid token stands for."""
    extra = {f"{EXTRA}credential-id": (f"JTI={claims.token_id}",)} if claims.token_id else {}
    for kind in ("node", "pod"):
        reference = claims.bound.get(kind)
        if reference:
            extra[f"{EXTRA}{kind}-name"] = (reference.name,)
            if reference.uid:
                extra[f"{EXTRA}{kind}-uid"] = (reference.uid,)
    account = claims.service_account
    return User(user_name(claims.namespace, account.name), groups(claims.namespace), account.uid, extra)


def _claim(reference: Reference) -> dict[str, str]:
    return {"name": reference.name, "uid": reference.uid} if reference.uid else {"name": reference.name}
