"""Definitions that change while their objects are read and watched: versions served and not, fields selected, documents published."""

import copy
from typing import Any

from tests.integration.conftest import Api, Run
from tests.integration.test_custom_resources import CRDS, WIDGETS, condition, definition, establish, until, version, widget

DEFINITION = f"{CRDS}/widgets.example.com"
COLOR = [{"jsonPath": ".spec.color"}]


def test_a_version_that_is_served_no_more_is_gone_at_once(run: Run) -> None:
    async def scenario(api: Api) -> None:
        crd = await establish(api, definition(versions=[version(), version("v2", storage=False)]))
        watch = await api.watch(f"/apis/example.com/v2/widgets?watch=true&resourceVersion={crd['metadata']['resourceVersion']}")
        unserved = [{"op": "replace", "path": "/spec/versions/1/served", "value": False}]
        assert (await api.patch("json", DEFINITION, unserved)).status == 200
        assert (await api("GET", "/apis/example.com/v2/widgets")).status == 404
        assert await watch.next() is None
        assert (await api("GET", "/apis/example.com/v2")).status == 404
        group = (await api("GET", "/apis/example.com")).body
        assert [each["version"] for each in group["versions"]] == ["v1"]
        assert "apis/example.com/v2" not in (await api("GET", "/openapi/v3")).body["paths"]
        published = (await api("GET", "/openapi/v2")).body["definitions"]
        assert [name for name in published if name.startswith("com.example.")] == ["com.example.v1.Widget", "com.example.v1.WidgetList"]
        served = [{"op": "replace", "path": "/spec/versions/1/served", "value": True}]
        assert (await api.patch("json", DEFINITION, served)).status == 200
        assert (await api("GET", "/apis/example.com/v2/widgets")).status == 200

    run(scenario)


def test_a_version_that_may_lie_in_the_store_can_not_go(run: Run) -> None:
    async def scenario(api: Api) -> None:
        await establish(api, definition(versions=[version("v2"), version("v1", storage=False)]))
        moved = [{"op": "replace", "path": f"/spec/versions/{index}/storage", "value": bool(index)} for index in (0, 1)]
        assert (await api.patch("json", DEFINITION, moved)).body["status"]["storedVersions"] == ["v2", "v1"]
        removed = [{"op": "remove", "path": "/spec/versions/0"}]
        refused = await api.patch("json", DEFINITION, removed)
        assert [each["field"] for each in refused.body["details"]["causes"]] == ["status.storedVersions[0]"]
        migrated = await api.patch("merge", f"{DEFINITION}/status", {"status": {"storedVersions": ["v1"]}})
        assert migrated.body["status"]["storedVersions"] == ["v1"]
        assert (await api.patch("json", DEFINITION, removed)).status == 200
        assert (await api("GET", "/apis/example.com/v2/widgets")).status == 404

    run(scenario)


def test_a_watch_by_field_sees_objects_come_and_go(run: Run) -> None:
    async def scenario(api: Api) -> None:
        await establish(api, definition(versions=[version(selectableFields=COLOR), version("v2", storage=False)]))
        watch = await api.watch(f"{WIDGETS}?watch=true&fieldSelector=spec.color%3Dgreen")
        await api("POST", WIDGETS, widget("a"))
        await api.patch("merge", f"{WIDGETS}/a", {"spec": {"color": "green"}})
        await api.patch("merge", f"{WIDGETS}/a", {"spec": {"size": 2}})
        await api.patch("merge", f"{WIDGETS}/a", {"spec": {"color": "red"}})
        assert await watch.take(3) == [("ADDED", "a"), ("MODIFIED", "a"), ("DELETED", "a")]
        other = await api("GET", "/apis/example.com/v2/widgets?fieldSelector=spec.color%3Dgreen")
        assert other.summary == (400, "BadRequest", "field label not supported: spec.color")
        deleted = await api("DELETE", f"{WIDGETS}?fieldSelector=spec.color%3Dred")
        assert (deleted.status, (await api("GET", WIDGETS)).body["items"]) == (200, [])

    run(scenario)


def test_protected_groups_say_whether_they_are_approved(run: Run) -> None:
    async def scenario(api: Api) -> None:
        crd = definition(group="widgets.k8s.io")
        missing = await api("POST", CRDS, crd)
        assert [each["field"] for each in missing.body["details"]["causes"]] == ["metadata.annotations[api-approved.kubernetes.io]"]
        crd["metadata"]["annotations"] = {"api-approved.kubernetes.io": "unapproved, for a test"}
        made = await establish(api, crd)
        kind = "KubernetesAPIApprovalPolicyConformant"
        assert condition(made, kind) == ("False", "UnapprovedAnnotation", 'not approved: "unapproved, for a test"')
        target = f"{CRDS}/{crd['metadata']['name']}"
        withdrawn = await api.patch("merge", target, {"metadata": {"annotations": {"api-approved.kubernetes.io": "soon"}}})
        assert (withdrawn.status, withdrawn.body["reason"]) == (422, "Invalid")
        url = "https://example.com/pull/1"
        assert (await api.patch("merge", target, {"metadata": {"annotations": {"api-approved.kubernetes.io": url}}})).status == 200
        approved = ("True", "ApprovedAnnotation", f"approved in {url}")
        await until(api, target, lambda answer: condition(answer.body, kind) == approved)

    run(scenario)


def test_formats_that_nobody_checks_are_warned_about_when_they_come(run: Run) -> None:
    async def scenario(api: Api) -> None:
        crd: dict[str, Any] = copy.deepcopy(definition())
        properties = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]
        properties |= {"odd": {"type": "string", "format": "odd"}, "count": {"type": "integer", "format": "int64"}}
        made = await api("POST", CRDS, crd)
        assert (made.status, made.warnings) == (201, ['299 - "unrecognized format \\"odd\\""'])
        assert (await api.patch("merge", DEFINITION, {"spec": {"names": {"shortNames": ["w"]}}})).warnings == []

    run(scenario)


def test_documents_of_the_second_version_name_no_field_of_what_holds_more(run: Run) -> None:
    async def scenario(api: Api) -> None:
        fields = {
            "more": {"type": "object", "x-kubernetes-preserve-unknown-fields": True, "properties": {"a": {"type": "string"}}},
            "none": {"type": "string", "nullable": True},
            "some": {"type": "array", "items": {"type": "string"}, "nullable": True},
        }
        spec = {"type": "object", "required": ["more", "none"], "properties": fields}
        one = {"type": "object", "properties": {"spec": spec}}
        free = {"type": "object", "x-kubernetes-preserve-unknown-fields": True, "properties": {"spec": {"type": "object"}}}
        versions = [
            version() | {"schema": {"openAPIV3Schema": one}},
            version("v2", storage=False) | {"schema": {"openAPIV3Schema": free}},
        ]
        await establish(api, definition(versions=versions))
        found = (await api("GET", "/openapi/v2")).body["definitions"]
        assert found["com.example.v1.Widget"]["properties"]["spec"] == {
            "type": "object", "required": ["more"],
            "properties": {"more": {"x-kubernetes-preserve-unknown-fields": True}, "none": {}, "some": {}},
        }  # fmt: skip
        assert found["com.example.v2.Widget"] == {
            "type": "object", "x-kubernetes-group-version-kind": [{"group": "example.com", "version": "v2", "kind": "Widget"}],
        }  # fmt: skip

    run(scenario)
