"""Asks each authenticator in turn. The first that knows the caller wins; a wrong credential is an error only if no other is right; a
request without any credential is anonymous, and RBAC decides what that may see (system:public-info-viewer: health and version).
"""

from collections.abc import Sequence

from proa.api.errors import Unauthorized
from proa.apiserver.authn.default_group import with_group
from proa.apiserver.interface import ANONYMOUS, AUTHENTICATED_GROUP, Authenticator, User
from proa.lib.http.message import Request

UNAUTHENTICATED_GROUP = "system:unauthenticated"


class UnionAuthenticator:
    """Everyone but the anonymous is in system:authenticated."""

    def __init__(self, authenticators: Sequence[Authenticator]) -> None:
        self._authenticators = authenticators

    async def authenticate(self, request: Request) -> User | None:
        error: Unauthorized | None = None
        for authenticator in self._authenticators:
            try:
                user = await authenticator.authenticate(request)
            except Unauthorized as refused:
                error = error or refused
                continue
            if user is not None:
                return _with_default_group(user)
        if error is not None:
            raise error
        return ANONYMOUS


def _with_default_group(user: User) -> User:
    return user if UNAUTHENTICATED_GROUP in user.groups else with_group(user, AUTHENTICATED_GROUP)
