"""What clients rarely see but depend on: fields of a shared store, apply on /scale, warnings, hashes, refusals of odd bodies."""

from typing import Any

import pytest

from proa.lib.http.message import StreamResponse
from tests.integration.conftest import TYPES, Answer, Api, Run

NS = "/api/v1/namespaces/default"
MAPS = f"{NS}/configmaps"
PODS = f"{NS}/pods"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
ENDPOINTS_WARNING = '299 - "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"'


async def make_deployment(api: Api) -> Any:
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    spec = {"replicas": 1, "selector": {"matchLabels": {"a": "b"}}, "template": template}
    return (await api("POST", f"{DEPLOYMENTS}?fieldManager=author", {"metadata": {"name": "d"}, "spec": spec})).body


async def make_pod(api: Api) -> None:
    await api("POST", PODS, {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i"}]}})


@pytest.mark.parametrize(
    ("base", "selector", "found"),
    [
        ("/apis/events.k8s.io/v1", "regarding.name%3Dp", ["e"]),
        ("/apis/events.k8s.io/v1", "regarding.name%3Dq", []),
        ("/apis/events.k8s.io/v1", "reportingController%3Dme", ["e"]),
        ("/api/v1", "involvedObject.name%3Dp,reportingComponent%3Dme", ["e"]),
        ("/api/v1", "regarding.name%3Dp", None),
        ("/apis/events.k8s.io/v1", "involvedObject.name%3Dp", None),
    ],
)
def test_each_version_has_its_own_fields(run: Run, base: str, selector: str, found: list[str] | None) -> None:
    async def scenario(api: Api) -> None:
        reference = {"kind": "Pod", "namespace": "default", "name": "p"}
        event = {"metadata": {"name": "e"}, "involvedObject": reference, "reportingComponent": "me", "reason": "R", "type": "Normal"}
        assert (await api("POST", f"{NS}/events", event)).status == 201
        answer = await api("GET", f"{base}/namespaces/default/events?fieldSelector={selector}")
        if found is None:
            assert answer.summary[:2] == (400, "BadRequest")
            return
        assert [item["metadata"]["name"] for item in answer.body["items"]] == found
        watch = await api.watch(f"{base}/events?watch=1&fieldSelector={selector}")
        await api("DELETE", f"{NS}/events/e")
        await api("POST", f"{NS}/events", event)
        if found:
            assert await watch.take(3) == [("ADDED", "e"), ("DELETED", "e"), ("ADDED", "e")]

    run(scenario)


def test_apply_of_a_scale(run: Run) -> None:
    async def scenario(api: Api) -> None:
        await make_deployment(api)
        scale = {"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "d"}, "spec": {"replicas": 4}}
        target = f"{DEPLOYMENTS}/d/scale?fieldManager=scaler"
        refused = await api.patch("apply", target, scale)
        message = 'Apply failed with 1 conflict: conflict with "author" using autoscaling/v1: .spec.replicas'
        assert refused.summary == (409, "Conflict", message)
        forced = await api.patch("apply", f"{target}&force=true", scale)
        assert (forced.status, forced.body["kind"], forced.body["spec"]) == (200, "Scale", {"replicas": 4})
        made = (await api("GET", f"{DEPLOYMENTS}/d")).body
        assert (made["spec"]["replicas"], made["metadata"]["generation"]) == (4, 2)
        owners = {(each["manager"], each["operation"], each.get("subresource", "")): each for each in made["metadata"]["managedFields"]}
        assert owners["scaler", "Apply", "scale"]["fieldsV1"] == {"f:spec": {"f:replicas": {}}}
        assert owners["scaler", "Apply", "scale"]["apiVersion"] == "apps/v1"
        assert "f:replicas" not in owners["author", "Update", ""]["fieldsV1"]["f:spec"]
        again = await api.patch("apply", target, scale)
        assert again.body["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]
        gone = await api.patch("apply", target.replace("/d/", "/x/"), scale | {"metadata": {"name": "x"}})
        assert gone.summary[:2] == (404, "NotFound")

    run(scenario)


def test_warnings_of_a_deprecated_resource_come_with_every_use(run: Run) -> None:
    async def scenario(api: Api) -> None:
        made = await api("POST", f"{NS}/endpoints", {"metadata": {"name": "e"}})
        assert made.warnings == [ENDPOINTS_WARNING]
        for method, target in (("GET", f"{NS}/endpoints/e"), ("GET", "/api/v1/endpoints"), ("DELETE", f"{NS}/endpoints/e")):
            assert (await api(method, target)).warnings == [ENDPOINTS_WARNING]
        stream = await api.send("GET", "/api/v1/endpoints?watch=1")
        assert isinstance(stream, StreamResponse)
        assert stream.repeated_headers == (("warning", ENDPOINTS_WARNING),)
        assert (await api("GET", "/api/v1/componentstatuses")).warnings == ['299 - "v1 ComponentStatus is deprecated in v1.19+"']

    run(scenario)


def test_an_old_hash_leads_to_the_new_document(run: Run) -> None:
    async def scenario(api: Api) -> None:
        url = (await api("GET", "/openapi/v3")).body["paths"]["apis/apps/v1"]["serverRelativeURL"]
        current = await api("GET", url)
        assert (current.status, current.headers["cache-control"]) == (200, "public, immutable")
        old = await api("GET", "/openapi/v3/apis/apps/v1?hash=ABC")
        assert (old.status, old.headers["location"]) == (301, url)
        assert (await api("GET", "/openapi/v3/apis/apps/v1")).status == 200

    run(scenario)


@pytest.mark.parametrize("header", ["impersonate_group", "impersonate_uid", "impersonate_extra_scopes"])
def test_impersonation_needs_a_user(run: Run, header: str) -> None:
    async def scenario(api: Api) -> None:
        refused: Answer = await api("GET", PODS, **{header: "x"})
        assert refused.status == 400
        assert refused.body["message"].endswith("without impersonating a user name")

    run(scenario)


ODD_BODIES: list[tuple[str, str, Any]] = [
    ("POST", f"{PODS}/p/binding", {"target": "n"}),
    ("POST", f"{PODS}/p/binding", {"metadata": "p", "target": {"name": "n"}}),
    ("POST", f"{PODS}/p/binding", []),
    ("POST", f"{PODS}/p/eviction", {"deleteOptions": "x"}),
    ("POST", f"{PODS}/p/eviction", {"deleteOptions": {"preconditions": [1]}}),
    ("POST", f"{NS}/serviceaccounts/default/token", {"spec": {"audiences": "x"}}),
    ("POST", f"{NS}/serviceaccounts/default/token", {"metadata": []}),
    ("PUT", f"{DEPLOYMENTS}/d/scale", {"metadata": {"name": "d"}, "spec": "x"}),
    ("PUT", f"{DEPLOYMENTS}/d/scale", {"metadata": {"name": "d"}, "spec": {"replicas": "x"}}),
    ("DELETE", f"{PODS}/p", {"gracePeriodSeconds": "x"}),
    ("DELETE", f"{PODS}/p", {"preconditions": "x"}),
    ("DELETE", f"{PODS}/p", {"dryRun": "All"}),
    ("DELETE", f"{PODS}/p", {"kind": "Pod"}),
    ("DELETE", f"{PODS}/p", [1]),
    ("DELETE", f"{PODS}/p", b"{"),
    ("DELETE", PODS, {"propagationPolicy": 1}),
]


@pytest.mark.parametrize(("method", "target", "body"), ODD_BODIES, ids=[f"{row[0]} {row[1]} {row[2]}" for row in ODD_BODIES])
def test_bodies_of_wrong_types_are_bad_requests(run: Run, method: str, target: str, body: Any) -> None:
    async def scenario(api: Api) -> None:
        await make_pod(api)
        await make_deployment(api)
        answer = await api(method, target, body)
        assert answer.summary[:2] == (400, "BadRequest"), answer.raw
        assert (await api("GET", f"{PODS}/p")).status == 200

    run(scenario)


def test_scale_bodies_are_validated_by_their_own_schema(run: Run) -> None:
    async def scenario(api: Api) -> None:
        await make_deployment(api)
        target = f"{DEPLOYMENTS}/d/scale"
        strict = await api("PUT", f"{target}?fieldValidation=Strict", {"metadata": {"name": "d"}, "spec": {"replicas": 1, "x": 1}})
        message = 'Scale in version "v1" cannot be handled as a Scale: strict decoding error: unknown field "spec.x"'
        assert strict.summary == (400, "BadRequest", message)
        warned = await api.patch("merge", target, {"spec": {"replicas": 2, "x": 1}})
        assert (warned.status, warned.warnings) == (200, ['299 - "unknown field \\"spec.x\\""'])
        refused = await api("PUT", target, {"metadata": {"name": "d"}, "spec": {"replicas": -1}})
        assert refused.summary[:2] == (422, "Invalid")

    run(scenario)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (f"{NS}/services/s", {"metadata": {"name": "s"}, "spec": {"ports": [{"port": 80}]}}),
        (f"{NS}/limitranges/l", {"metadata": {"name": "l"}, "spec": {"limits": []}}),
        (f"{NS}/events/e", {"metadata": {"name": "e"}, "involvedObject": {"namespace": "default"}}),
        (f"{NS}/endpoints/e", {"metadata": {"name": "e"}}),
        ("/apis/coordination.k8s.io/v1/namespaces/default/leases/l", {"metadata": {"name": "l"}}),
        ("/apis/rbac.authorization.k8s.io/v1/clusterroles/r", {"metadata": {"name": "r"}}),
    ],
)
def test_kinds_that_a_put_creates(run: Run, path: str, body: Any) -> None:
    async def scenario(api: Api) -> None:
        assert (await api("PUT", f"{path}?dryRun=All", body)).status == 201
        assert (await api("GET", path)).status == 404
        assert (await api("PUT", path, body)).status == 201
        assert (await api("GET", path)).status == 200

    run(scenario)


def test_generated_names_that_are_taken(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(api: Api) -> None:
        names = iter(["a-1", "a-1", "a-2", *["a-1"] * 8])
        monkeypatch.setattr("proa.apiserver.verbs.creation.generate_name", lambda base: next(names))
        made = [(await api("POST", MAPS, {"metadata": {"generateName": "a-"}})).body["metadata"]["name"] for _ in range(2)]
        assert made == ["a-1", "a-2"]
        refused = await api("POST", MAPS, {"metadata": {"generateName": "a-"}})
        message = 'configmaps "a-1" already exists, the server was not able to generate a unique name for the object'
        assert refused.summary == (409, "AlreadyExists", message)
        assert refused.body["details"]["retryAfterSeconds"] == 1

    run(scenario)


DRY: list[tuple[str, str, Any, str]] = [
    ("POST", MAPS, {"metadata": {"name": "b"}}, "application/json"),
    ("POST", MAPS, {"metadata": {"generateName": "b-"}}, "application/json"),
    ("POST", f"{NS}/services", {"metadata": {"name": "s"}, "spec": {"ports": [{"port": 80}]}}, "application/json"),
    ("PUT", f"{MAPS}/a", {"metadata": {"name": "a"}, "data": {"x": "y"}}, "application/json"),
    ("PATCH", f"{MAPS}/a", {"data": {"x": "y"}}, TYPES["merge"]),
    ("PATCH", f"{MAPS}/a", {"data": {"x": "y"}}, TYPES["strategic"]),
    ("PATCH", f"{MAPS}/a", [{"op": "add", "path": "/data", "value": {"x": "y"}}], TYPES["json"]),
    ("PATCH", f"{MAPS}/a", {"metadata": {"finalizers": None}}, TYPES["merge"]),
    ("PATCH", f"{MAPS}/new", {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "new"}}, TYPES["apply"]),
    ("PATCH", f"{DEPLOYMENTS}/d/scale", {"spec": {"replicas": 7}}, TYPES["merge"]),
    ("PATCH", f"{DEPLOYMENTS}/d/status", {"status": {"replicas": 7}}, TYPES["merge"]),
    ("POST", f"{PODS}/p/binding", {"metadata": {"name": "p"}, "target": {"name": "n"}}, "application/json"),
    ("POST", f"{PODS}/p/eviction", {"metadata": {"name": "p"}}, "application/json"),
    ("POST", f"{NS}/serviceaccounts/default/token", {"spec": {}}, "application/json"),
    ("DELETE", f"{PODS}/p", None, "application/json"),
    ("DELETE", MAPS, None, "application/json"),
    ("DELETE", "/api/v1/namespaces/kube-node-lease", None, "application/json"),
]


@pytest.mark.parametrize(("method", "target", "body", "content_type"), DRY, ids=[f"{row[0]} {row[1]} {row[2]}" for row in DRY])
def test_a_dry_run_changes_nothing(run: Run, method: str, target: str, body: Any, content_type: str) -> None:
    async def scenario(api: Api) -> None:
        await make_pod(api)
        await make_deployment(api)
        await api("POST", MAPS, {"metadata": {"name": "a", "finalizers": ["x.io/y"]}})
        await api("DELETE", f"{MAPS}/a")
        before = api.server.store.revision
        more = "&fieldManager=m&force=true" if content_type == TYPES["apply"] else ""
        answer = await api(method, f"{target}?dryRun=All{more}", body, content_type=content_type)
        assert answer.status in (200, 201), answer.raw
        assert api.server.store.revision == before
        refused = await api(method, f"{target}?dryRun=Some{more}", body, content_type=content_type)
        assert refused.summary[:2] == (422, "Invalid")
        assert api.server.store.revision == before

    run(scenario)
