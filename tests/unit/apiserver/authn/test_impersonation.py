"""Acting as someone else: which rights are asked for in which order, who one becomes, and what a refusal says."""

import asyncio

import pytest

from proa.api.errors import ApiError, BadRequest
from proa.api.meta import Object
from proa.apiserver.authn.impersonation import impersonate
from proa.apiserver.interface import ANONYMOUS, Decision, RequestInfo, User
from proa.lib.http.message import Request

LIST_PODS = RequestInfo("list", "/api/v1/namespaces/shop/pods", True, "", "v1", "pods", "", "shop")
ADMIN = User("admin", ("system:authenticated",))
AGENT = User(
    "system:serviceaccount:kube-system:agent", ("system:serviceaccounts",), extra={"authentication.kubernetes.io/node-name": ("n1",)}
)
NODE_GROUPS = ("system:nodes", "system:authenticated")
APP = User("system:serviceaccount:shop:app", ("system:serviceaccounts", "system:serviceaccounts:shop", "system:authenticated"))


class Permits:
    """Allows what is listed as `VERB RESOURCE[/SUBRESOURCE][.GROUP] [NAMESPACE/]NAME`; remembers what was asked."""

    def __init__(self, *allowed: str) -> None:
        self._allowed = allowed
        self.asked: list[str] = []

    async def authorize(self, user: User, info: RequestInfo) -> Decision:
        resource = f"{info.resource}/{info.subresource}" if info.subresource else info.resource
        group = f".{info.group}" if info.group else ""
        name = f"{info.namespace}/{info.name}" if info.namespace else info.name
        self.asked.append(f"{info.verb} {resource}{group} {name}")
        return Decision(True if self.asked[-1] in self._allowed else None)

    def rules_for(self, user: User, namespace: str) -> tuple[list[Object], list[Object], str]:
        return [], [], ""


def headers(**values: str | list[str]) -> Request:
    """impersonate-user and so on; a list is a header that comes several times."""
    listed = {f"impersonate-{name.replace('_', '-')}": value if isinstance(value, list) else [value] for name, value in values.items()}
    return Request("GET", "/", {}, {name: ", ".join(each) for name, each in listed.items()}, repeated=listed)


@pytest.mark.parametrize(
    ("request_", "allowed", "expected"),
    [
        (headers(), (), ADMIN),
        (headers(user="jane"), ("impersonate users jane",), User("jane", ("system:authenticated",))),
        (
            headers(user="jane", group=["dev", "a,b"], uid="7", extra_scopes=["x", "y"]),
            ("impersonate users jane", "impersonate uids.authentication.k8s.io 7", "impersonate groups dev", "impersonate groups a,b",
             "impersonate userextras/scopes.authentication.k8s.io x", "impersonate userextras/scopes.authentication.k8s.io y"),
            User("jane", ("dev", "a,b", "system:authenticated"), "7", {"scopes": ("x", "y")}),
        ),
        (
            headers(user="jane", **{"extra_acme.com%2fproject": "p"}),
            ("impersonate users jane", "impersonate userextras/acme.com/project.authentication.k8s.io p"),
            User("jane", ("system:authenticated",), "", {"acme.com/project": ("p",)}),
        ),
        (headers(user=APP.name), ("impersonate serviceaccounts shop/app",), APP),
        (headers(user="system:anonymous"), ("impersonate users system:anonymous",), ANONYMOUS),
        (
            headers(user="jane", group="system:unauthenticated"),
            ("impersonate users jane", "impersonate groups system:unauthenticated"),
            User("jane", ("system:unauthenticated",)),
        ),
    ],
)  # fmt: skip
def test_the_right_of_old(request_: Request, allowed: tuple[str, ...], expected: User) -> None:
    for constrained in (True, False):
        again = Request("GET", "/", {}, dict(request_.headers), repeated=request_.repeated)
        assert asyncio.run(impersonate(again, ADMIN, LIST_PODS, Permits(*allowed), constrained=constrained)) == expected
        assert [name for name in again.headers if name.startswith("impersonate-")] == []


@pytest.mark.parametrize(
    ("caller", "request_", "allowed", "expected"),
    [
        (
            ADMIN, headers(user="jane", group="dev"),
            ("impersonate-on:user-info:list pods shop/", "impersonate:user-info users.authentication.k8s.io jane",
             "impersonate:user-info groups.authentication.k8s.io dev"),
            User("jane", ("dev", "system:authenticated")),
        ),
        (
            ADMIN, headers(user="jane", group=["a", "b", "c", "d"]),
            ("impersonate-on:user-info:list pods shop/", "impersonate:user-info users.authentication.k8s.io jane",
             "impersonate:user-info groups.authentication.k8s.io *"),
            User("jane", ("a", "b", "c", "d", "system:authenticated")),
        ),
        (
            ADMIN, headers(user=APP.name),
            ("impersonate-on:serviceaccount:list pods shop/", "impersonate:serviceaccount serviceaccounts.authentication.k8s.io shop/app"),
            APP,
        ),
        (
            ADMIN, headers(user="system:node:n1"),
            ("impersonate-on:arbitrary-node:list pods shop/", "impersonate:arbitrary-node nodes.authentication.k8s.io n1"),
            User("system:node:n1", NODE_GROUPS),
        ),
        (
            AGENT, headers(user="system:node:n1"),
            ("impersonate-on:associated-node:list pods shop/", "impersonate:associated-node nodes.authentication.k8s.io *"),
            User("system:node:n1", NODE_GROUPS),
        ),
    ],
)  # fmt: skip
def test_constrained_rights(caller: User, request_: Request, allowed: tuple[str, ...], expected: User) -> None:
    assert asyncio.run(impersonate(request_, caller, LIST_PODS, Permits(*allowed))) == expected


FORBIDDEN_LIST = 'cannot impersonate-on:{}:list resource "pods" in API group "" in the namespace "shop"'


@pytest.mark.parametrize(
    ("request_", "allowed", "message"),
    [
        (headers(user="jane"), (), f'pods is forbidden: User "admin" {FORBIDDEN_LIST.format("user-info")}'),
        (headers(user=APP.name), (), f'pods is forbidden: User "admin" {FORBIDDEN_LIST.format("serviceaccount")}'),
        (headers(user="system:node:n1"), (), f'pods is forbidden: User "admin" {FORBIDDEN_LIST.format("arbitrary-node")}'),
        (
            headers(user="jane", group="system:masters"),
            ("impersonate-on:user-info:list pods shop/", "impersonate:user-info users.authentication.k8s.io jane"),
            'groups.authentication.k8s.io "system:masters" is forbidden: User "admin" cannot impersonate:user-info resource "groups" '
            'in API group "authentication.k8s.io" at the cluster scope: impersonating the system:masters group is not allowed',
        ),
        (
            headers(group="dev", extra_a="b"), (),
            'requested &user.DefaultInfo{Name:"", UID:"", Groups:[]string{"dev"}, Extra:map[string][]string{"a":[]string{"b"}}} '
            "without impersonating a user name",
        ),
    ],
)  # fmt: skip
def test_refusals(request_: Request, allowed: tuple[str, ...], message: str) -> None:
    with pytest.raises(ApiError) as caught:
        asyncio.run(impersonate(request_, ADMIN, LIST_PODS, Permits(*allowed)))
    assert caught.value.message == message
    assert isinstance(caught.value, BadRequest) == message.startswith("requested")


def test_before_v1_36_only_the_right_of_old_is_asked_for() -> None:
    permits = Permits("impersonate users jane")
    with pytest.raises(ApiError) as caught:
        asyncio.run(impersonate(headers(user="jane", group="system:masters"), ADMIN, LIST_PODS, permits, constrained=False))
    assert caught.value.message == (
        'groups "system:masters" is forbidden: User "admin" cannot impersonate resource "groups" in API group "" at the cluster scope'
    )
    assert permits.asked == ["impersonate users jane", "impersonate groups system:masters"]
