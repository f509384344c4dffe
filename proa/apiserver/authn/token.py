"""Bearer tokens whoever reads them: the seam between the request that carries a token and the kinds of tokens.

Each kind is asked in turn. None means "not one of mine"; `InvalidToken` says why one that could have been is not good. The client only
ever sees "Unauthorized"; a TokenReview tells the reason.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from proa.api.errors import Unauthorized
from proa.apiserver.authn.default_group import with_group
from proa.apiserver.interface import AUTHENTICATED_GROUP, User


class InvalidToken(Unauthorized):
    def __init__(self, why: str) -> None:
        super().__init__()
        self.why = why


@dataclass(frozen=True, slots=True)
class Identified:
    """`audiences` are those asked for that the token is good for; empty if its kind knows of none."""

    user: User
    audiences: tuple[str, ...] = ()


class TokenAuthenticator(Protocol):
    async def authenticate_token(self, token: str, audiences: Sequence[str]) -> Identified | None:
        """Raises InvalidToken."""
        ...


class AudienceAgnostic:
    """A kind of token that names no audience: it is meant for this API server, and for nobody else."""

    def __init__(self, inner: TokenAuthenticator, own: Sequence[str]) -> None:
        self._inner = inner
        self._own = frozenset(own)

    async def authenticate_token(self, token: str, audiences: Sequence[str]) -> Identified | None:
        common = tuple(each for each in audiences if each in self._own)
        if not common and audiences:
            return None
        found = await self._inner.authenticate_token(token, audiences)
        return replace(found, audiences=common) if found else None


class TokenUnion:
    def __init__(self, authenticators: Sequence[TokenAuthenticator]) -> None:
        self._authenticators = authenticators

    async def authenticate_token(self, token: str, audiences: Sequence[str]) -> Identified:
        """Raises InvalidToken with every reason; whoever is found is in system:authenticated."""
        reasons: dict[str, None] = {}
        for authenticator in self._authenticators:
            try:
                found = await authenticator.authenticate_token(token, audiences)
            except InvalidToken as refused:
                reasons[refused.why] = None
                continue
            if found is not None:
                return replace(found, user=with_group(found.user, AUTHENTICATED_GROUP))
        raise InvalidToken(aggregate(list(reasons)) or "invalid bearer token")


def aggregate(reasons: Sequence[str]) -> str:
    """Several errors in one, as upstream prints them."""
    return reasons[0] if len(reasons) == 1 else f"[{', '.join(reasons)}]" if reasons else ""
