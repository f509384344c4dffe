"""One request each: what comes back, in upstream's codes, reasons and words."""

from typing import Any

import pytest

from proa.apiserver.call import Call
from proa.lib.http.message import Response
from tests.integration.conftest import Api, Run

NS = "/api/v1/namespaces/default"
MAPS = f"{NS}/configmaps"


def config_map(name: str = "a", **data: str) -> dict[str, Any]:
    return {"metadata": {"name": name}, "data": data}


REFUSALS: list[tuple[str, str, Any, tuple[int, str, str]]] = [
    ("GET", f"{MAPS}/none", None, (404, "NotFound", 'configmaps "none" not found')),
    ("POST", MAPS, config_map("here"), (409, "AlreadyExists", 'configmaps "here" already exists')),
    ("POST", MAPS, {"data": {}},
     (422, "Invalid", 'ConfigMap "" is invalid: metadata.name: Required value: name or generateName is required')),
    ("POST", MAPS, {"metadata": {"name": "a", "namespace": "other"}},
     (400, "BadRequest", "the namespace of the provided object does not match the namespace sent on the request")),
    ("POST", MAPS, {"metadata": {"name": "a", "resourceVersion": "1"}},
     (500, "", "resourceVersion should not be set on objects to be created")),
    ("POST", MAPS, {"kind": "Secret", "metadata": {"name": "a"}},
     (400, "BadRequest",
      'Secret in version "v1" cannot be handled as a ConfigMap: converting (v1.Secret) to (core.ConfigMap): unknown conversion')),
    ("POST", MAPS, {"apiVersion": "v2", "metadata": {"name": "a"}},
     (400, "BadRequest", "the API version in the data (v2) does not match the expected API version (v1)")),
    ("POST", f"{MAPS}?fieldValidation=Strict", {"metadata": {"name": "a"}, "dta": {}},
     (400, "BadRequest", 'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "dta"')),
    ("POST", "/api/v1/namespaces/none/configmaps", config_map(), (404, "NotFound", 'namespaces "none" not found')),
    ("PUT", f"{MAPS}/here", config_map("other"),
     (400, "BadRequest", "the name of the object (other) does not match the name on the URL (here)")),
    ("PUT", f"{MAPS}/here", {"metadata": {"name": "here", "resourceVersion": "1"}},
     (409, "Conflict", 'Operation cannot be fulfilled on configmaps "here": the object has been modified; please apply your changes to the '
      "latest version and try again")),
    ("PUT", f"{MAPS}/none", config_map("none"), (404, "NotFound", 'configmaps "none" not found')),
    ("DELETE", f"{MAPS}/none", None, (404, "NotFound", 'configmaps "none" not found')),
    ("DELETE", f"{MAPS}/here", {"preconditions": {"resourceVersion": "1"}},
     (409, "Conflict", 'Operation cannot be fulfilled on ConfigMap "here": the ResourceVersion in the precondition (1) does not match the '
      "ResourceVersion in record (RV). The object might have been modified")),
    ("GET", f"{MAPS}?fieldSelector=data.a%3Db", None,
     (400, "BadRequest", '"data.a" is not a known field selector: only "metadata.name", "metadata.namespace"')),
    ("GET", f"{MAPS}?continue=nonsense&limit=1", None, (400, "BadRequest", "invalid continue token: continue key is not valid")),
    ("PATCH", f"{MAPS}/here", {}, (415, "UnsupportedMediaType", "the body of the request was in an unknown format - accepted media types "
     "include: application/json-patch+json, application/merge-patch+json, application/strategic-merge-patch+json, "
     "application/apply-patch+yaml")),
]  # fmt: skip


@pytest.mark.parametrize(("method", "target", "body", "expected"), REFUSALS, ids=[f"{row[0]} {row[1]}" for row in REFUSALS])
def test_refused(run: Run, method: str, target: str, body: Any, expected: tuple[int, str, str]) -> None:
    async def scenario(api: Api) -> None:
        made = (await api("POST", MAPS, config_map("here"))).body
        status, reason, message = (await api(method, target, body)).summary
        wanted = expected[2].replace("RV", made["metadata"]["resourceVersion"])
        assert (status, reason) == expected[:2]
        assert message == wanted or (reason == "BadRequest" and message.startswith(wanted))

    run(scenario)


TEXTS = [
    ("GET", "/nothing", 404, b"404 page not found\n"),
    ("GET", "/api/v1/nothing", 404, b"404 page not found\n"),
    ("GET", "/apis/none.io/v1/things", 404, b"404 page not found\n"),
    ("GET", f"{NS}/pods/a/nothing", 404, b"404 page not found\n"),
    ("GET", f"{NS}/nodes", 404, b"404 page not found\n"),
    ("POST", "/api/v1/configmaps", 405, b"405: Method Not Allowed"),
    ("DELETE", "/api/v1/namespaces", 405, b"405: Method Not Allowed"),
    ("POST", "/version", 405, b"405: Method Not Allowed"),
    ("GET", "/livez", 200, b"ok"),
    ("GET", "/readyz/ping", 200, b"ok"),
]


@pytest.mark.parametrize(("method", "target", "status", "text"), TEXTS, ids=[f"{row[0]} {row[1]}" for row in TEXTS])
def test_plain_texts(run: Run, method: str, target: str, status: int, text: bytes) -> None:
    async def scenario(api: Api) -> None:
        answer = await api(method, target)
        assert (answer.status, answer.raw) == (status, text)

    run(scenario)


def test_create_fills_in_what_only_the_server_knows(run: Run) -> None:
    async def scenario(api: Api) -> None:
        answer = await api("POST", f"{MAPS}?fieldManager=me", {"metadata": {"name": "a", "uid": "mine"}, "data": {"k": "v"}})
        made = answer.body
        assert answer.status == 201
        meta = made["metadata"]
        assert len(meta.pop("uid")) == 36
        assert made == {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "data": {"k": "v"},
            "metadata": {
                "name": "a",
                "namespace": "default",
                "creationTimestamp": "2030-01-01T00:00:00Z",
                "resourceVersion": meta["resourceVersion"],
                "managedFields": [
                    {
                        "manager": "me",
                        "operation": "Update",
                        "apiVersion": "v1",
                        "time": "2030-01-01T00:00:00Z",
                        "fieldsType": "FieldsV1",
                        "fieldsV1": {"f:data": {".": {}, "f:k": {}}},
                    }
                ],
            },
        }
        assert (await api("GET", f"{MAPS}/a")).body["metadata"]["resourceVersion"] == meta["resourceVersion"]

    run(scenario)


def test_generated_names_and_dry_runs(run: Run) -> None:
    async def scenario(api: Api) -> None:
        names = {(await api("POST", MAPS, {"metadata": {"generateName": "g-"}})).body["metadata"]["name"] for _ in range(20)}
        assert len(names) == 20
        assert all(name.startswith("g-") and len(name) == 7 for name in names)
        dry = await api("POST", f"{MAPS}?dryRun=All", config_map("dry"))
        assert (dry.status, "resourceVersion" in dry.body["metadata"]) == (201, False)
        assert (await api("GET", f"{MAPS}/dry")).status == 404

    run(scenario)


def test_unknown_fields_are_pruned_with_a_warning(run: Run) -> None:
    async def scenario(api: Api) -> None:
        answer = await api("POST", MAPS, {"metadata": {"name": "a"}, "dta": {}})
        assert (answer.status, answer.warnings, "dta" in answer.body) == (201, ['299 - "unknown field \\"dta\\""'], False)

    run(scenario)


def test_an_update_that_changes_nothing_writes_nothing(run: Run) -> None:
    async def scenario(api: Api) -> None:
        made = (await api("POST", MAPS, config_map("a", k="v"))).body
        await api.clock.advance(100)
        same = (await api("PUT", f"{MAPS}/a", made)).body
        assert same == made
        other = (await api("PUT", f"{MAPS}/a", config_map("a", k="w"))).body
        assert (other["data"], other["metadata"]["uid"]) == ({"k": "w"}, made["metadata"]["uid"])
        assert other["metadata"]["resourceVersion"] != made["metadata"]["resourceVersion"]

    run(scenario)


PATCHES = [
    ("merge", {"data": {"k": None, "n": "1"}}, {"n": "1"}),
    ("strategic", {"data": {"n": "1"}}, {"k": "v", "n": "1"}),
    ("json", [{"op": "replace", "path": "/data/k", "value": "w"}], {"k": "w"}),
]


@pytest.mark.parametrize(("kind", "patch", "data"), PATCHES, ids=[row[0] for row in PATCHES])
def test_patches(run: Run, kind: str, patch: Any, data: dict[str, str]) -> None:
    async def scenario(api: Api) -> None:
        await api("POST", MAPS, config_map("a", k="v"))
        answer = await api.patch(kind, f"{MAPS}/a", patch)
        assert (answer.status, answer.body["data"]) == (200, data)

    run(scenario)


def test_server_side_apply_creates_merges_and_conflicts(run: Run) -> None:
    async def scenario(api: Api) -> None:
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"k": "v"}}
        made = await api.patch("apply", f"{MAPS}/a?fieldManager=one", body)
        assert made.status == 201
        again = await api.patch("apply", f"{MAPS}/a?fieldManager=one", body)
        assert (again.status, again.body) == (200, made.body)
        conflict = await api.patch("apply", f"{MAPS}/a?fieldManager=two", body | {"data": {"k": "w"}})
        assert conflict.summary == (409, "Conflict", 'Apply failed with 1 conflict: conflict with "one": .data.k')
        forced = await api.patch("apply", f"{MAPS}/a?fieldManager=two&force=true", body | {"data": {"k": "w"}})
        assert (forced.status, forced.body["data"]) == (200, {"k": "w"})
        yaml = b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {z: 'on'}\n"
        more = await api.patch("apply", f"{MAPS}/a?fieldManager=three", yaml)
        assert more.body["data"] == {"k": "w", "z": "on"}

    run(scenario)


def test_who_may_not_is_told_so(run: Run) -> None:
    async def scenario(api: Api) -> None:
        answer = await api("GET", f"{NS}/pods", user="bob")
        why = 'User "bob" cannot list resource "pods" in API group "" in the namespace "default"'
        assert answer.summary == (403, "Forbidden", f"pods is forbidden: {why}")
        acting = await api("GET", f"{NS}/pods", impersonate_user="bob")
        assert acting.summary == answer.summary

    run(scenario)


def test_yaml_both_ways(run: Run) -> None:
    async def scenario(api: Api) -> None:
        body = b"metadata: {name: a}\ndata: {k: v}\n"
        answer = await api("POST", MAPS, body, content_type="application/yaml", accept="application/yaml")
        assert (answer.status, answer.headers["content-type"]) == (201, "application/yaml")
        assert b"\nkind: ConfigMap\n" in answer.raw

    run(scenario)


def test_status_and_spec_keep_apart(run: Run) -> None:
    async def scenario(api: Api) -> None:
        pod = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i"}]}, "status": {"phase": "Running"}}
        made = (await api("POST", f"{NS}/pods", pod)).body
        assert made["status"]["phase"] == "Pending"
        made["status"]["phase"] = "Running"
        made["spec"]["nodeName"] = "n"
        changed = (await api("PUT", f"{NS}/pods/p/status", made)).body
        assert (changed["status"]["phase"], changed["spec"].get("nodeName")) == ("Running", None)

    run(scenario)


def test_binding_happens_once(run: Run) -> None:
    async def scenario(api: Api) -> None:
        await api("POST", f"{NS}/pods", {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i"}]}})
        binding = {"metadata": {"name": "p"}, "target": {"kind": "Node", "name": "n1"}}
        first = await api("POST", f"{NS}/pods/p/binding", binding)
        success = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}
        assert (first.status, first.body) == (201, success)
        pod = (await api("GET", f"{NS}/pods/p")).body
        assert pod["spec"]["nodeName"] == "n1"
        assert [(each["type"], each["status"]) for each in pod["status"]["conditions"]] == [("PodScheduled", "True")]
        second = await api("POST", f"{NS}/bindings", binding)
        text = 'Operation cannot be fulfilled on pods/binding "p": pod p is already assigned to node "n1"'
        assert second.summary == (409, "Conflict", text)

    run(scenario)


def test_scale(run: Run) -> None:
    async def scenario(api: Api) -> None:
        base = "/apis/apps/v1/namespaces/default/deployments"
        template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
        spec = {"replicas": 2, "selector": {"matchLabels": {"a": "b"}}, "template": template}
        await api("POST", base, {"metadata": {"name": "d"}, "spec": spec})
        scale = (await api("GET", f"{base}/d/scale")).body
        assert (scale["kind"], scale["spec"], scale["status"]) == ("Scale", {"replicas": 2}, {"replicas": 0, "selector": "a=b"})
        scale["spec"]["replicas"] = 5
        assert (await api("PUT", f"{base}/d/scale", scale)).body["spec"] == {"replicas": 5}
        assert (await api.patch("merge", f"{base}/d/scale", {"spec": {"replicas": 0}})).body["spec"] == {}
        deployment = (await api("GET", f"{base}/d")).body
        assert (deployment["spec"]["replicas"], deployment["metadata"]["generation"]) == (0, 3)
        negative = await api.patch("merge", f"{base}/d/scale", {"spec": {"replicas": -1}})
        text = 'Scale.autoscaling "d" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0'
        assert negative.summary == (422, "Invalid", text)

    run(scenario)


def test_component_statuses(run: Run) -> None:
    async def scenario(api: Api) -> None:
        listed = await api("GET", "/api/v1/componentstatuses")
        assert [item["metadata"]["name"] for item in listed.body["items"]] == ["etcd-0"]
        assert listed.warnings == ['299 - "v1 ComponentStatus is deprecated in v1.19+"']
        assert (await api("GET", "/api/v1/componentstatuses/none")).status == 404

    run(scenario)


def test_streaming_subresources_come_from_a_table(run: Run) -> None:
    async def scenario(api: Api) -> None:
        async def log(call: Call) -> Response:
            return Response(200, {}, f"{call.user.name} reads {call.info.namespace}/{call.info.name}".encode())

        api.server.connect["", "pods", "log"] = log
        assert (await api("GET", f"{NS}/pods/a/log")).raw == b"system:root reads default/a"
        assert (await api("GET", f"{NS}/pods/a/log", user="bob")).status == 403

    run(scenario)


def test_everything_served_is_discovered_and_described(run: Run) -> None:
    async def scenario(api: Api) -> None:
        groups = [group["name"] for group in (await api("GET", "/apis")).body["groups"]]
        assert {"apps", "batch", "rbac.authorization.k8s.io"} <= set(groups)
        for path in ["/api/v1", *(f"/apis/{group}" for group in groups)]:
            assert (await api("GET", path)).status == 200
        index = (await api("GET", "/openapi/v3")).body["paths"]
        assert index.keys() >= {"api/v1", "apis/apps/v1"}
        document = await api("GET", index["apis/apps/v1"]["serverRelativeURL"])
        again = await api("GET", "/openapi/v3/apis/apps/v1", if_none_match=document.headers["etag"])
        assert (document.status, again.status, (await api("GET", "/openapi/v3/none")).status) == (200, 304, 404)
        aggregated = await api("GET", "/apis", accept="application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList")
        assert aggregated.body["kind"] == "APIGroupDiscoveryList"
        assert (await api("GET", "/version")).body["gitVersion"].startswith("v1.37.0")

    run(scenario)


def test_metrics_count_requests(run: Run) -> None:
    async def scenario(api: Api) -> None:
        await api("GET", f"{MAPS}/none")
        text = (await api("GET", "/metrics")).raw.decode()
        target = 'verb="GET",dry_run="",group="",version="v1",resource="configmaps",subresource="",scope="resource"'
        labels = f'code="404",component="apiserver",{target}'
        assert f"apiserver_request_total{{{labels}}} 1\n" in text
        assert 'apiserver_storage_objects{resource="namespaces"} 4\n' in text

    run(scenario)


def test_reviews_have_no_table_form(run: Run) -> None:
    async def scenario(api: Api) -> None:
        review = {"spec": {"resourceAttributes": {"verb": "get", "resource": "pods"}}}
        path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
        allowed = await api("POST", path, review)
        assert (allowed.status, allowed.body["status"]["allowed"]) == (201, True)
        table = await api("POST", path, review, accept="application/json;as=Table;v=v1;g=meta.k8s.io")
        assert table.summary[:2] == (406, "NotAcceptable")

    run(scenario)


def test_one_stored_object_in_two_versions(run: Run) -> None:
    async def scenario(api: Api) -> None:
        base = "/apis/autoscaling/{}/namespaces/default/horizontalpodautoscalers"
        target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "d"}
        spec = {"scaleTargetRef": target, "maxReplicas": 3, "targetCPUUtilizationPercentage": 50}
        made = await api("POST", base.format("v1"), {"metadata": {"name": "h"}, "spec": spec})
        assert (made.status, made.body["apiVersion"], made.body["spec"]["targetCPUUtilizationPercentage"]) == (201, "autoscaling/v1", 50)
        newer = (await api("GET", base.format("v2") + "/h")).body
        assert newer["spec"]["metrics"][0]["resource"]["target"] == {"type": "Utilization", "averageUtilization": 50}
        changed = await api.patch("merge", base.format("v1") + "/h", {"spec": {"maxReplicas": 5}})
        assert (changed.body["apiVersion"], changed.body["spec"]["maxReplicas"]) == ("autoscaling/v1", 5)
        listed = (await api("GET", base.format("v1"))).body
        assert (listed["kind"], [each["spec"]["maxReplicas"] for each in listed["items"]]) == ("HorizontalPodAutoscalerList", [5])

    run(scenario)


def test_an_event_is_the_same_in_both_groups(run: Run) -> None:
    async def scenario(api: Api) -> None:
        reference = {"kind": "Pod", "namespace": "default", "name": "p"}
        event = {"metadata": {"name": "e"}, "involvedObject": reference, "reason": "Tried", "message": "hello", "type": "Normal"}
        assert (await api("POST", f"{NS}/events", event)).status == 201
        watch = await api.watch("/apis/events.k8s.io/v1/events?watch=1")
        seen = (await watch.next())["object"]
        assert (seen["apiVersion"], seen["note"], seen["regarding"]) == ("events.k8s.io/v1", "hello", reference)

    run(scenario)
