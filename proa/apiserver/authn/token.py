"""Bearer tokens whoever reads them: the seam between the request that carries a token and the kinds of tokens.

Each kind is asked in turn. None means "not one of mine"; `InvalidToken` says why one that could have been is not good. The client only
ever sees "Unauthorized"; a TokenReview tells the reason.
"""

import contextlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from proa.api.errors import Unauthorized
from proa.apiserver.authn.default_group import with_group
from proa.apiserver.interface import AUTHENTICATED_GROUP, User
from proa.lib.dataclass import dataclass
from proa.lib.recently_used import RecentlyUsed


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
    """Remembers of which kind a token was, as a client comes with the same one again and again."""

    def __init__(self, authenticators: Sequence[TokenAuthenticator]) -> None:
        self._authenticators = authenticators
        self._kinds: RecentlyUsed[str, TokenAuthenticator] = RecentlyUsed(8192)

    async def authenticate_token(self, token: str, audiences: Sequence[str]) -> Identified:
        """Raises InvalidToken with every reason; whoever is found is in system:authenticated."""
        kind = self._kinds.get(token)
        if kind is not None:
            with contextlib.suppress(InvalidToken):
                if (found := await kind.authenticate_token(token, audiences)) is not None:
                    return _authenticated(found)
        return await self._ask_all(token, audiences)

    async def _ask_all(self, token: str, audiences: Sequence[str]) -> Identified:
        reasons: dict[str, None] = {}
        for authenticator in self._authenticators:
            try:
                found = await authenticator.authenticate_token(token, audiences)
            except InvalidToken as refused:
                reasons[refused.why] = None
                continue
            if found is not None:
                self._kinds.put(token, authenticator)
                return _authenticated(found)
        raise InvalidToken(aggregate(list(reasons)) or "invalid bearer token")


def _authenticated(found: Identified) -> Identified:
    user = with_group(found.user, AUTHENTICATED_GROUP)
    return found if user is found.user else replace(found, user=user)


def aggregate(reasons: Sequence[str]) -> str:
    """Several errors in one, as upstream prints them."""
    return reasons[0] if len(reasons) == 1 else f"[{', '.join(reasons)}]" if reasons else ""
