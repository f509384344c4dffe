"""Who may do what, by each authorizer and its configuration, as clients and the review APIs are told."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest

from proa.apiserver.authz.structured import read_authorization_configuration
from proa.lib.http.message import AnyResponse, Request, Response
from proa.lib.http.server import HttpServer
from proa.lib.http.server_options import ServerOptions
from tests.integration.conftest import Api, Run, running

PODS = "/api/v1/namespaces/shop/pods"
RBAC = "/apis/rbac.authorization.k8s.io/v1"
REVIEWS = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
DENIED = 'pods is forbidden: User "jane" cannot list resource "pods" in API group "" in the namespace "shop"'


def play(key: Path, directory: Path, scenario: Callable[[Api], Awaitable[None]], **config: Any) -> None:
    async def main() -> None:
        async with running(key, directory, **config) as api:
            await scenario(api)

    asyncio.run(main())


async def can(api: Api, spec: dict[str, Any]) -> Any:
    answer = await api("POST", REVIEWS, {"spec": spec})
    return answer.body["status"] if answer.status == 201 else answer.summary


def test_denials_say_who_what_and_where_and_name_missing_roles(run: Run) -> None:
    async def scenario(api: Api) -> None:
        cases = {
            ("GET", PODS): (403, "Forbidden", DENIED),
            ("GET", f"{PODS}/web"): (
                403, "Forbidden",
                'pods "web" is forbidden: User "jane" cannot get resource "pods" in API group "" in the namespace "shop"',
            ),
            ("GET", f"{PODS}/web/log"): (
                403, "Forbidden",
                'pods "web" is forbidden: User "jane" cannot get resource "pods/log" in API group "" in the namespace "shop"',
            ),
            ("DELETE", "/apis/apps/v1/namespaces/shop/deployments"): (
                403, "Forbidden",
                'deployments.apps is forbidden: User "jane" cannot deletecollection resource "deployments" in API group "apps" '
                'in the namespace "shop"',
            ),
            ("GET", "/api/v1/nodes"): (
                403, "Forbidden", 'nodes is forbidden: User "jane" cannot list resource "nodes" in API group "" at the cluster scope',
            ),
            ("GET", "/metrics"): (403, "Forbidden", 'forbidden: User "jane" cannot get path "/metrics"'),
        }  # fmt: skip
        assert {case: (await api(*case, user="jane")).summary for case in cases} == cases
        reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "ghost"}
        subject = {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "jane"}
        binding = {"metadata": {"name": "b"}, "roleRef": reference, "subjects": [subject]}
        assert (await api("POST", f"{RBAC}/clusterrolebindings", binding)).status == 201
        missing = 'RBAC: clusterrole.rbac.authorization.k8s.io "ghost" not found'
        assert (await api("GET", PODS, user="jane")).summary == (403, "Forbidden", f"{DENIED}: {missing}")
        assert (await api("GET", "/metrics", user="jane")).body["message"] == (
            f'forbidden: User "jane" cannot get path "/metrics": {missing}'
        )
        reference["name"] = "view"
        binding = {"metadata": {"name": "c"}, "roleRef": reference, "subjects": [subject]}
        await api("POST", f"{RBAC}/clusterrolebindings", binding)
        assert (await api("GET", PODS, user="jane")).status == 200

    run(scenario)


GROUP = "rbac.authorization.k8s.io"
NOT_HELD = (
    'user "jane" (groups=["system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n'
    '{APIGroups:[""], Resources:["nodes"], Verbs:["get" "list"]}'
)


def test_nobody_grants_what_they_lack_but_by_escalate_and_bind(run: Run) -> None:
    async def scenario(api: Api) -> None:
        async def make(plural: str, name: str, user: str = "", **more: Any) -> tuple[int, str]:
            answer = await api("POST", f"{RBAC}/{plural}", {"metadata": {"name": name}, **more}, user=user)
            return answer.status, answer.body.get("message", "")

        def bound(role: str) -> dict[str, Any]:
            subject = {"apiGroup": GROUP, "kind": "User", "name": "jane"}
            return {"roleRef": {"apiGroup": GROUP, "kind": "ClusterRole", "name": role}, "subjects": [subject]}

        rules = [{"apiGroups": [""], "resources": ["nodes"], "verbs": ["get", "list"]}]
        write = [{"apiGroups": [GROUP], "resources": ["clusterroles", "clusterrolebindings"], "verbs": ["create", "update", "patch"]}]
        await make("clusterroles", "writer", rules=write)
        await make("clusterrolebindings", "writer", **bound("writer"))
        await make("clusterroles", "nodes", rules=rules)
        assert await make("clusterroles", "more", "jane", rules=rules) == (403, f'clusterroles.{GROUP} "more" is forbidden: {NOT_HELD}')
        assert await make("clusterrolebindings", "more", "jane", **bound("nodes")) == (
            403, f'clusterrolebindings.{GROUP} "more" is forbidden: {NOT_HELD}',
        )  # fmt: skip
        assert await make("clusterrolebindings", "ghost", "jane", **bound("ghost")) == (404, f'clusterroles.{GROUP} "ghost" not found')
        aggregation = {"clusterRoleSelectors": [{"matchLabels": {"a": "b"}}]}
        assert await make("clusterroles", "all", "jane", aggregationRule=aggregation) == (
            403, f'clusterroles.{GROUP} "all" is forbidden: must have cluster-admin privileges to use an aggregationRule',
        )  # fmt: skip
        special = [{"apiGroups": [GROUP], "resources": ["clusterroles"], "verbs": ["bind"], "resourceNames": ["nodes"]},
                   {"apiGroups": [GROUP], "resources": ["clusterroles"], "verbs": ["escalate"], "resourceNames": ["more"]}]  # fmt: skip
        await make("clusterroles", "special", rules=special)
        await make("clusterrolebindings", "special", **bound("special"))
        assert (await make("clusterroles", "more", "jane", rules=rules))[0] == 201
        assert (await make("clusterroles", "others", "jane", rules=rules))[0] == 403
        assert (await make("clusterrolebindings", "more", "jane", **bound("nodes")))[0] == 201

    run(scenario)


@pytest.mark.parametrize(
    ("modes", "status", "message"),
    [
        (("AlwaysAllow",), 200, ""),
        (("AlwaysDeny",), 403, f"{DENIED}: Everything is forbidden."),
        (("RBAC", "AlwaysAllow"), 200, ""),
        (("Node",), 403, DENIED),
    ],
)
def test_modes(signing_key: Path, tmp_path: Path, modes: tuple[str, ...], status: int, message: str) -> None:
    async def scenario(api: Api) -> None:
        answer = await api("GET", PODS, user="jane")
        assert (answer.status, answer.body.get("message", "")) == (status, message)
        rules = await api("POST", "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", {"spec": {"namespace": "shop"}})
        assert rules.status == 201

    play(signing_key, tmp_path, scenario, authorization_mode=modes)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"authorization_mode": ("Magic",)}, 'authorization-mode "Magic" is not a valid mode'),
        ({"authorization_mode": ("RBAC", "RBAC")}, 'authorization-mode ["RBAC RBAC"] has mode specified more than once'),
        ({"authorization_mode": ("Webhook",)}, "authorization-mode Webhook's authorization config file not passed"),
    ],
)
def test_modes_that_cannot_be(signing_key: Path, tmp_path: Path, options: dict[str, Any], message: str) -> None:
    async def scenario(api: Api) -> None:
        raise AssertionError

    with pytest.raises(ValueError, match="authorization-mode") as caught:
        play(signing_key, tmp_path, scenario, **options)
    assert str(caught.value) == message


class Oracle:
    """A webhook that decides: by user name, or not at all."""

    def __init__(self, directory: Path) -> None:
        self.asked: list[Any] = []
        self.path = directory / "webhook.kubeconfig"
        self.fails = False

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Oracle"]:
        server = HttpServer(self._answer, ServerOptions(refuse=lambda status, message: Response(status)))
        port = await server.listen("127.0.0.1", 0)
        document = {
            "current-context": "c", "contexts": [{"name": "c", "context": {"cluster": "k"}}],
            "clusters": [{"name": "k", "cluster": {"server": f"http://127.0.0.1:{port}/authorize"}}],
        }  # fmt: skip
        self.path.write_bytes(orjson.dumps(document))
        try:
            yield self
        finally:
            await server.stop(0)

    async def _answer(self, request: Request) -> AnyResponse:
        if self.fails:
            return Response(404, {}, b"nothing here")
        review = orjson.loads(request.body)
        self.asked.append(review["spec"])
        statuses = {"jane": {"allowed": True, "reason": "it is jane"}, "eve": {"allowed": False, "denied": True, "reason": "never"},
                    "odd": {"allowed": True, "denied": True}}  # fmt: skip
        answer = review | {"status": statuses.get(review["spec"]["user"], {"allowed": False})}
        return Response(200, {"content-type": "application/json"}, orjson.dumps(answer))


LIST_PODS = {"resourceAttributes": {"namespace": "shop", "verb": "list", "version": "v1", "resource": "pods"}}


def test_a_webhook_decides_and_its_answers_are_remembered(signing_key: Path, tmp_path: Path) -> None:
    async def main() -> None:
        async with Oracle(tmp_path).running() as oracle:
            options: dict[str, Any] = {"authorization_mode": ("Webhook", "RBAC"), "authorization_webhook_config": oracle.path}
            async with running(signing_key, tmp_path, **options) as api:
                for _ in range(2):
                    assert (await api("GET", PODS, user="jane")).status == 200
                    assert (await api("GET", PODS, user="joe")).status == 403
                groups = ["system:authenticated"]
                assert oracle.asked == [{"user": name, "groups": groups} | LIST_PODS for name in ("jane", "joe")]
                oracle.asked.clear()
                await api.clock.advance(31)
                await api("GET", PODS, user="jane")
                await api("GET", PODS, user="joe")
                assert [spec["user"] for spec in oracle.asked] == ["joe"]
                oracle.asked.clear()
                await api("GET", f"{PODS}?fieldSelector=spec.nodeName=n1,status.phase!=Failed&labelSelector=app in (a,b),!old", user="joe")
                assert oracle.asked[0]["resourceAttributes"] | LIST_PODS["resourceAttributes"] == LIST_PODS["resourceAttributes"] | {
                    "fieldSelector": {"requirements": [
                        {"key": "spec.nodeName", "operator": "In", "values": ["n1"]},
                        {"key": "status.phase", "operator": "NotIn", "values": ["Failed"]},
                    ]},
                    "labelSelector": {"requirements": [
                        {"key": "app", "operator": "In", "values": ["a", "b"]}, {"key": "old", "operator": "DoesNotExist"},
                    ]},
                }  # fmt: skip
                assert await can(api, {"user": "eve"} | LIST_PODS) == {"allowed": False, "denied": True, "reason": "never"}
                assert (await api("GET", PODS, user="odd")).status == 500
                rules = await api("POST", "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", {"spec": {"namespace": "shop"}})
                assert (rules.body["status"]["incomplete"], rules.body["status"]["evaluationError"]) == (
                    True, "webhook authorizer does not support user rule resolution",
                )  # fmt: skip
                oracle.fails = True
                response = await api("GET", PODS, user="new")
                assert (response.status, response.raw) == (
                    500, b'Internal Server Error: "/api/v1/namespaces/shop/pods": an error on the server ("nothing here") has prevented '
                    b"the request from succeeding\n",
                )  # fmt: skip

    asyncio.run(main())


STRUCTURED = """
apiVersion: apiserver.config.k8s.io/{version}
kind: AuthorizationConfiguration
authorizers:
- type: Webhook
  name: oracle
  webhook:
    authorizedTTL: 1m
    unauthorizedTTL: 10s
    timeout: 3s
    subjectAccessReviewVersion: v1
    matchConditionSubjectAccessReviewVersion: v1
    failurePolicy: {policy}
    connectionInfo:
      type: KubeConfigFile
      kubeConfigFile: {file}
    matchConditions:
    - expression: has(request.resourceAttributes)
    - expression: request.resourceAttributes.namespace == 'shop'
    - expression: "!('system:serviceaccounts' in request.groups)"
- type: Node
  name: node
- type: RBAC
  name: rbac
"""


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
def test_structured_configuration(signing_key: Path, tmp_path: Path, version: str) -> None:
    async def main() -> None:
        async with Oracle(tmp_path).running() as oracle:
            path = tmp_path / "authorization.yaml"
            path.write_text(STRUCTURED.format(version=version, policy="NoOpinion", file=oracle.path))
            async with running(signing_key, tmp_path, authorization_config=path) as api:
                assert (await api("GET", PODS, user="jane")).status == 200
                assert (await api("GET", "/api/v1/namespaces/other/pods", user="jane")).status == 403
                assert (await api("GET", "/metrics", user="jane")).status == 403
                assert len(oracle.asked) == 1
                oracle.fails = True
                assert (await api("GET", PODS, user="view")).status == 500
                assert (await api("GET", PODS)).status == 200
                await reloads(api, path, "apiVersion: nonsense", 500)
                await reloads(
                    api, path, STRUCTURED.format(version=version, policy="NoOpinion", file=oracle.path).replace("'shop'", "'x'"), 403
                )

    asyncio.run(main())


async def reloads(api: Api, path: Path, text: str, status: int) -> None:
    path.write_text(text)  # noqa: ASYNC240
    async with asyncio.timeout(5):
        while True:
            await api.clock.advance(1)
            if (await api("GET", PODS, user="joe")).status == status:
                return
            await asyncio.sleep(0)


WEBHOOK = {
    "timeout": "3s", "subjectAccessReviewVersion": "v1", "matchConditionSubjectAccessReviewVersion": "v1", "failurePolicy": "Deny",
    "connectionInfo": {"type": "InClusterConfig"},
}  # fmt: skip


@pytest.mark.parametrize(
    ("authorizers", "message"),
    [
        ([], "authorizers: Required value: at least one authorization mode must be defined"),
        ([{"type": "RBAC"}], "authorizers[0].name: Required value"),
        (
            [{"type": "RBAC", "name": "a"}, {"type": "RBAC", "name": "b"}],
            'authorizers[1].type: Duplicate value: "RBAC"',
        ),
        (
            [{"type": "Magic", "name": "a"}],
            'authorizers[0].type: Unsupported value: "Magic": supported values: "AlwaysAllow", "AlwaysDeny", "Node", "RBAC", "Webhook"',
        ),
        ([{"type": "Webhook", "name": "a"}], "authorizers[0].webhook: Required value: required when type=Webhook"),
        (
            [{"type": "Webhook", "name": "a", "webhook": WEBHOOK | {"timeout": "31s"}}],
            'authorizers[0].timeout: Invalid value: "31s": must be > 0s and <= 30s',
        ),
        (
            [{"type": "Webhook", "name": "a", "webhook": WEBHOOK | {"failurePolicy": "Ignore"}}],
            'authorizers[0].failurePolicy: Unsupported value: "Ignore": supported values: "Deny", "NoOpinion"',
        ),
        (
            [{"type": "Webhook", "name": "a", "webhook": WEBHOOK | {"matchConditions": [{"expression": "'x'"}]}}],
            "authorizers[0].matchConditions[0].expression: Invalid value: \"'x'\": must evaluate to bool",
        ),
        ([{"type": "RBAC", "name": "a", "color": "red"}], 'strict decoding error: unknown field "authorizers[0].color"'),
    ],
)
def test_configurations_that_cannot_be(authorizers: list[Any], message: str) -> None:
    document = {"apiVersion": "apiserver.config.k8s.io/v1", "kind": "AuthorizationConfiguration", "authorizers": authorizers}
    with pytest.raises(ValueError, match="authorizers") as caught:
        read_authorization_configuration(orjson.dumps(document).decode())
    assert str(caught.value) == message


def selected(member: str, **selector: Any) -> dict[str, Any]:
    attributes = {"verb": "list", "resource": "pods", member: selector}
    return {"user": "system:node:n1", "groups": ["system:nodes"], "resourceAttributes": attributes}


def test_reviews_with_selectors(run: Run) -> None:
    async def scenario(api: Api) -> None:
        own = {"key": "spec.nodeName", "operator": "In", "values": ["n1"]}
        assert await can(api, selected("fieldSelector", requirements=[own])) == {"allowed": True}
        assert await can(api, selected("fieldSelector", rawSelector="spec.nodeName=n1")) == {"allowed": True}
        assert (await can(api, selected("fieldSelector", requirements=[own | {"values": ["n2"]}])))["allowed"] is False
        path = 'SubjectAccessReview.authorization.k8s.io "" is invalid: spec.resourceAttributes'
        cases = [
            (selected("fieldSelector"), f"{path}.fieldSelector.requirements: Required value: when spec.resourceAttributes.fieldSelector is "
             "specified, requirements or rawSelector is required"),
            (selected("fieldSelector", rawSelector="a=b", requirements=[own]),
             f'{path}.fieldSelector.rawSelector: Invalid value: "a=b": may not specified at the same time as requirements'),
            (selected("fieldSelector", requirements=[{"key": "a", "operator": "In"}]),
             f"{path}.fieldSelector.requirements[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'"),
            (selected("labelSelector", requirements=[{"key": "a", "operator": "Exists", "values": ["x"]}]),
             f"{path}.labelSelector.requirements[0].values: Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'"),
        ]  # fmt: skip
        assert [await can(api, spec) for spec, _ in cases] == [(422, "Invalid", message) for _, message in cases]

    run(scenario)
