"""Audit through the front door: what is left in the log of requests of all kinds, and the webhook that gets it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from proa.apiserver.server import build
from proa.lib.http.message import Request, Response, StreamResponse
from proa.lib.http.server import HttpServer
from tests.integration.conftest import Api, Run

PODS, MAPS = "/api/v1/namespaces/default/pods", "/api/v1/namespaces/default/configmaps"
Events = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def audited(run: Run, tmp_path: Path) -> Callable[..., None]:
    """Runs a scenario against a server with that policy; it gets the events of the log since it looked last."""

    def run_audited(scenario: Callable[[Api, Events], Awaitable[None]], policy: dict[str, Any], **options: Any) -> None:
        path, log = tmp_path / "policy.yaml", tmp_path / "audit.log"
        rules = [rule("None", users=["system:apiserver"]), *policy["rules"]]
        path.write_bytes(orjson.dumps({"apiVersion": "audit.k8s.io/v1", "kind": "Policy", **policy, "rules": rules}))
        seen = [0]

        def events() -> list[dict[str, Any]]:
            found = [orjson.loads(line) for line in log.read_bytes().splitlines()]
            new, seen[0] = found[seen[0] :], len(found)
            return new

        async def with_audit(api: Api) -> None:
            await api.server.stop(0)
            config = replace(api.server.config, audit_policy_file=path, **{"audit_log_path": log, **options})
            api.server = await build(config, clock=api.clock, backend=api.backend)
            await api.server.start(listen=False)
            if log.exists():
                events()
            await scenario(api, events)

        run(with_audit)

    return run_audited


def rule(level: str, **more: Any) -> dict[str, Any]:
    return {"level": level, **more}


def test_metadata_of_a_request(audited: Callable[..., None]) -> None:
    async def scenario(api: Api, events: Events) -> None:
        answer = await api("GET", f"{MAPS}?limit=1", user="alice", audit_id="given", x_forwarded_for="1.2.3.4")
        assert (answer.status, answer.headers["audit-id"]) == (403, "given")
        received, complete = events()
        assert received == {
            "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata", "auditID": "given", "stage": "RequestReceived",
            "requestURI": f"{MAPS}?limit=1", "verb": "list", "user": {"username": "alice", "groups": ["system:authenticated"]},
            "sourceIPs": ["1.2.3.4"], "userAgent": "test/1",
            "objectRef": {"resource": "configmaps", "namespace": "default", "apiVersion": "v1"},
            "requestReceivedTimestamp": "2030-01-01T00:00:00.000000Z", "stageTimestamp": "2030-01-01T00:00:00.000000Z",
        }  # fmt: skip
        message = 'configmaps is forbidden: User "alice" cannot list resource "configmaps" in API group "" in the namespace "default"'
        assert complete["responseStatus"] == {
            "metadata": {}, "status": "Failure", "message": message, "reason": "Forbidden", "details": {"kind": "configmaps"}, "code": 403,
        }  # fmt: skip
        assert complete["annotations"] == {"authorization.k8s.io/decision": "forbid", "authorization.k8s.io/reason": ""}
        await api("GET", "/version", user="alice")
        _, complete = events()
        assert (complete["verb"], complete["responseStatus"], "objectRef" in complete) == ("get", {"metadata": {}, "code": 200}, False)
        reason = complete["annotations"]["authorization.k8s.io/reason"]
        assert reason.startswith('RBAC: allowed by ClusterRoleBinding "system:')

    audited(scenario, {"rules": [rule("Metadata")]})


def test_objects_as_the_level_wants_them(audited: Callable[..., None]) -> None:
    async def scenario(api: Api, events: Events) -> None:
        secret = {"metadata": {"name": "s"}, "stringData": {"password": "hidden"}}
        await api("POST", "/api/v1/namespaces/default/secrets", secret)
        event = events()[0]
        assert (event["objectRef"]["name"], "requestObject" in event) == ("s", False)
        assert b"hidden" not in orjson.dumps(event)
        await api("POST", MAPS, {"metadata": {"name": "m"}, "data": {"a": "b"}})
        event = events()[0]
        assert (event["level"], event["requestObject"]["data"], "responseObject" in event) == ("Request", {"a": "b"}, False)
        pod = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
        await api("POST", PODS, pod)
        event = events()[0]
        assert event["requestObject"]["spec"]["containers"][0]["image"] == "i"
        assert event["responseObject"]["metadata"]["uid"]
        assert "managedFields" not in event["responseObject"]["metadata"]
        await api.patch("merge", f"{PODS}/p", {"metadata": {"labels": {"a": "b"}}})
        assert events()[0]["requestObject"] == {"metadata": {"labels": {"a": "b"}}}
        await api("GET", PODS, accept="application/json;as=Table;v=v1;g=meta.k8s.io,application/json")
        assert events()[0]["responseObject"]["kind"] == "Table"
        await api("GET", f"{PODS}/p", accept="application/vnd.kubernetes.protobuf")
        assert events()[0]["responseObject"]["metadata"]["name"] == "p"
        await api("DELETE", f"{PODS}/p", {"apiVersion": "v1", "kind": "DeleteOptions", "gracePeriodSeconds": 0})
        event = events()[0]
        assert event["requestObject"]["gracePeriodSeconds"] == 0
        await api("DELETE", f"{MAPS}/m")
        event = events()[0]
        assert (event["responseStatus"]["status"], event["responseStatus"]["details"]["name"]) == ("Success", "m")

    rules = [
        rule("Metadata", resources=[{"group": "", "resources": ["secrets"]}]),
        rule("Request", resources=[{"group": "", "resources": ["configmaps"]}]),
        rule("RequestResponse", omitManagedFields=True),
    ]
    audited(scenario, {"rules": rules, "omitStages": ["RequestReceived"]})


def test_a_watch_has_three_stages(audited: Callable[..., None]) -> None:
    async def scenario(api: Api, events: Events) -> None:
        watch = await api.watch(f"{MAPS}?watch=true&timeoutSeconds=5")
        assert [(event["stage"], event.get("responseStatus", {}).get("code")) for event in events()] == [
            ("RequestReceived", None), ("ResponseStarted", 200),
        ]  # fmt: skip
        await asyncio.sleep(0)
        await watch.close()
        assert [event["stage"] for event in events()] == ["ResponseComplete"]

    audited(scenario, {"rules": [rule("Metadata")]})


def test_who_acts_as_another(audited: Callable[..., None]) -> None:
    async def scenario(api: Api, events: Events) -> None:
        await api("GET", PODS, impersonate_user="bob", impersonate_group="devs")
        event = events()[0]
        assert event["user"]["username"] != "bob"
        assert event["impersonatedUser"] == {"username": "bob", "groups": ["devs", "system:authenticated"]}

    audited(scenario, {"rules": [rule("Metadata")], "omitStages": ["RequestReceived"]})


def test_who_is_nobody(audited: Callable[..., None]) -> None:
    async def scenario(api: Api, events: Events) -> None:
        request = Request("GET", PODS, {}, {"authorization": "Bearer wrong"}, b"", PODS, "", "10.0.0.5:99")
        response = await api.server.handler(request)
        assert isinstance(response, Response)
        assert response.status == 401
        await asyncio.sleep(0)
        (event,) = events()
        assert (event["stage"], event["user"], event["responseStatus"]["code"]) == ("ResponseStarted", {}, 401)
        assert event["responseStatus"]["message"] == "Authentication failed, attempted: bearer"

    audited(scenario, {"rules": [rule("Metadata")]})


def test_annotations_of_admission_and_of_old_apis(audited: Callable[..., None]) -> None:
    async def scenario(api: Api, events: Events) -> None:
        labels = {"pod-security.kubernetes.io/enforce": "privileged", "pod-security.kubernetes.io/audit": "restricted"}
        await api.patch("merge", "/api/v1/namespaces/default", {"metadata": {"labels": labels}})
        events()
        await api("POST", PODS, {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i"}]}})
        annotations = events()[0]["annotations"]
        assert annotations["pod-security.kubernetes.io/enforce-policy"] == "privileged:latest"
        assert annotations["pod-security.kubernetes.io/audit-violations"].startswith('would violate PodSecurity "restricted:latest"')
        await api("GET", "/api/v1/componentstatuses")
        annotations = events()[0]["annotations"]
        assert (annotations["k8s.io/deprecated"], "k8s.io/removed-release" in annotations) == ("true", False)
        await api("GET", "/apis/coordination.k8s.io/v1beta1/leasecandidates")
        annotations = events()[0]["annotations"]
        assert (annotations["k8s.io/deprecated"], annotations["k8s.io/removed-release"]) == ("true", "1.39")

    options = {"runtime_config": {"coordination.k8s.io/v1beta1": True}}
    audited(scenario, {"rules": [rule("Metadata")], "omitStages": ["RequestReceived"]}, **options)


def test_what_breaks_is_a_panic(audited: Callable[..., None]) -> None:
    async def scenario(api: Api, events: Events) -> None:
        async def broken(call: object) -> Response:
            raise RuntimeError("lost")

        api.server.context.connect["", "pods", "broken"] = broken
        assert (await api("GET", f"{PODS}/p/broken")).status == 500
        (event,) = events()
        assert (event["stage"], event["responseStatus"]["message"]) == ("Panic", "APIServer panic'd: lost")

    audited(scenario, {"rules": [rule("Metadata")], "omitStages": ["RequestReceived"]})


def test_nothing_is_left_of_what_nobody_wants(audited: Callable[..., None]) -> None:
    async def scenario(api: Api, events: Events) -> None:
        await api("GET", "/readyz")
        await api("GET", PODS)
        assert events() == []
        assert 'apiserver_audit_level_total{level="None"}' in (await api("GET", "/metrics")).raw.decode()

    audited(scenario, {"rules": [rule("None", nonResourceURLs=["/*"]), rule("None", verbs=["list"]), rule("Metadata")]})


def test_a_request_that_must_be_recorded_fails_when_it_can_not_be(audited: Callable[..., None]) -> None:
    async def scenario(api: Api, events: Events) -> None:
        auditor = api.server.stages.auditor
        assert auditor is not None

        def full(data: bytes) -> None:
            raise OSError("No space left on device")

        auditor._backends[0]._target._file.write = full  # type: ignore[attr-defined]
        answer = await api("GET", PODS)
        assert answer.summary == (500, "InternalError", "Internal error occurred: failed to store audit event")
        text = (await api("GET", "/metrics", user="system:monitoring")).raw.decode()
        assert "Internal error" in text

    audited(scenario, {"rules": [rule("Metadata")]}, audit_log_mode="blocking-strict")


class Receiver:
    """The server that the webhook posts to. `answers` are the statuses of its next answers."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.answers: list[int] = []
        self.arrived = asyncio.Event()

    async def __call__(self, request: Request) -> Response | StreamResponse:
        status = self.answers.pop(0) if self.answers else 200
        if status == 200:
            self.bodies.append(orjson.loads(request.body))
        self.arrived.set()
        return Response(status, {"content-type": "application/json"}, b"{}")

    async def next(self) -> None:
        await asyncio.wait_for(self.arrived.wait(), 5)
        self.arrived.clear()


def kubeconfig(path: Path, port: int) -> Path:
    document = {
        "current-context": "a", "contexts": [{"name": "a", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": f"http://127.0.0.1:{port}/audit"}}], "users": [{"name": "u", "user": {}}],
    }  # fmt: skip
    path.write_bytes(orjson.dumps(document))
    return path


@pytest.mark.parametrize("mode", ["batch", "blocking"])
def test_the_webhook_gets_lists_of_events(audited: Callable[..., None], tmp_path: Path, mode: str) -> None:
    async def scenario(api: Api, events: Events) -> None:
        receiver = Receiver()
        server = HttpServer(receiver)
        port = await server.listen("127.0.0.1", 0)
        config = replace(
            api.server.config, audit_webhook_config_file=kubeconfig(tmp_path / "hook.json", port), audit_webhook_mode=mode,
            audit_webhook_batch_max_wait=5.0, audit_log_path=None,
        )  # fmt: skip
        await api.server.stop(0)
        api.server = await build(config, clock=api.clock, backend=api.backend)
        await api.server.start(listen=False)
        if mode == "batch":
            receiver.answers = [503]
            await api("GET", PODS)
            await api("GET", MAPS)
            await api.clock.advance(6)
            await receiver.next()
            await api.clock.advance(13)
            await receiver.next()
            listed = [(event["stage"], event["objectRef"]["resource"]) for event in receiver.bodies[0]["items"]]
            assert listed == [("ResponseComplete", "pods"), ("ResponseComplete", "configmaps")]
        else:
            await api("GET", PODS)
            assert [event["objectRef"]["resource"] for event in receiver.bodies[0]["items"]] == ["pods"]
        assert (receiver.bodies[0]["kind"], receiver.bodies[0]["apiVersion"]) == ("EventList", "audit.k8s.io/v1")
        await api.server.stop(0)
        await server.stop(0)

    audited(scenario, {"rules": [rule("Metadata")], "omitStages": ["RequestReceived"]})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"audit_log_mode": "sometimes"}, 'invalid audit log mode sometimes, allowed modes are "batch,blocking,blocking-strict"'),
        ({"audit_log_format": "xml"}, "invalid audit log format xml"),
        ({"audit_webhook_batch_buffer_size": 0}, "invalid audit batch webhook buffer size 0, must be a positive number"),
        ({"audit_log_truncate_max_batch_size": 1}, "invalid audit truncate log max batch size 1, must be greater than max event size"),
        ({"audit_webhook_version": "audit.k8s.io/v1beta1"}, r'invalid group version, allowed versions are \["audit.k8s.io/v1"\]'),
        ({"audit_webhook_config_file": Path("/nonexistent/config")}, "initializing audit webhook: /nonexistent/config can't be used"),
        ({"audit_policy_file": Path("/nonexistent/policy")}, "loading audit policy file: failed to read file path"),
    ],
)
def test_a_server_that_cannot_audit_does_not_start(run: Run, tmp_path: Path, options: dict[str, Any], message: str) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text("apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{level: Metadata}]\n")

    async def scenario(api: Api) -> None:
        wanted = {"audit_policy_file": policy, "audit_log_path": tmp_path / "audit.log", **options}
        with pytest.raises(ValueError, match=message):
            await build(replace(api.server.config, **wanted), clock=api.clock, backend=api.backend)

    run(scenario)
