"""Webhooks through the front door: a real HTTPS server on loopback answers the reviews that a whole API server sends."""

import asyncio
import base64
import importlib.util
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest

from proa.lib import pki
from proa.lib.http.message import Request, Response
from proa.lib.http.server import HttpServer
from proa.lib.http.server_options import ServerOptions
from proa.lib.http.tls import server_context
from tests.integration.conftest import Api, Run

GROUP = "/apis/admissionregistration.k8s.io/v1"
MAPS = "/api/v1/namespaces/default/configmaps"
Answerer = Callable[[dict[str, Any]], dict[str, Any]]


class Hook:
    """A webhook server: `answers` by path, `reviews` remembers what was asked."""

    def __init__(self, authority: pki.CertificateAuthority) -> None:
        self.bundle = base64.b64encode(authority.certificate).decode()
        self.answers: dict[str, Answerer | Response | float] = {}
        self.reviews: list[tuple[str, dict[str, Any]]] = []
        self.port = 0

    async def __call__(self, request: Request) -> Response:
        review = orjson.loads(request.body)
        self.reviews.append((request.path, review["request"]))
        answer = self.answers[request.path]
        if isinstance(answer, Response):
            return answer
        if isinstance(answer, float):
            await asyncio.sleep(answer)
            return Response(500)
        response = {"uid": review["request"]["uid"], **answer(review["request"])}
        body = orjson.dumps({"apiVersion": review["apiVersion"], "kind": "AdmissionReview", "response": response})
        return Response(200, {"content-type": "application/json"}, body)

    def config(self, path: str, **more: Any) -> dict[str, Any]:
        """A webhook entry that sees new config maps."""
        rule = {"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["configmaps"]}
        return {
            "name": f"{path.strip('/')}.example.com",
            "clientConfig": {"url": f"https://localhost:{self.port}{path}", "caBundle": self.bundle},
            "rules": [rule], "sideEffects": "None", "admissionReviewVersions": ["v1"], "timeoutSeconds": 5, **more,
        }  # fmt: skip


Scenario = Callable[[Api, Hook], Awaitable[None]]
RunHooked = Callable[[Scenario], None]


@pytest.fixture(scope="session")
def authority() -> pki.CertificateAuthority:
    return pki.create_authority("webhooks")


@asynccontextmanager
async def serving(authority: pki.CertificateAuthority, directory: Path) -> Any:
    certificate, key = authority.issue("hook", dns_names=["localhost", "hook.default.svc"], server=True)
    for name, data in (("tls.crt", certificate), ("tls.key", key)):
        (directory / name).write_bytes(data)
    hook = Hook(authority)
    server = HttpServer(hook, ServerOptions())
    context = server_context(directory / "tls.crt", directory / "tls.key")
    hook.port = await server.listen("127.0.0.1", 0, context)
    try:
        yield hook
    finally:
        await server.stop(0)


@pytest.fixture
def run_hooked(run: Run, authority: pki.CertificateAuthority, tmp_path: Path) -> RunHooked:
    def run_scenario(scenario: Scenario) -> None:
        async def whole(api: Api) -> None:
            async with serving(authority, tmp_path) as hook:
                await scenario(api, hook)

        run(whole)

    return run_scenario


async def configure(api: Api, kind: str, *webhooks: dict[str, Any], name: str = "hooks") -> None:
    """`kind` is mutating or validating."""
    answer = await api("POST", f"{GROUP}/{kind}webhookconfigurations", {"metadata": {"name": name}, "webhooks": list(webhooks)})
    assert answer.status == 201, answer.body


def config_map(name: str = "m", **labels: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "labels": labels} if labels else {"name": name}}


def allow(request: dict[str, Any]) -> dict[str, Any]:
    return {"allowed": True}


def patches(*operations: dict[str, Any]) -> Answerer:
    patch = base64.b64encode(orjson.dumps(list(operations))).decode()
    return lambda request: {"allowed": True, "patchType": "JSONPatch", "patch": patch}


def refuses(**status: Any) -> Answerer:
    return lambda request: {"allowed": False, **({"status": status} if status else {})}


DENIED = 'admission webhook "v.example.com" denied the request'


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ({}, (400, "", f"{DENIED} without explanation")),
        ({"message": "no"}, (400, "", f"{DENIED}: no")),
        ({"reason": "Forbidden"}, (400, "Forbidden", f"{DENIED}: Forbidden")),
        ({"message": "no", "code": 403, "reason": "Forbidden"}, (403, "Forbidden", f"{DENIED}: no")),
        ({"message": "no", "code": 200}, (400, "", f"{DENIED}: no")),
    ],
)
def test_a_refusal_is_the_webhooks_own(run_hooked: RunHooked, status: dict[str, Any], expected: tuple[int, str, str]) -> None:
    async def scenario(api: Api, hook: Hook) -> None:
        hook.answers["/v"] = refuses(**status)
        await configure(api, "validating", hook.config("/v"))
        assert (await api("POST", MAPS, config_map())).summary == expected
        assert (await api("GET", f"{MAPS}/m")).status == 404

    run_hooked(scenario)


def test_what_a_webhook_is_asked(run_hooked: RunHooked) -> None:
    async def scenario(api: Api, hook: Hook) -> None:
        hook.answers["/v"] = allow
        await configure(api, "validating", hook.config("/v"))
        answer = await api("POST", f"{MAPS}?dryRun=All", {**config_map(), "data": {"a": "b"}})
        assert answer.status == 201
        ((_, request),) = hook.reviews
        shown = request.pop("object")
        assert (shown["kind"], shown["apiVersion"], shown["metadata"]["name"], shown["data"]) == ("ConfigMap", "v1", "m", {"a": "b"})
        assert len(request.pop("uid")) == 36
        kind, resource = {"group": "", "version": "v1", "kind": "ConfigMap"}, {"group": "", "version": "v1", "resource": "configmaps"}
        options = {"apiVersion": "meta.k8s.io/v1", "kind": "CreateOptions", "dryRun": ["All"], "fieldValidation": "Warn"}
        assert request == {
            "kind": kind, "resource": resource, "requestKind": kind, "requestResource": resource, "name": "m", "namespace": "default",
            "operation": "CREATE", "userInfo": {"username": "system:root", "groups": ["system:masters", "system:authenticated"]},
            "oldObject": None, "dryRun": True, "options": options,
        }  # fmt: skip

    run_hooked(scenario)


def test_patches_apply_in_order_and_others_see_them(run_hooked: RunHooked) -> None:
    async def scenario(api: Api, hook: Hook) -> None:
        hook.answers["/a"] = patches({"op": "add", "path": "/data", "value": {"a": "1"}})
        hook.answers["/b"] = patches({"op": "add", "path": "/data/b", "value": "2"}, {"op": "add", "path": "/stray", "value": "x"})
        hook.answers["/v"] = allow
        await configure(api, "mutating", hook.config("/b"), name="second")
        await configure(api, "mutating", hook.config("/a"), name="first")
        await configure(api, "validating", hook.config("/v"))
        made = await api("POST", MAPS, config_map())
        assert (made.status, made.body["data"], "stray" in made.body) == (201, {"a": "1", "b": "2"}, False)
        assert [path for path, _ in hook.reviews] == ["/a", "/b", "/v"]
        assert hook.reviews[2][1]["object"]["data"] == {"a": "1", "b": "2"}

    run_hooked(scenario)


def test_who_asked_for_it_is_called_again_after_a_later_change(run_hooked: RunHooked) -> None:
    async def scenario(api: Api, hook: Hook) -> None:
        hook.answers["/a"] = allow
        hook.answers["/b"] = patches({"op": "add", "path": "/data", "value": {"b": "2"}})
        await configure(api, "mutating", hook.config("/a", reinvocationPolicy="IfNeeded"), hook.config("/b"))
        assert (await api("POST", MAPS, config_map())).status == 201
        assert [(path, request["object"].get("data")) for path, request in hook.reviews] == [("/a", None), ("/b", None), ("/a", {"b": "2"})]

    run_hooked(scenario)


def test_a_patch_meets_the_plugins_that_ran_before_it(run_hooked: RunHooked) -> None:
    async def scenario(api: Api, hook: Hook) -> None:
        container = {"name": "side", "image": "i"}
        hook.answers["/a"] = patches({"op": "add", "path": "/spec/containers/-", "value": container})
        rule = {"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["*"], "resources": ["pods"]}
        await configure(api, "mutating", hook.config("/a", rules=[rule]))
        limits = {"metadata": {"name": "l"}, "spec": {"limits": [{"type": "Container", "default": {"cpu": "1"}}]}}
        assert (await api("POST", "/api/v1/namespaces/default/limitranges", limits)).status == 201
        pod = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "main", "image": "i"}]}}
        made = (await api("POST", "/api/v1/namespaces/default/pods", pod)).body
        assert [each["resources"]["limits"] for each in made["spec"]["containers"]] == [{"cpu": "1"}, {"cpu": "1"}]
        assert made["spec"]["containers"][1]["terminationMessagePath"] == "/dev/termination-log"

    run_hooked(scenario)


CALL = 'Internal error occurred: failed calling webhook "v.example.com": '


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Response(404), "failed to call webhook: the server could not find the requested resource"),
        (Response(500, {}, b"boom"), 'failed to call webhook: an error on the server ("boom") has prevented the request from succeeding'),
        (5.0, 'failed to call webhook: Post "https://localhost:PORT/v?timeout=1s": context deadline exceeded'),
        (lambda request: {"uid": "x", "allowed": True}, 'received invalid webhook response: expected response.uid="UID", got "x"'),
        (
            patches({"op": "remove", "path": "/data"}),
            "received invalid webhook response: validating webhook may not return response.patch",
        ),
        (Response(200, {}, b"{}"), "received invalid webhook response: webhook response was absent"),
    ],
)
def test_failures_close_unless_they_may_open(run_hooked: RunHooked, answer: Any, expected: str) -> None:
    async def scenario(api: Api, hook: Hook) -> None:
        hook.answers["/v"] = answer
        await configure(api, "validating", hook.config("/v", timeoutSeconds=1))
        refused = await api("POST", MAPS, config_map())
        text = expected.replace("PORT", str(hook.port)).replace("UID", hook.reviews[0][1]["uid"])
        assert refused.summary == (500, "InternalError", CALL + text)
        assert refused.body["details"] == {"causes": [{"message": (CALL + text).partition(": ")[2]}]}
        patch = [{"op": "replace", "path": "/webhooks/0/failurePolicy", "value": "Ignore"}]
        await api.patch("json", f"{GROUP}/validatingwebhookconfigurations/hooks", patch)
        assert (await api("POST", MAPS, config_map())).status == 201

    run_hooked(scenario)


def test_nobody_listens_or_nobody_vouches(run_hooked: RunHooked, tmp_path: Path) -> None:
    async def scenario(api: Api, hook: Hook) -> None:
        entry = hook.config("/v")
        entry["clientConfig"]["caBundle"] = base64.b64encode(pki.create_authority("other").certificate).decode()
        await configure(api, "validating", entry)
        post = f'failed to call webhook: Post "https://localhost:{hook.port}/v?timeout=5s": '
        why = "tls: failed to verify certificate: x509: certificate signed by unknown authority"
        assert (await api("POST", MAPS, config_map())).summary == (500, "InternalError", CALL + post + why)
        patch = [{"op": "replace", "path": "/webhooks/0/clientConfig/url", "value": "https://127.0.0.1:1/v"}]
        await api.patch("json", f"{GROUP}/validatingwebhookconfigurations/hooks", patch)
        post = 'failed to call webhook: Post "https://127.0.0.1:1/v?timeout=5s": dial tcp 127.0.0.1:1: connect: connection refused'
        assert (await api("POST", MAPS, config_map())).summary == (500, "InternalError", CALL + post)

    run_hooked(scenario)


def test_a_service_is_found_by_its_endpoints(run_hooked: RunHooked) -> None:
    async def scenario(api: Api, hook: Hook) -> None:
        hook.answers["/v"] = refuses(message="no")
        service = {"namespace": "default", "name": "hook", "path": "/v", "port": 443}
        await configure(api, "validating", hook.config("/v", clientConfig={"service": service, "caBundle": hook.bundle}))
        post = f'{CALL}failed to call webhook: Post "https://hook.default.svc:443/v?timeout=5s": '
        assert (await api("POST", MAPS, config_map())).summary[2] == f'{post}service "hook" not found'
        spec = {"ports": [{"name": "https", "port": 443, "targetPort": 8443}]}
        await api("POST", "/api/v1/namespaces/default/services", {"metadata": {"name": "hook"}, "spec": spec})
        assert (await api("POST", MAPS, config_map())).summary[2] == f'{post}no endpoints available for service "hook"'
        slices = api.server.context.served["discovery.k8s.io", "v1", "endpointslices"].objects
        metadata = {"name": "hook-1", "namespace": "default", "uid": "u", "labels": {"kubernetes.io/service-name": "hook"}}
        ready = {"ports": [{"name": "https", "port": hook.port}], "endpoints": [{"addresses": ["127.0.0.1"]}]}
        # Beside the API, which lets no endpoint be a loopback address.
        await slices.create("default/hook-1", {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": metadata, **ready})
        assert (await api("POST", MAPS, config_map())).summary[2] == f"{DENIED}: no"

    run_hooked(scenario)


@pytest.mark.parametrize(
    ("more", "labels", "seen"),
    [
        ({"objectSelector": {"matchLabels": {"a": "b"}}}, {"a": "b"}, True),
        ({"objectSelector": {"matchLabels": {"a": "b"}}}, {}, False),
        ({"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "default"}}}, {}, True),
        ({"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "other"}}}, {}, False),
        ({"rules": [{"operations": ["*"], "apiGroups": ["*"], "apiVersions": ["*"], "resources": ["*"], "scope": "Cluster"}]}, {}, False),
        ({"rules": [{"operations": ["*"], "apiGroups": ["*"], "apiVersions": ["*"], "resources": ["*"], "scope": "Namespaced"}]}, {}, True),
        ({"rules": [{"operations": ["UPDATE"], "apiGroups": ["*"], "apiVersions": ["*"], "resources": ["*"]}]}, {}, False),
        ({"rules": [{"operations": ["CREATE"], "apiGroups": ["apps"], "apiVersions": ["*"], "resources": ["*"]}]}, {}, False),
        ({"rules": [{"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["*/*"]}]}, {}, True),
        ({"rules": [{"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["configmaps/x"]}]}, {}, False),
    ],
)
def test_who_is_asked(run_hooked: RunHooked, more: dict[str, Any], labels: dict[str, str], seen: bool) -> None:
    async def scenario(api: Api, hook: Hook) -> None:
        hook.answers["/v"] = allow
        await configure(api, "validating", hook.config("/v", **more))
        assert (await api("POST", MAPS, config_map(**labels))).status == 201
        assert bool(hook.reviews) is seen

    run_hooked(scenario)


def test_an_equivalent_version_is_converted_there_and_back(run_hooked: RunHooked) -> None:
    async def scenario(api: Api, hook: Hook) -> None:
        hook.answers["/a"] = patches({"op": "replace", "path": "/spec/maxReplicas", "value": 9})
        rule = {"operations": ["*"], "apiGroups": ["autoscaling"], "apiVersions": ["v1"], "resources": ["horizontalpodautoscalers"]}
        await configure(api, "mutating", hook.config("/a", rules=[rule]))
        target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "d"}
        resource = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}}
        body = {
            "metadata": {"name": "h"},
            "spec": {"scaleTargetRef": target, "maxReplicas": 3, "metrics": [{"type": "Resource", "resource": resource}]},
        }
        made = (await api("POST", "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers", body)).body
        assert (made["apiVersion"], made["spec"]["maxReplicas"], made["spec"]["metrics"][0]["resource"]) == ("autoscaling/v2", 9, resource)
        ((_, request),) = hook.reviews
        assert (request["kind"]["version"], request["requestKind"]["version"]) == ("v1", "v2")
        assert request["object"]["spec"]["targetCPUUtilizationPercentage"] == 50
        await api("DELETE", f"{GROUP}/mutatingwebhookconfigurations/hooks")
        await configure(api, "mutating", hook.config("/a", rules=[rule], matchPolicy="Exact"))
        await api("POST", "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers", {**body, "metadata": {"name": "h2"}})
        assert len(hook.reviews) == 1

    run_hooked(scenario)


def test_updates_deletions_and_subresources(run_hooked: RunHooked) -> None:
    async def scenario(api: Api, hook: Hook) -> None:
        hook.answers["/v"] = allow
        rules = [{"operations": ["*"], "apiGroups": ["apps"], "apiVersions": ["v1"], "resources": ["deployments", "deployments/*"]}]
        template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
        body = {"metadata": {"name": "d"}, "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": template}}
        path = "/apis/apps/v1/namespaces/default/deployments"
        assert (await api("POST", path, body)).status == 201
        await configure(api, "validating", hook.config("/v", rules=rules))
        await api.patch("merge", f"{path}/d", {"metadata": {"labels": {"x": "y"}}})
        await api.patch("merge", f"{path}/d/scale", {"spec": {"replicas": 3}})
        await api("DELETE", f"{path}/d")
        seen = [
            (
                each["operation"],
                each.get("subResource"),
                each["kind"]["kind"],
                (each["object"] or {}).get("kind"),
                each["oldObject"]["kind"],
            )
            for _, each in hook.reviews
        ]
        assert seen == [
            ("UPDATE", None, "Deployment", "Deployment", "Deployment"),
            ("UPDATE", "scale", "Scale", "Scale", "Scale"),
            ("DELETE", None, "Deployment", None, "Deployment"),
        ]

    run_hooked(scenario)


def test_warnings_reach_the_client_and_dry_run_needs_a_promise(run_hooked: RunHooked) -> None:
    async def scenario(api: Api, hook: Hook) -> None:
        hook.answers["/v"] = lambda request: {"allowed": True, "warnings": ["old"], "auditAnnotations": {"k": "v"}}
        await configure(api, "validating", hook.config("/v"))
        assert (await api("POST", MAPS, config_map())).warnings == ['299 - "old"']
        hooks = api.server.context.served["admissionregistration.k8s.io", "v1", "validatingwebhookconfigurations"].objects

        async def loosen(stored: dict[str, Any]) -> dict[str, Any]:
            stored["webhooks"][0]["sideEffects"] = "Some"
            return stored

        await hooks.update("hooks", loosen)
        answer = await api("POST", f"{MAPS}?dryRun=All", config_map("n"))
        assert answer.summary == (400, "BadRequest", 'admission webhook "v.example.com" does not support dry run')

    run_hooked(scenario)


def test_configurations_themselves_are_nobodys_business(run_hooked: RunHooked) -> None:
    async def scenario(api: Api, hook: Hook) -> None:
        hook.answers["/v"] = refuses()
        rule = {"operations": ["*"], "apiGroups": ["*"], "apiVersions": ["*"], "resources": ["*/*"]}
        await configure(api, "validating", hook.config("/v", rules=[rule]))
        assert (await api("POST", MAPS, config_map())).status == 400
        assert (await api("DELETE", f"{GROUP}/validatingwebhookconfigurations/hooks")).status == 200
        assert (await api("POST", MAPS, config_map())).status == 201

    run_hooked(scenario)


def test_a_connection_is_kept_for_the_next_review(run_hooked: RunHooked) -> None:
    async def scenario(api: Api, hook: Hook) -> None:
        hook.answers["/v"] = allow
        await configure(api, "validating", hook.config("/v"))
        for index in range(3):
            assert (await api("POST", MAPS, config_map(f"m{index}"))).status == 201
        assert len(hook.reviews) == 3

    run_hooked(scenario)


@pytest.mark.skipif(importlib.util.find_spec("cel_expr_python") is None, reason="cel-expr-python is not installed")
@pytest.mark.parametrize(
    ("expressions", "more", "status", "seen"),
    [
        (["object.metadata.name == 'm'", "request.operation == 'CREATE'"], {}, 201, True),
        (["object.metadata.name == 'm'", "false"], {}, 201, False),
        (["object.nothing == 1"], {}, 403, False),
        (["object.nothing == 1"], {"failurePolicy": "Ignore"}, 201, False),
        (["object.nothing == 1", "false"], {}, 201, False),
    ],
)
def test_match_conditions(run_hooked: RunHooked, expressions: list[str], more: dict[str, Any], status: int, seen: bool) -> None:
    async def scenario(api: Api, hook: Hook) -> None:
        hook.answers["/v"] = allow
        conditions = [{"name": f"c{index}", "expression": each} for index, each in enumerate(expressions)]
        await configure(api, "validating", hook.config("/v", matchConditions=conditions, **more))
        assert (await api("POST", MAPS, config_map())).status == status
        assert bool(hook.reviews) is seen

    run_hooked(scenario)


def test_connections_to_pods_are_asked_about(run_hooked: RunHooked) -> None:
    async def scenario(api: Api, hook: Hook) -> None:
        hook.answers["/v"] = refuses(message="no shells")
        rule = {"operations": ["CONNECT"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods/exec"]}
        await configure(api, "validating", hook.config("/v", rules=[rule]))
        pod = {"metadata": {"name": "p"}, "spec": {"nodeName": "n", "containers": [{"name": "c", "image": "i"}]}}
        await api("POST", "/api/v1/namespaces/default/pods", pod)
        upgrade = {"connection": "Upgrade", "upgrade": "SPDY/3.1", "x_stream_protocol_version": "v4.channel.k8s.io"}
        answer = await api("POST", "/api/v1/namespaces/default/pods/p/exec?command=sh&container=c&stdout=1", **upgrade)
        assert answer.summary == (400, "", f"{DENIED}: no shells")
        ((_, request),) = hook.reviews
        assert (request["kind"]["kind"], request["subResource"], request["object"]["command"]) == ("PodExecOptions", "exec", ["sh"])

    run_hooked(scenario)


def test_what_becomes_of_webhooks_is_counted(run_hooked: RunHooked) -> None:
    async def scenario(api: Api, hook: Hook) -> None:
        hook.answers |= {
            "/pass": allow,
            "/refuse": lambda request: {"allowed": False, "status": {"code": 422, "message": "no"}},
            "/lost": Response(500),
            "/patch": patches({"op": "remove", "path": "/metadata/labels/none"}),
        }
        await configure(api, "mutating", hook.config("/pass"), name="a")
        await configure(api, "validating", hook.config("/lost", failurePolicy="Ignore"), name="b")
        assert (await api("POST", MAPS, config_map())).status == 201
        await configure(api, "validating", hook.config("/refuse"), name="c")
        assert (await api("POST", MAPS, config_map("n"))).status == 422
        await api("DELETE", f"{GROUP}/validatingwebhookconfigurations/c")
        await api.patch("json", f"{GROUP}/validatingwebhookconfigurations/b", [{"op": "remove", "path": "/webhooks/0/failurePolicy"}])
        assert (await api("POST", MAPS, config_map("n"))).status == 500
        await configure(api, "mutating", hook.config("/patch"), name="d")
        assert (await api("POST", MAPS, config_map("o"))).status == 500
        lines = (await api("GET", "/metrics")).raw.decode().splitlines()
        told = {line.removeprefix("apiserver_admission_webhook_") for line in lines if line.startswith("apiserver_admission_webhook_")}
        create = 'operation="CREATE"'
        assert {each for each in told if not each.startswith("admission_duration_seconds")} == {
            f'request_total{{name="pass.example.com",type="admit",{create},code="200",rejected="false"}} 4',
            f'request_total{{name="lost.example.com",type="validating",{create},code="500",rejected="false"}} 2',
            f'request_total{{name="lost.example.com",type="validating",{create},code="500",rejected="true"}} 1',
            f'request_total{{name="refuse.example.com",type="validating",{create},code="422",rejected="true"}} 1',
            f'request_total{{name="patch.example.com",type="admit",{create},code="0",rejected="true"}} 1',
            f'rejection_count{{name="refuse.example.com",type="validating",{create},error_type="no_error",rejection_code="422"}} 1',
            f'rejection_count{{name="lost.example.com",type="validating",{create},error_type="calling_webhook_error",'
            'rejection_code="500"} 1',
            f'rejection_count{{name="patch.example.com",type="admit",{create},error_type="apiserver_internal_error",rejection_code="0"}} 1',
            'fail_open_count{name="lost.example.com",type="validating"} 2',
        }
        assert f'admission_duration_seconds_count{{name="pass.example.com",type="admit",{create},rejected="false"}} 4' in told

    run_hooked(scenario)
