"""Lets a caller act as another (`kubectl --as`), if it may `impersonate` each thing that it claims to be: the user, each group, the UID and
each extra value. Source: Kubernetes' "User impersonation"; the headers are left out of what reaches the verbs.
"""

from collections.abc import Iterator
from urllib.parse import unquote

from proa.api.errors import BadRequest
from proa.apiserver.authn.service_account_claims import groups, split_user_name
from proa.apiserver.authz.denial import forbidden
from proa.apiserver.interface import ANONYMOUS, AUTHENTICATED_GROUP, Authorizer, RequestInfo, User
from proa.lib.http.message import Request

USER = "impersonate-user"
GROUP = "impersonate-group"
UID = "impersonate-uid"
EXTRA = "impersonate-extra-"
AUTHENTICATION_GROUP = "authentication.k8s.io"
UNAUTHENTICATED = "system:unauthenticated"


async def impersonate(request: Request, user: User, authorizer: Authorizer) -> User:
    """The user to act as: the caller itself without impersonation headers. Raises BadRequest, Forbidden."""
    target = requested_user(request)
    if target is None:
        return user
    for info in required_permissions(target):
        decision = await authorizer.authorize(user, info)
        if not decision.allowed:
            raise forbidden(user, info, decision.reason)
    return complete(target)


def requested_user(request: Request) -> User | None:
    """Exactly what the headers say."""
    headers = request.headers
    extra = {unquote(name.removeprefix(EXTRA)): _values(value) for name, value in headers.items() if name.startswith(EXTRA)}
    name, asked, uid = headers.get(USER, ""), _values(headers.get(GROUP, "")), headers.get(UID, "")
    if not name:
        if asked or extra or uid:
            raise BadRequest(f"requested {_described(asked, extra, uid)} without impersonating a user")
        return None
    return User(name, asked, uid, extra)


def required_permissions(target: User) -> Iterator[RequestInfo]:
    account = split_user_name(target.name)
    if account:
        yield _permission("serviceaccounts", account[1], namespace=account[0])
    else:
        yield _permission("users", target.name)
    for group in target.groups:
        yield _permission("groups", group)
    if target.uid:
        yield _permission("uids", target.uid, AUTHENTICATION_GROUP)
    for key, values in target.extra.items():
        for value in values:
            yield _permission("userextras", value, AUTHENTICATION_GROUP, subresource=key)


def complete(target: User) -> User:
    """With the groups that such a user would have had if it had logged in itself."""
    own = target.groups
    account = split_user_name(target.name)
    if account and not own:
        own = groups(account[0])
    implied = UNAUTHENTICATED if target.name == ANONYMOUS.name else AUTHENTICATED_GROUP
    if implied not in own and not {AUTHENTICATED_GROUP, UNAUTHENTICATED} & set(own):
        own = (*own, implied)
    return User(target.name, own, target.uid, target.extra)


def _permission(resource: str, name: str, group: str = "", *, namespace: str = "", subresource: str = "") -> RequestInfo:
    version = "v1" if group or resource == "serviceaccounts" else ""
    return RequestInfo("impersonate", "", True, group, version, resource, subresource, namespace, name)


def _values(header: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in header.split(",") if part.strip())


def _described(asked: tuple[str, ...], extra: dict[str, tuple[str, ...]], uid: str) -> str:
    return " and ".join(word for word, given in (("groups", asked), ("extra", extra), ("uid", uid)) if given)
