"""Asks each authenticator in turn. The first that knows the caller wins; a wrong credential is an error only if no other is right; a
request without any credential is anonymous where that is allowed, and RBAC decides what that may see (system:public-info-viewer).

What has told who the caller is goes no further: no proxy hands on a token, and nobody behind one can be told lies by headers.
"""

from collections.abc import Callable, Sequence

from proa.api.errors import Unauthorized
from proa.apiserver.authn.anonymous import AnonymousAccess
from proa.apiserver.authn.default_group import with_group
from proa.apiserver.interface import AUTHENTICATED_GROUP, Authenticator, User
from proa.lib.http.message import Request

UNAUTHENTICATED_GROUP = "system:unauthenticated"
IDENTITY = "x-remote-"


class UnionAuthenticator:
    """Everyone but the anonymous is in system:authenticated."""

    def __init__(self, authenticators: Sequence[Authenticator], anonymous: Callable[[], AnonymousAccess] = AnonymousAccess) -> None:
        self._authenticators = authenticators
        self._anonymous = anonymous

    async def authenticate(self, request: Request) -> User:
        """Raises Unauthorized."""
        error: Unauthorized | None = None
        for authenticator in self._authenticators:
            try:
                user = await authenticator.authenticate(request)
            except Unauthorized as refused:
                error = error or refused
                continue
            if user is not None:
                strip_credentials(request)
                return _with_default_group(user)
        if error is not None:
            raise error
        return self._anonymous().admit(request)


def strip_credentials(request: Request) -> None:
    headers = request.headers
    headers.pop("authorization", None)
    for name in headers:
        if name.startswith(IDENTITY):
            break
    else:
        return
    for name in [name for name in headers if name.startswith(IDENTITY)]:
        del headers[name]


def _with_default_group(user: User) -> User:
    return user if UNAUTHENTICATED_GROUP in user.groups else with_group(user, AUTHENTICATED_GROUP)
