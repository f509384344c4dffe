"""Who may do what, through the whole API server: authentication, authorization, admission and allocation as a client meets them."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import orjson

from proa.apiserver.config import ApiServerConfig
from proa.apiserver.server import ApiServer, build
from proa.lib import pki
from proa.lib.http.message import Request, Response

GROUP = "rbac.authorization.k8s.io"
RBAC = f"/apis/{GROUP}/v1"


class Server:
    """A server in memory and requests to it: as a user of the Unix socket, or with a bearer token."""

    def __init__(self, server: ApiServer) -> None:
        self._server = server

    async def ask(
        self, method: str, path: str, body: Any = None, *, user: str = "", groups: str = "dev", token: str = "", **query: str
    ) -> tuple[int, Any]:
        headers = {"content-type": "application/json"}
        if user:
            headers |= {"x-remote-user": user, "x-remote-group": groups}
        if token:
            headers["authorization"] = f"Bearer {token}"
        parameters = {name: [value] for name, value in query.items()}
        data = b"" if body is None else orjson.dumps(body)
        response = await self._server.handler(Request(method, path, parameters, headers, data, path, peer="" if token else "unix"))
        assert isinstance(response, Response)
        return response.status, orjson.loads(response.body if isinstance(response.body, bytes) else b"".join(response.body))

    async def make(self, path: str, body: Any) -> Any:
        status, made = await self.ask("POST", path, body)
        assert status == 201, made
        return made


def run(directory: Path, scenario: Callable[[Server], Awaitable[None]]) -> None:
    async def whole() -> None:
        authority = pki.CertificateAuthority.load_or_create(directory, "ca")
        pki.load_or_create_private_key(directory / "sa.key")
        assert authority.certificate
        config = ApiServerConfig(
            directory, (), None, directory, directory, directory / "ca.crt", directory / "sa.key",
            advertise_address="172.20.0.2", storage="memory",
        )  # fmt: skip
        server = await build(config)
        await server.start(listen=False)
        try:
            await scenario(Server(server))
        finally:
            await server.stop()

    asyncio.run(whole())


def binding(name: str, role: str, subject: dict[str, str]) -> dict[str, Any]:
    reference = {"apiGroup": GROUP, "kind": "ClusterRole", "name": role}
    return {"metadata": {"name": name}, "roleRef": reference, "subjects": [subject]}


def test_a_token_works_until_its_account_is_gone_and_allows_what_is_bound(tmp_path: Path) -> None:
    async def scenario(server: Server) -> None:
        await server.make("/api/v1/namespaces/default/serviceaccounts", {"metadata": {"name": "app"}})
        request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
        token = (await server.make("/api/v1/namespaces/default/serviceaccounts/app/token", request))["status"]["token"]
        pods = "/api/v1/namespaces/default/pods"
        status, answer = await server.ask("GET", pods, token=token)
        assert (status, answer["message"]) == (
            403,
            'pods is forbidden: User "system:serviceaccount:default:app" cannot list resource "pods" '
            'in API group "" in the namespace "default"',
        )
        subject = {"kind": "ServiceAccount", "name": "app", "namespace": "default"}
        await server.make(f"{RBAC}/namespaces/default/rolebindings", binding("app", "view", subject))
        assert (await server.ask("GET", pods, token=token))[0] == 200
        assert (await server.ask("GET", "/api/v1/nodes", token=token))[0] == 403
        await server.ask("DELETE", "/api/v1/namespaces/default/serviceaccounts/app")
        assert (await server.ask("GET", pods, token=token))[0] == 401

    run(tmp_path, scenario)


def test_a_user_grants_no_more_than_it_has(tmp_path: Path) -> None:
    async def scenario(server: Server) -> None:
        subject = {"apiGroup": GROUP, "kind": "User", "name": "jane"}
        await server.make(f"{RBAC}/namespaces/default/rolebindings", binding("jane", "admin", subject))
        roles = f"{RBAC}/namespaces/default/roles"
        rule = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}
        status, _ = await server.ask("POST", roles, {"metadata": {"name": "ok"}, "rules": [rule]}, user="jane")
        assert status == 201
        wide = rule | {"resources": ["nodes"]}
        status, answer = await server.ask("POST", roles, {"metadata": {"name": "wide"}, "rules": [wide]}, user="jane")
        assert (status, answer["message"]) == (
            403,
            f'roles.{GROUP} "wide" is forbidden: user "jane" (groups=["dev" "system:authenticated"]) is attempting to grant '
            'RBAC permissions not currently held:\n{APIGroups:[""], Resources:["nodes"], Verbs:["get"]}',
        )

    run(tmp_path, scenario)


def test_a_labelled_role_becomes_part_of_view_edit_and_admin(tmp_path: Path) -> None:
    async def scenario(server: Server) -> None:
        rule = {"apiGroups": ["example.com"], "resources": ["things"], "verbs": ["get"]}
        labels = {f"{GROUP}/aggregate-to-view": "true"}
        await server.make(f"{RBAC}/clusterroles", {"metadata": {"name": "things", "labels": labels}, "rules": [rule]})
        async with asyncio.timeout(5):
            while rule not in (await server.ask("GET", f"{RBAC}/clusterroles/admin"))[1]["rules"]:  # noqa: ASYNC110 - only asking shows it
                await asyncio.sleep(0.001)
        for name in ("view", "edit"):
            assert rule in (await server.ask("GET", f"{RBAC}/clusterroles/{name}"))[1]["rules"]

    run(tmp_path, scenario)


def test_a_dry_run_allocates_nothing(tmp_path: Path) -> None:
    async def scenario(server: Server) -> None:
        services = "/api/v1/namespaces/default/services"
        service = {"metadata": {"name": "a"}, "spec": {"clusterIP": "10.96.7.7", "ports": [{"port": 80}]}}
        for _ in range(2):
            assert (await server.ask("POST", services, service, dryRun="All"))[0] == 201
        assert (await server.ask("POST", services, service))[0] == 201
        status, answer = await server.ask("POST", services, service | {"metadata": {"name": "b"}})
        assert (status, answer["details"]["causes"][0]["field"]) == (422, "spec.clusterIPs")
        await server.ask("DELETE", f"{services}/a")
        assert (await server.ask("POST", services, service | {"metadata": {"name": "b"}}))[0] == 201

    run(tmp_path, scenario)


def test_a_kubelet_sees_and_writes_only_what_is_its_own(tmp_path: Path) -> None:
    async def scenario(server: Server) -> None:
        async def node(method: str, path: str, body: Any = None, **query: str) -> tuple[int, str]:
            status, document = await server.ask(method, path, body, user="system:node:n1", groups="system:nodes", **query)
            return status, document.get("message", "")

        assert (await node("POST", "/api/v1/nodes", {"metadata": {"name": "n1"}}))[0] == 201
        assert await node("POST", "/api/v1/nodes", {"metadata": {"name": "n2"}}) == (
            403, 'nodes "n2" is forbidden: node "n1" is not allowed to modify node "n2"',
        )  # fmt: skip
        assert (await node("GET", "/api/v1/pods", fieldSelector="spec.nodeName=n1"))[0] == 200
        assert (await node("GET", "/api/v1/pods", fieldSelector="spec.nodeName=n2"))[0] == 403
        assert (await node("GET", "/api/v1/secrets"))[0] == 403
        _, taints = await server.ask("GET", "/api/v1/nodes/n1")
        assert taints["spec"]["taints"] == [{"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}]

    run(tmp_path, scenario)
