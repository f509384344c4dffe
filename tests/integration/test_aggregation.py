"""API aggregation through the front door: a whole API server before an extension server that listens with TLS."""

import asyncio
from typing import Any

import pytest

from proa.lib import pki
from proa.lib.http.message import Response, UpgradeResponse
from tests.integration.conftest import Api, Run
from tests.integration.extension_server import (
    API_SERVICES,
    FLUNDERS,
    GROUP,
    NAME,
    NAMESPACE,
    SERVICE,
    VERSION,
    ExtensionServer,
    RunExtended,
    available,
    comes_up,
    make_endpoint,
    make_service,
    shout,
    until,
    wait_for_reason,
)

FLUNDER = {"apiVersion": f"{GROUP}/{VERSION}", "kind": "Flunder", "metadata": {"name": "f", "labels": {"sample-label": "true"}}}


def test_a_group_version_of_another_server_is_used_like_any_other(run_extended: RunExtended) -> None:
    async def scenario(api: Api, other: ExtensionServer) -> None:
        assert (await api("GET", FLUNDERS)).status == 404
        await comes_up(api, other)
        made = await api("POST", FLUNDERS, FLUNDER)
        assert made.status == 201, made.raw
        listed = await api("GET", FLUNDERS)
        assert (listed.body["kind"], [each["metadata"]["name"] for each in listed.body["items"]]) == ("FlunderList", ["f"])
        watch = await api.watch(f"{FLUNDERS}?watch=1&resourceVersion={listed.body['metadata']['resourceVersion']}")
        assert (await api.patch("merge", f"{FLUNDERS}/f", {"spec": {"reference": "g"}})).body["spec"] == {"reference": "g"}
        assert (await api.patch("merge", f"{FLUNDERS}/f/status", {"status": {"a": 1}})).body["status"] == {"a": 1}
        assert (await api("DELETE", f"{FLUNDERS}/f")).status == 200
        assert [await watch.next() is not None for _ in range(2)] == [True, True]
        assert (await api("GET", FLUNDERS)).body["items"] == []
        assert (await api("GET", f"{FLUNDERS}/f")).summary == (404, "NotFound", f'flunders.{GROUP} "f" not found')
        table = await api("GET", FLUNDERS, accept="application/json;as=Table;v=v1;g=meta.k8s.io")
        assert table.body["kind"] == "Table"

    run_extended(scenario)


def test_the_other_server_hears_who_asks_and_sees_no_credentials(run_extended: RunExtended) -> None:
    async def scenario(api: Api, other: ExtensionServer) -> None:
        await comes_up(api, other)
        grant = {"metadata": {"name": "flunders"}, "rules": [{"apiGroups": [GROUP], "resources": ["*"], "verbs": ["*"]}]}
        await api("POST", "/apis/rbac.authorization.k8s.io/v1/clusterroles", grant)
        binding = {
            "metadata": {"name": "jane"}, "subjects": [{"kind": "User", "name": "jane"}],
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "flunders"},
        }  # fmt: skip
        await api("POST", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", binding)
        asked = {
            "authorization": "Bearer secret", "impersonate-user": "jane", "impersonate-group": "devs, ops", "impersonate-uid": "7",
            "impersonate-extra-example.com%2fScope": "a", "x-forwarded-for": "10.1.1.1", "connection": "x-hop", "x-hop": "1", "x-kept": "2",
        }  # fmt: skip
        await api("GET", f"{FLUNDERS}?limit=5", user="system:admin", **{"x-remote-group": "system:masters"}, **asked)
        (seen,) = other.requests
        told = {name: value for name, value in seen.headers.items() if name.startswith("x-remote-")}
        assert told == {
            "x-remote-user": "jane", "x-remote-group": "devs, ops, system:authenticated", "x-remote-uid": "7",
            "x-remote-extra-example.com%2fscope": "a",
        }  # fmt: skip
        assert (seen.raw_query, seen.headers["x-kept"], seen.headers["x-forwarded-for"]) == ("limit=5", "2", "10.1.1.1")
        assert not {"authorization", "impersonate-user", "x-hop"} & set(seen.headers)

    run_extended(scenario)


def test_who_may_not_is_refused_before_the_other_server_is_asked(run_extended: RunExtended) -> None:
    async def scenario(api: Api, other: ExtensionServer) -> None:
        await comes_up(api, other)
        answer = await api("GET", FLUNDERS, user="jane")
        message = (
            f'flunders.{GROUP} is forbidden: User "jane" cannot list resource "flunders" in API group "{GROUP}" in the namespace "default"'
        )
        assert answer.summary == (403, "Forbidden", message)
        assert other.requests == []

    run_extended(scenario)


def test_a_name_that_would_be_a_header_of_its_own_is_not_told(run_extended: RunExtended) -> None:
    async def scenario(api: Api, other: ExtensionServer) -> None:
        await comes_up(api, other)
        identity = {"x-remote-user": "jane\r\nX-Remote-Group: system:masters", "x-remote-group": "system:masters"}
        answer = await api("GET", FLUNDERS, **identity)
        assert (answer.status, answer.raw) == (503, b'net/http: invalid header field value for "X-Remote-User"\n')

    run_extended(scenario)


WHERE = f'service/{SERVICE} in "{NAMESPACE}"'


def test_what_keeps_an_api_service_from_being_available(run_extended: RunExtended) -> None:
    async def scenario(api: Api, other: ExtensionServer) -> None:
        async def state() -> tuple[str, str, str]:
            found = await available(api)
            return found["status"], found["reason"], found["message"]

        await api("POST", API_SERVICES, other.api_service())
        await wait_for_reason(api, "ServiceNotFound")
        assert await state() == ("False", "ServiceNotFound", f"{WHERE} is not present")
        refused = await api("GET", FLUNDERS)
        assert (refused.status, refused.raw, refused.headers["content-type"]) == (
            503, b"service unavailable\n", "text/plain; charset=utf-8",
        )  # fmt: skip
        await make_service(api, other.port, endpoint=False)
        await wait_for_reason(api, "EndpointsNotFound")
        assert await state() == ("False", "EndpointsNotFound", f"cannot find endpointslices for {WHERE}")
        await make_endpoint(api, other.port, ready=False)
        await wait_for_reason(api, "MissingEndpoints")
        assert await state() == ("False", "MissingEndpoints", f'endpointslices for {WHERE} have no addresses with port name "https"')
        await api("DELETE", f"/apis/discovery.k8s.io/v1/namespaces/{NAMESPACE}/endpointslices/{SERVICE}-1")
        await make_endpoint(api, other.port)
        await wait_for_reason(api, "Passed")
        assert await state() == ("True", "Passed", "all checks passed")
        assert (await api("GET", FLUNDERS)).status == 200
        service = {"namespace": NAMESPACE, "name": SERVICE, "port": 1}
        await api.patch("merge", f"{API_SERVICES}/{NAME}", {"spec": {"service": service}})
        await wait_for_reason(api, "ServicePortError")
        assert await state() == ("False", "ServicePortError", f"{WHERE} is not listening on port 1")
        table = await api("GET", f"{API_SERVICES}/{NAME}", accept="application/json;as=Table;v=v1;g=meta.k8s.io")
        assert [each["name"] for each in table.body["columnDefinitions"]] == ["Name", "Service", "Available", "Age"]
        assert table.body["rows"][0]["cells"][:3] == [NAME, f"{NAMESPACE}/{SERVICE}", "False (ServicePortError)"]

    run_extended(scenario)


def test_a_server_that_goes_down_and_comes_back(run_extended: RunExtended) -> None:
    async def scenario(api: Api, other: ExtensionServer) -> None:
        await comes_up(api, other)
        await other.stop()
        refused = await api("GET", FLUNDERS)
        assert (refused.status, refused.raw) == (503, f"dial tcp 127.0.0.1:{other.port}: connect: connection refused\n".encode())
        before = api.clock.monotonic()
        await wait_for_reason(api, "FailedDiscoveryCheck")
        url = f"https://127.0.0.1:{other.port}/apis/{GROUP}/{VERSION}"
        assert api.clock.monotonic() - before < 5, "noticed by the request that failed"
        why = f'failing or missing response from {url}: Get "{url}": dial tcp 127.0.0.1:{other.port}: connect: connection refused'
        assert (await available(api))["message"] == why
        assert (await api("GET", FLUNDERS)).raw == b"service unavailable\n"
        assert await shown(api) == ("Stale", ["flunders"])
        metrics = (await api("GET", "/metrics")).raw.decode().splitlines()
        assert f'aggregator_unavailable_apiservice{{name="{NAME}"}} 1' in metrics
        assert 'aggregator_unavailable_apiservice{name="v1.apps"} 0' in metrics
        assert f'aggregator_unavailable_apiservice_total{{name="{NAME}",reason="FailedDiscoveryCheck"}} 1' in metrics
        await other.listen()
        await wait_for_reason(api, "Passed")
        assert (await api("GET", FLUNDERS)).status == 200
        assert await shown(api) == ("Current", ["flunders"])

    run_extended(scenario)


AGGREGATED = "application/json;g=apidiscovery.k8s.io;v={};as=APIGroupDiscoveryList"


async def shown(api: Api, version: str = "v2") -> tuple[str, list[str]]:
    """(freshness, resources) of the group version in aggregated discovery."""
    document = (await api("GET", "/apis", accept=AGGREGATED.format(version))).body
    (found,) = [each for each in document["items"] if each["metadata"]["name"] == GROUP]
    (only,) = found["versions"]
    return only["freshness"], [each["resource"] for each in only.get("resources", ())]


@pytest.mark.parametrize("aggregated", [True, False])
def test_discovery_has_what_the_other_server_serves(run_extended: RunExtended, aggregated: bool) -> None:
    async def scenario(api: Api, other: ExtensionServer) -> None:
        other.knows_aggregated_discovery = aggregated
        before = (await api("GET", "/apis", accept=AGGREGATED.format("v2"))).headers["etag"]
        await comes_up(api, other)
        assert await shown(api) == await shown(api, "v2beta1") == ("Current", ["flunders"])
        answer = await api("GET", "/apis", accept=AGGREGATED.format("v2"))
        assert answer.headers["etag"] != before
        found = next(each for each in answer.body["items"] if each["metadata"]["name"] == GROUP)
        (resource,) = found["versions"][0]["resources"]
        kind = {"group": GROUP, "version": VERSION, "kind": "Flunder"}
        assert resource == {
            "resource": "flunders", "responseKind": kind, "scope": "Namespaced", "singularResource": "flunder", "shortNames": ["fl"],
            "verbs": ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"],
            "subresources": [{"subresource": "status", "responseKind": kind, "verbs": ["get", "patch", "update"]}],
        }  # fmt: skip
        groups = (await api("GET", "/apis")).body["groups"]
        version = {"groupVersion": f"{GROUP}/{VERSION}", "version": VERSION}
        assert groups[-1] == {"name": GROUP, "versions": [version], "preferredVersion": version}
        assert (await api("GET", f"/apis/{GROUP}")).body == {"kind": "APIGroup", "apiVersion": "v1", **groups[-1]}
        assert (await api("GET", f"/apis/{GROUP}/{VERSION}")).body["resources"][0]["name"] == "flunders"
        assert f"/apis/{GROUP}/{VERSION}" in (await api("GET", "/")).body["paths"]
        await api("DELETE", f"{API_SERVICES}/{NAME}")
        assert (await api("GET", f"/apis/{GROUP}")).status == 404
        assert (await api("GET", FLUNDERS)).status == 404

    run_extended(scenario)


def test_groups_and_versions_come_by_their_priorities(run_extended: RunExtended) -> None:
    async def scenario(api: Api, other: ExtensionServer) -> None:
        await comes_up(api, other, groupPriorityMinimum=17850)
        assert (await names_of_groups(api))[:3] == ["apiregistration.k8s.io", GROUP, "apps"]
        await api.patch("merge", f"{API_SERVICES}/{NAME}", {"spec": {"groupPriorityMinimum": 17780}})
        assert (await names_of_groups(api))[:3] == ["apiregistration.k8s.io", "apps", GROUP]
        more = other.api_service(version="v1", versionPriority=100)
        more["metadata"]["name"] = f"v1.{GROUP}"
        await api("POST", API_SERVICES, more)
        assert await versions(api) == [VERSION, "v1"]
        await api.patch("merge", f"{API_SERVICES}/v1.{GROUP}", {"spec": {"versionPriority": 300}})
        assert await versions(api) == ["v1", VERSION]

    run_extended(scenario)


async def names_of_groups(api: Api) -> list[str]:
    legacy = [each["name"] for each in (await api("GET", "/apis")).body["groups"]]
    aggregated = (await api("GET", "/apis", accept=AGGREGATED.format("v2"))).body["items"]
    assert [each["metadata"]["name"] for each in aggregated] == legacy
    return legacy


async def versions(api: Api) -> list[str]:
    return [each["version"] for each in (await api("GET", f"/apis/{GROUP}")).body["versions"]]


def test_trust_is_what_the_api_service_says(run_extended: RunExtended) -> None:
    async def scenario(api: Api, other: ExtensionServer) -> None:
        stranger = ExtensionServer(other.server, other.directory, pki.create_authority("stranger"))
        await comes_up(api, other, caBundle=stranger.bundle)
        refused = await api("GET", FLUNDERS)
        unknown = "tls: failed to verify certificate: x509: certificate signed by unknown authority\n"
        assert (refused.status, refused.raw.decode()) == (503, unknown)
        await api.patch("merge", f"{API_SERVICES}/{NAME}", {"spec": {"caBundle": None, "insecureSkipTLSVerify": True}})
        assert (await api("GET", FLUNDERS)).status == 200
        await api.patch("merge", f"{API_SERVICES}/{NAME}", {"spec": {"caBundle": "bm9uZQ==", "insecureSkipTLSVerify": None}})
        broken = await api("GET", FLUNDERS)
        assert (broken.status, broken.raw) == (500, b"unable to load root certificates: unable to parse bytes as PEM block\n")

    run_extended(scenario)


def test_redirects_stay_between_the_servers_and_repeated_headers_pass(run_extended: RunExtended) -> None:
    async def scenario(api: Api, other: ExtensionServer) -> None:
        await comes_up(api, other)
        other.answers[f"{FLUNDERS}/away"] = Response(302, {"location": "https://elsewhere.example.com/"})
        moved = await api("GET", f"{FLUNDERS}/away")
        assert (moved.status, moved.raw) == (502, b"the backend attempted to redirect this request, which is not permitted")
        cookies = (("set-cookie", "a=1, 2"), ("set-cookie", "b=2"))
        other.answers[f"{FLUNDERS}/cookies"] = Response(200, {"x-single": "1"}, b"", cookies)
        response = await api.send("GET", f"{FLUNDERS}/cookies")
        assert isinstance(response, Response)
        assert (response.repeated_headers, response.headers["x-single"]) == (cookies, "1")
        assert "set-cookie" not in response.headers

    run_extended(scenario)


class Loop:
    """Both ends of a connection: what is written to `sent` was received by the client."""

    def __init__(self, *received: bytes) -> None:
        self._received = list(received)
        self.sent = b""
        self.closed = False
        self.answered = asyncio.Event()

    async def read(self, limit: int = 65536) -> bytes:
        if self._received:
            return self._received.pop(0)
        await self.answered.wait()
        return b""

    async def write(self, data: bytes) -> None:
        self.sent += data
        self.answered.set()

    async def close(self) -> None:
        self.closed = True


def test_an_upgrade_passes(run_extended: RunExtended) -> None:
    async def scenario(api: Api, other: ExtensionServer) -> None:
        await comes_up(api, other)
        other.answers[f"{FLUNDERS}/f/shout"] = shout
        response = await api.send("GET", f"{FLUNDERS}/f/shout", connection="Upgrade", upgrade="shout")
        assert isinstance(response, UpgradeResponse)
        assert response.headers["upgrade"] == "shout"
        client = Loop(b"hello")
        await asyncio.wait_for(response.run(client), 5)
        assert (client.sent, client.closed) == (b"HELLO", True)
        assert other.requests[-1].headers["x-remote-user"] == "system:root"

    run_extended(scenario)


def test_a_restarted_server_knows_at_once_who_answers(run_extended: RunExtended) -> None:
    async def scenario(api: Api, other: ExtensionServer) -> None:
        await comes_up(api, other)
        await api.restart()
        assert (await api("GET", FLUNDERS)).status == 200

        async def current() -> bool:
            return await shown(api) == ("Current", ["flunders"])

        await until(api, current)

    run_extended(scenario)


def test_the_life_of_an_api_service(run_extended: RunExtended) -> None:
    """As upstream's conformance case takes it: read, patch, label, status, delete a collection."""

    async def scenario(api: Api, other: ExtensionServer) -> None:
        await comes_up(api, other)
        path = f"{API_SERVICES}/{NAME}"
        status = (await api("GET", f"{path}/status")).body
        assert status["status"]["conditions"][0]["type"] == "Available"
        watch = await api.watch(f"{FLUNDERS}?watch=1")
        patched = await api.patch("merge", path, {"spec": {"versionPriority": 400}})
        await api("POST", FLUNDERS, FLUNDER)
        assert await watch.take(1) == [("ADDED", "f")], "a watch outlives a change of priorities"
        assert (patched.status, patched.body["spec"]["versionPriority"]) == (200, 400)
        found = await api("GET", API_SERVICES)
        assert [each["spec"]["versionPriority"] for each in found.body["items"] if each["metadata"]["name"] == NAME] == [400]
        labelled = patched.body
        labelled["metadata"]["labels"] = {"apiservice": "patched"}
        assert (await api("PUT", path, labelled)).body["metadata"]["labels"] == {"apiservice": "patched"}
        now = (await api("GET", path)).body
        now["status"]["conditions"].append({"type": "StatusUpdated", "status": "True", "reason": "E2E", "message": "Set from e2e test"})
        assert (await api("PUT", f"{path}/status", now)).status == 200
        status_patch = {"status": {"conditions": [{"type": "StatusPatched", "status": "True"}]}}
        conditions = (await api.patch("strategic", f"{path}/status", status_patch)).body["status"]["conditions"]
        assert {each["type"] for each in conditions} == {"Available", "StatusUpdated", "StatusPatched"}
        await api.patch("merge", f"{path}/status", status_patch)
        await api.clock.advance(31)
        await wait_for_reason(api, "Passed")
        conditions = (await api("GET", path)).body["status"]["conditions"]
        assert {each["type"] for each in conditions} == {"Available", "StatusPatched"}
        assert (await api("DELETE", f"{API_SERVICES}?labelSelector=apiservice%3Dpatched")).status == 200
        assert (await api("GET", path)).summary == (404, "NotFound", f'apiservices.apiregistration.k8s.io "{NAME}" not found')
        assert (await api("GET", f"{API_SERVICES}/v1.apps")).status == 200

    run_extended(scenario)


def conditions_of(obj: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = obj["status"]["conditions"]
    return found


def test_what_is_served_here_is_registered(run: Run) -> None:
    async def scenario(api: Api) -> None:
        listed = {each["metadata"]["name"]: each for each in (await api("GET", API_SERVICES)).body["items"]}
        assert {"v1.", "v1.apps", "v2.autoscaling", "v1.autoscaling", "v1.storage.k8s.io"} <= set(listed)
        assert not [name for name in listed if "apiregistration" in name]
        apps = listed["v1.apps"]
        assert apps["spec"] == {"group": "apps", "version": "v1", "groupPriorityMinimum": 17800, "versionPriority": 15}
        assert apps["metadata"]["labels"] == {"kube-aggregator.kubernetes.io/automanaged": "onstart"}
        local = {"type": "Available", "status": "True", "reason": "Local", "message": "Local APIServices are always available"}
        assert [each | {"lastTransitionTime": ""} for each in conditions_of(apps)] == [local | {"lastTransitionTime": ""}]
        assert listed["v1."]["spec"] == {"version": "v1", "groupPriorityMinimum": 18000, "versionPriority": 1}

    run(scenario)


WIDGETS = {
    "metadata": {"name": "widgets.example.com"},
    "spec": {
        "group": "example.com", "scope": "Cluster", "names": {"plural": "widgets", "kind": "Widget"},
        "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {"type": "object"}}}],
    },
}  # fmt: skip


def test_a_definition_brings_its_api_service_and_takes_it_along(run: Run) -> None:
    async def scenario(api: Api) -> None:
        definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
        own = f"{API_SERVICES}/v1.example.com"

        async def there() -> bool:
            return (await api("GET", own)).status == 200

        async def gone() -> bool:
            return not await there()

        await api("POST", definitions, WIDGETS)
        await until(api, there)
        made = (await api("GET", own)).body
        assert made["metadata"]["labels"] == {"kube-aggregator.kubernetes.io/automanaged": "true"}
        assert made["spec"] == {"group": "example.com", "version": "v1", "groupPriorityMinimum": 1000, "versionPriority": 100}
        await api("DELETE", own)
        await until(api, there)
        await api.patch("merge", own, {"spec": {"versionPriority": 5}})

        async def mended() -> bool:
            return bool((await api("GET", own)).body["spec"]["versionPriority"] == 100)

        await until(api, mended)
        await api("DELETE", f"{definitions}/widgets.example.com")
        await until(api, gone)

    run(scenario)


def test_what_is_built_in_is_registered_once_at_each_start(run: Run) -> None:
    async def scenario(api: Api) -> None:
        await api("DELETE", f"{API_SERVICES}/v1.batch")
        await api.patch("merge", f"{API_SERVICES}/v1.apps", {"spec": {"versionPriority": 5}})
        await api.patch("merge", f"{API_SERVICES}/v1.policy", {"metadata": {"labels": None}, "spec": {"versionPriority": 5}})
        await api.clock.advance(5)
        assert (await api("GET", f"{API_SERVICES}/v1.batch")).status == 404
        await api.restart()
        priorities = {each["metadata"]["name"]: each["spec"]["versionPriority"] for each in (await api("GET", API_SERVICES)).body["items"]}
        assert (priorities["v1.batch"], priorities["v1.apps"], priorities["v1.policy"]) == (15, 15, 5)

    run(scenario)


BASE = {"group": "example.com", "version": "v1", "groupPriorityMinimum": 1000, "versionPriority": 15}
REMOTE = {"namespace": "n", "name": "s"}


@pytest.mark.parametrize(
    ("name", "spec", "causes"),
    [
        ("v1.example.com", BASE, []),
        ("v1.example.com", BASE | {"service": REMOTE, "caBundle": "YQ=="}, []),
        ("v1.example.org", BASE, [("metadata.name", 'spec.version+"."+spec.group`: "v1.example.com"')]),
        ("v2.", BASE | {"group": "", "version": "v2"}, [("spec.group", "Required value: only v1 may have an empty group")]),
        ("v1.example_com", BASE | {"group": "example_com"}, [("spec.group", "a lowercase RFC 1123 subdomain must consist of")]),
        ("1.example.com", BASE | {"version": "1"}, [("spec.version", "a DNS-1035 label must consist of")]),
        ("v1.example.com", BASE | {"groupPriorityMinimum": 0}, [("spec.groupPriorityMinimum", "must be positive and less than 20000")]),
        ("v1.example.com", BASE | {"groupPriorityMinimum": 20001}, [("spec.groupPriorityMinimum", "must be positive and less than 20000")]),
        ("v1.example.com", BASE | {"versionPriority": 1001}, [("spec.versionPriority", "must be positive and less than 1000")]),
        ("v1.example.com", BASE | {"caBundle": "YWJj"}, [("spec.caBundle", '"3 bytes": local APIServices may not have a caBundle')]),
        (
            "v1.example.com", BASE | {"insecureSkipTLSVerify": True},
            [("spec.insecureSkipTLSVerify", "true: local APIServices may not have insecureSkipTLSVerify")],
        ),
        ("v1.example.com", BASE | {"service": REMOTE | {"port": 70000}},
         [("spec.service.port", "70000: port is not valid: must be between 1 and 65535, inclusive")]),
        ("v1.example.com", BASE | {"service": {}}, [("spec.service.namespace", "Required value"), ("spec.service.name", "Required value")]),
        (
            "v1.example.com", BASE | {"service": REMOTE, "caBundle": "YQ==", "insecureSkipTLSVerify": True},
            [("spec.insecureSkipTLSVerify", "may not be true if caBundle is present")],
        ),
    ],
)  # fmt: skip
def test_what_an_api_service_may_be(run: Run, name: str, spec: dict[str, Any], causes: list[tuple[str, str]]) -> None:
    async def scenario(api: Api) -> None:
        answer = await api("POST", API_SERVICES, {"metadata": {"name": name}, "spec": spec})
        if not causes:
            assert answer.status == 201
            return
        found = answer.body["details"]["causes"]
        assert [each["field"] for each in found] == [field for field, _ in causes]
        assert all(text in each["message"] for each, (_, text) in zip(found, causes, strict=True)), found
        assert answer.status == 422

    run(scenario)


def test_the_status_of_a_condition_is_one_of_three(run: Run) -> None:
    async def scenario(api: Api) -> None:
        patch = {"status": {"conditions": [{"type": "A", "status": "Maybe"}]}}
        answer = await api.patch("merge", f"{API_SERVICES}/v1.apps/status", patch)
        text = 'status.conditions[0].status: Unsupported value: "Maybe": supported values: "True", "False", "Unknown"'
        assert answer.summary == (422, "Invalid", f'APIService.apiregistration.k8s.io "v1.apps" is invalid: {text}')

    run(scenario)


TRUST = "/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication"


def test_whom_extension_servers_may_trust_is_kept_in_kube_system(run_extended: RunExtended) -> None:
    async def scenario(api: Api, other: ExtensionServer) -> None:
        async def whole() -> bool:
            answer = await api("GET", TRUST)
            return answer.status == 200 and set(wanted["data"]) <= set(answer.body["data"])

        wanted = (await api("GET", TRUST)).body
        front_proxy = (other.directory / "front-proxy-ca.crt").read_text()
        assert wanted["data"] | {"client-ca-file": ""} == {
            "client-ca-file": "", "requestheader-client-ca-file": front_proxy, "requestheader-allowed-names": '["front-proxy-client"]',
            "requestheader-username-headers": '["X-Remote-User"]', "requestheader-group-headers": '["X-Remote-Group"]',
            "requestheader-uid-headers": '["X-Remote-Uid"]', "requestheader-extra-headers-prefix": '["X-Remote-Extra-"]',
        }  # fmt: skip
        await api("DELETE", TRUST)
        await until(api, whole)
        stranger = pki.create_authority("stranger").certificate.decode()
        theirs = {"requestheader-client-ca-file": stranger, "requestheader-allowed-names": '["another"]', "client-ca-file": None}
        await api.patch("merge", TRUST, {"data": theirs})
        await until(api, whole)
        data = (await api("GET", TRUST)).body["data"]
        assert data["requestheader-client-ca-file"] == stranger + front_proxy
        assert data["requestheader-allowed-names"] == '["another","front-proxy-client"]'
        reader = {"namespace": "kube-system", "name": "extension-apiserver-authentication-reader"}
        role = await api("GET", f"/apis/rbac.authorization.k8s.io/v1/namespaces/{reader['namespace']}/roles/{reader['name']}")
        assert role.body["rules"][0]["resourceNames"] == ["extension-apiserver-authentication"]

    run_extended(scenario)
