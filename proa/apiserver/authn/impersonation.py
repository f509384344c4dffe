"""Lets a caller act as another (`kubectl --as`): what the headers ask for, and the checks that must pass before it.

Constrained impersonation (KEP-5284, on from v1.36) asks for narrower rights first: what may be done (`impersonate-on:MODE:VERB` on the
request itself) and as whom (`impersonate:MODE`). Whoever has none of them may still have the one right of old, `impersonate`. If nothing
allows it, the first refusal is the answer. The headers are left out of what reaches the verbs.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from urllib.parse import unquote

from proa.api.errors import BadRequest, Forbidden
from proa.api.names import dns1123_subdomain
from proa.apiserver.authn.impersonation_checks import authorize_user, check
from proa.apiserver.authn.service_account_claims import EXTRA as EXTRA_KEYS
from proa.apiserver.authn.service_account_claims import split_user_name
from proa.apiserver.interface import Authorizer, RequestInfo, User
from proa.lib.http.message import Request

PREFIX = "impersonate-"
USER, GROUP, UID, EXTRA = "impersonate-user", "impersonate-group", "impersonate-uid", "impersonate-extra-"
NODE_USER = "system:node:"
NODE_NAME_KEY = f"{EXTRA_KEYS}node-name"

Mode = Callable[[Authorizer, User, User, RequestInfo], Awaitable[User | None]]
"""(authorizer, caller, wanted user, request): the user to act as, None where the mode does not apply; raises Forbidden."""


async def impersonate(request: Request, user: User, info: RequestInfo, authorizer: Authorizer, *, constrained: bool = True) -> User:
    """The user to act as: the caller itself without impersonation headers. Raises BadRequest, Forbidden."""
    wanted = requested_user(request)
    if wanted is None:
        return user
    strip(request)
    refused: Forbidden | None = None
    for mode in (*CONSTRAINED, legacy) if constrained else (legacy,):
        try:
            found = await mode(authorizer, user, wanted, info)
        except Forbidden as error:
            refused = refused or error
            continue
        if found is not None:
            return found
    assert refused is not None
    raise refused


def requested_user(request: Request) -> User | None:
    """Exactly what the headers say; raises BadRequest for a part of a user without its name."""
    headers = request.headers
    groups = tuple(request.values(GROUP))
    extra = {
        unquote(name.removeprefix(EXTRA)): tuple(request.values(name)) for name in headers if name.startswith(EXTRA)
    }  # fmt: skip
    name, uid = next(iter(request.values(USER)), ""), next(iter(request.values(UID)), "")
    if name:
        return User(name, groups, uid, extra)
    if groups or extra or uid:
        raise BadRequest(f"requested {described(groups, extra, uid)} without impersonating a user name")
    return None


def described(groups: tuple[str, ...], extra: dict[str, tuple[str, ...]], uid: str) -> str:
    """As Go prints the structure that upstream keeps it in."""
    words = ", ".join(_go_string(group) for group in groups)
    pairs = ", ".join(f"{_go_string(key)}:[]string{{{', '.join(map(_go_string, values))}}}" for key, values in sorted(extra.items()))
    listed = f"[]string{{{words}}}" if groups else "[]string(nil)"
    mapped = f"map[string][]string{{{pairs}}}" if extra else "map[string][]string(nil)"
    return f'&user.DefaultInfo{{Name:"", UID:{_go_string(uid)}, Groups:{listed}, Extra:{mapped}}}'


def _go_string(text: str) -> str:
    import json

    return json.dumps(text, ensure_ascii=False)


def strip(request: Request) -> None:
    for name in [name for name in request.headers if name in (USER, GROUP, UID) or name.startswith(EXTRA)]:
        del request.headers[name]


async def associated_node(authorizer: Authorizer, user: User, wanted: User, info: RequestInfo) -> User | None:
    """A service account as the node on which its pod runs: of all nodes, so the name that is asked for is `*`."""
    node = node_of(wanted)
    if node is None or not only_name(wanted) or split_user_name(user.name) is None or user.extra.get(NODE_NAME_KEY) != (node,):
        return None
    asking = replace(user, extra={f"{EXTRA_KEYS}associated-node-keys": tuple(sorted(user.extra))})
    await _check_request(authorizer, asking, info, "associated-node")
    return await authorize_user(authorizer, asking, wanted, "impersonate:associated-node", node="*")


async def arbitrary_node(authorizer: Authorizer, user: User, wanted: User, info: RequestInfo) -> User | None:
    node = node_of(wanted)
    if node is None or not only_name(wanted):
        return None
    await _check_request(authorizer, user, info, "arbitrary-node")
    return await authorize_user(authorizer, user, wanted, "impersonate:arbitrary-node", node=node)


async def service_account(authorizer: Authorizer, user: User, wanted: User, info: RequestInfo) -> User | None:
    if split_user_name(wanted.name) is None or not only_name(wanted):
        return None
    await _check_request(authorizer, user, info, "serviceaccount")
    return await authorize_user(authorizer, user, wanted, "impersonate:serviceaccount")


async def user_info(authorizer: Authorizer, user: User, wanted: User, info: RequestInfo) -> User | None:
    """Everybody whose name Kubernetes gives no meaning to."""
    if node_of(wanted) is not None or split_user_name(wanted.name) is not None:
        return None
    await _check_request(authorizer, user, info, "user-info")
    return await authorize_user(authorizer, user, wanted, "impersonate:user-info")


async def legacy(authorizer: Authorizer, user: User, wanted: User, info: RequestInfo) -> User:
    return await authorize_user(authorizer, user, wanted, "impersonate")


CONSTRAINED: tuple[Mode, ...] = (associated_node, arbitrary_node, service_account, user_info)


async def _check_request(authorizer: Authorizer, user: User, info: RequestInfo, mode: str) -> None:
    await check(authorizer, user, replace(info, verb=f"impersonate-on:{mode}:{info.verb}"))


def node_of(user: User) -> str | None:
    name = user.name.removeprefix(NODE_USER)
    return name if user.name.startswith(NODE_USER) and not dns1123_subdomain(name) else None


def only_name(user: User) -> bool:
    return not user.uid and not user.groups and not user.extra
