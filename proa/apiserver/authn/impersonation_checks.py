"""The rights that acting as a user takes: to its name, its UID, each of its groups and each of its extra values, in this order.

`verb` is `impersonate`, or `impersonate:MODE` of constrained impersonation (KEP-5284), which is stricter: its resources are all of
authentication.k8s.io, nobody becomes system:masters by it, and one check for `*` may stand for many.
"""

from collections.abc import Mapping
from dataclasses import replace

from proa.api.names import dns1123_subdomain
from proa.apiserver.authn.service_account_claims import groups as account_groups
from proa.apiserver.authn.service_account_claims import split_user_name
from proa.apiserver.authz.denial import forbidden
from proa.apiserver.interface import ANONYMOUS, AUTHENTICATED_GROUP, MASTERS_GROUP, Authorizer, RequestInfo, User

LEGACY = "impersonate"
GROUP = "authentication.k8s.io"
UNAUTHENTICATED = "system:unauthenticated"
NODES_GROUP = "system:nodes"
MANY = 4
"""From so many on, one check for all is worth a try."""


async def check(authorizer: Authorizer, user: User, info: RequestInfo) -> None:
    """Raises Forbidden."""
    decision = await authorizer.authorize(user, info)
    if not decision.allowed:
        raise forbidden(user, info, decision.reason)


async def authorize_user(authorizer: Authorizer, user: User, wanted: User, verb: str, *, node: str = "") -> User:
    """`wanted` with the groups that it would have had if it had logged in itself; raises Forbidden. `node` is the name to ask for."""
    await check(authorizer, user, name_attributes(wanted.name, verb, node))
    if wanted.uid:
        await check(authorizer, user, _attributes(verb, "uids", wanted.uid, GROUP))
    await _check_groups(authorizer, user, wanted.groups, verb)
    await _check_extra(authorizer, user, wanted.extra, verb)
    account = split_user_name(wanted.name)
    implied = (NODES_GROUP,) if node else account_groups(account[0]) if account and not wanted.groups else ()
    return complete(replace(wanted, groups=wanted.groups or implied))


def complete(user: User) -> User:
    if user.name == ANONYMOUS.name:
        return user if UNAUTHENTICATED in user.groups else replace(user, groups=(*user.groups, UNAUTHENTICATED))
    known = AUTHENTICATED_GROUP in user.groups or UNAUTHENTICATED in user.groups
    return user if known else replace(user, groups=(*user.groups, AUTHENTICATED_GROUP))


def name_attributes(name: str, verb: str, node: str) -> RequestInfo:
    group = "" if verb == LEGACY else GROUP
    account = split_user_name(name)
    if node:
        return _attributes(verb, "nodes", node, group)
    if account:
        return replace(_attributes(verb, "serviceaccounts", account[1], group), namespace=account[0])
    return _attributes(verb, "users", name, group)


async def _check_groups(authorizer: Authorizer, user: User, groups: tuple[str, ...], verb: str) -> None:
    info = _attributes(verb, "groups", "", "" if verb == LEGACY else GROUP)
    if verb != LEGACY and groups:
        if "" in groups:
            raise forbidden(user, info, "impersonating the empty string group is not allowed")
        if MASTERS_GROUP in groups:
            raise forbidden(user, replace(info, name=MASTERS_GROUP), f"impersonating the {MASTERS_GROUP} group is not allowed")
        if len(groups) >= MANY and (await authorizer.authorize(user, replace(info, name="*"))).allowed:
            return
    for group in groups:
        await check(authorizer, user, replace(info, name=group))


async def _check_extra(authorizer: Authorizer, user: User, extra: Mapping[str, tuple[str, ...]], verb: str) -> None:
    info = _attributes(verb, "userextras", "", GROUP)
    if verb != LEGACY and extra:
        if problem := extra_problem(extra):
            raise forbidden(user, info, problem)
        many = max(len(extra), sum(map(len, extra.values()))) >= MANY
        if many and (await authorizer.authorize(user, replace(info, subresource="*", name="*"))).allowed:
            return
    for key, values in extra.items():
        for value in values:
            await check(authorizer, user, replace(info, subresource=key, name=value))


def extra_problem(extra: Mapping[str, tuple[str, ...]]) -> str:
    for key, values in extra.items():
        domain, slash, path = key.partition("/")
        if not key:
            return "impersonating the empty string key in extra is not allowed"
        if not slash or not path or dns1123_subdomain(domain):
            wrong = 'must be a domain-prefixed path (such as "acme.io/foo")'
            return f'impersonating an invalid key in extra is not allowed: extra.key: Invalid value: "{key}": {wrong}'
        if key != key.lower():
            return f'impersonating a non-lowercase key in extra is not allowed: "{key}"'
        if not values:
            return "impersonating empty values in extra is not allowed"
        if "" in values:
            return "impersonating the empty string value in extra is not allowed"
    return ""


def _attributes(verb: str, resource: str, name: str, group: str) -> RequestInfo:
    return RequestInfo(verb, "", True, group, "v1", resource, "", "", name)
