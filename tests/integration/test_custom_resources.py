"""The life of custom resources through the front door: definition, objects, subresources, tables, and the end."""

import asyncio
from typing import Any

import orjson
import pytest

from tests.integration.conftest import Answer, Api, Run

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
WIDGETS = "/apis/example.com/v1/namespaces/default/widgets"

SPEC_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["size"],
    "properties": {
        "size": {"type": "integer", "minimum": 1, "maximum": 10},
        "replicas": {"type": "integer", "default": 1},
        "color": {"type": "string", "enum": ["red", "green"], "default": "red"},
        "name": {"type": "string", "maxLength": 5, "pattern": "^[a-z]+$"},
        "when": {"type": "string", "format": "date-time"},
        "port": {"x-kubernetes-int-or-string": True},
        "maybe": {"type": "string", "nullable": True},
        "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        "tags": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
        "ports": {
            "type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"],
            "items": {
                "type": "object", "required": ["name"],
                "properties": {"name": {"type": "string"}, "number": {"type": "integer", "default": 80}},
            },
        },
        "limits": {"type": "object", "additionalProperties": {"type": "string"}},
        "one": {
            "type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}},
            "oneOf": [{"required": ["a"]}, {"required": ["b"]}],
        },
        "template": {"type": "object", "x-kubernetes-embedded-resource": True, "x-kubernetes-preserve-unknown-fields": True},
    },
}  # fmt: skip


def version(name: str = "v1", *, storage: bool = True, **more: Any) -> dict[str, Any]:
    schema = {
        "type": "object",
        "properties": {
            "spec": SPEC_SCHEMA,
            "status": {"type": "object", "properties": {"ready": {"type": "integer"}, "selector": {"type": "string"}}},
        },
    }
    made: dict[str, Any] = {"name": name, "served": True, "storage": storage, "schema": {"openAPIV3Schema": schema}}
    return made | more


def definition(plural: str = "widgets", kind: str = "Widget", group: str = "example.com", **more: Any) -> dict[str, Any]:
    spec: dict[str, Any] = {
        "group": group,
        "scope": "Namespaced",
        "names": {"plural": plural, "kind": kind},
        "versions": [version()],
    }
    names = {**spec["names"], **more.pop("names", {})}
    return {"metadata": {"name": f"{plural}.{group}"}, "spec": {**spec, **more, "names": names}}


def widget(name: str = "a", /, **spec: Any) -> dict[str, Any]:
    return {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": name}, "spec": {"size": 1, **spec}}


async def until(api: Api, target: str, accepted: Any, what: str = "") -> Any:
    """The first answer that `accepted` is content with; the server works in between."""
    for _ in range(2000):
        answer = await api("GET", target)
        if accepted(answer):
            return answer.body if answer.raw.startswith(b"{") else None
        await asyncio.sleep(0.001)
    raise AssertionError(f"{what or target}: {answer.status} {answer.raw[:1000]!r}")


def condition(crd: dict[str, Any], kind: str) -> tuple[str, str, str] | None:
    found = [each for each in crd["status"].get("conditions") or () if each["type"] == kind]
    return (found[0]["status"], found[0]["reason"], found[0]["message"]) if found else None


async def establish(api: Api, crd: dict[str, Any]) -> dict[str, Any]:
    answer = await api("POST", CRDS, crd)
    assert answer.status == 201, answer.raw

    def established(answer: Answer) -> bool:
        shown = condition(answer.body, "Established")
        return shown is not None and shown[0] == "True"

    body: dict[str, Any] = await until(api, f"{CRDS}/{crd['metadata']['name']}", established)
    return body


def test_a_definition_is_established_and_served(run: Run) -> None:
    async def scenario(api: Api) -> None:
        crd = await establish(api, definition(names={"shortNames": ["wd"], "categories": ["all"]}))
        names = {"plural": "widgets", "singular": "widget", "kind": "Widget", "listKind": "WidgetList"}
        assert crd["status"]["acceptedNames"] == {**names, "shortNames": ["wd"], "categories": ["all"]}
        assert crd["status"]["storedVersions"] == ["v1"]
        assert condition(crd, "NamesAccepted") == ("True", "NoConflicts", "no conflicts found")
        assert condition(crd, "Established") == ("True", "InitialNamesAccepted", "the initial names have been accepted")
        listed = (await api("GET", "/apis/example.com/v1")).body["resources"]
        assert [(each["name"], each["kind"], each["shortNames"], each["singularName"], each["categories"]) for each in listed] == [
            ("widgets", "Widget", ["wd"], "widget", ["all"])
        ]
        aggregated = await api("GET", "/apis", accept="application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList")
        assert "example.com" in [each["metadata"]["name"] for each in aggregated.body["items"]]

    run(scenario)


def test_objects_are_defaulted_pruned_and_kept(run: Run) -> None:
    async def scenario(api: Api) -> None:
        await establish(api, definition())
        body = widget(
            stray=1, maybe=None, when=None, free={"x": {"y": 1}}, ports=[{"name": "a", "extra": 1}], limits={"cpu": "1"},
            template={"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "nonsense": 1}, "anything": 2},
        )  # fmt: skip
        made = await api("POST", WIDGETS, body)
        assert made.status == 201, made.raw
        assert made.body["spec"] == {
            "size": 1, "replicas": 1, "color": "red", "maybe": None, "free": {"x": {"y": 1}}, "ports": [{"name": "a", "number": 80}],
            "limits": {"cpu": "1"}, "template": {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "anything": 2},
        }  # fmt: skip
        assert made.warnings == [
            f'299 - "unknown field \\"{path}\\""' for path in ("spec.ports[0].extra", "spec.stray", "spec.template.metadata.nonsense")
        ]
        assert made.body["metadata"]["generation"] == 1
        listed = (await api("GET", WIDGETS)).body
        assert (listed["kind"], listed["apiVersion"]) == ("WidgetList", "example.com/v1")
        assert [(item["kind"], item["apiVersion"], item["spec"]) for item in listed["items"]] == [
            ("Widget", "example.com/v1", made.body["spec"])
        ]
        strict = await api("POST", f"{WIDGETS}?fieldValidation=Strict", widget("b", stray=1))
        assert strict.summary == (
            400, "BadRequest", 'Widget in version "v1" cannot be handled as a Widget: strict decoding error: unknown field "spec.stray"',
        )  # fmt: skip

    run(scenario)


WRONG: list[tuple[dict[str, Any], list[tuple[str, str, str]]]] = [
    ({"size": 11}, [("FieldValueInvalid", "spec.size", "Invalid value: 11: spec.size in body should be less than or equal to 10")]),
    ({"size": "a"}, [("FieldValueTypeInvalid", "spec.size",
                      'Invalid value: "string": spec.size in body must be of type integer: "string"')]),
    ({"color": "blue"}, [("FieldValueNotSupported", "spec.color", 'Unsupported value: "blue": supported values: "red", "green"')]),
    ({"name": "abcdef"}, [("FieldValueTooLong", "spec.name", "Too long: may not be more than 5 bytes")]),
    ({"name": "A"}, [("FieldValueInvalid", "spec.name", "Invalid value: \"A\": spec.name in body should match '^[a-z]+$'")]),
    ({"when": "today"}, [("FieldValueTypeInvalid", "spec.when",
                          'Invalid value: "today": spec.when in body must be of type date-time: "today"')]),
    ({"port": 1.5}, [("FieldValueTypeInvalid", "spec.port",
                      'Invalid value: "number": spec.port in body must be of type integer,string: "number"')]),
    ({"tags": ["a", "b", "a"]}, [("FieldValueDuplicate", "spec.tags[2]", 'Duplicate value: "a"')]),
    ({"ports": [{"name": "a"}, {"name": "a"}]}, [("FieldValueDuplicate", "spec.ports[1]", 'Duplicate value: {"name":"a"}')]),
    ({"ports": [{}]}, [("FieldValueRequired", "spec.ports[0].name", "Required value")]),
    ({"limits": {"cpu": 1}}, [("FieldValueTypeInvalid", "spec.limits.cpu",
                               'Invalid value: "integer": spec.limits.cpu in body must be of type string: "integer"')]),
    ({"one": {}}, [
        ("FieldValueInvalid", "<nil>", 'Invalid value: "": "spec.one" must validate one and only one schema (oneOf). Found none valid'),
        ("FieldValueRequired", "spec.one.a", "Required value"),
    ]),
    ({"template": {"kind": "Pod"}}, [("FieldValueRequired", "spec.template.apiVersion", "Required value")]),
]  # fmt: skip


@pytest.mark.parametrize(("spec", "causes"), WRONG, ids=[str(row[0]) for row in WRONG])
def test_invalid_objects(run: Run, spec: dict[str, Any], causes: list[tuple[str, str, str]]) -> None:
    async def scenario(api: Api) -> None:
        await establish(api, definition())
        answer = await api("POST", WIDGETS, widget(**spec))
        assert answer.status == 422, answer.raw
        assert [(each["reason"], each["field"], each["message"]) for each in answer.body["details"]["causes"]] == causes
        assert answer.body["message"].startswith('Widget.example.com "a" is invalid: ')

    run(scenario)


def test_unchanged_faults_are_tolerated_by_updates(run: Run) -> None:
    async def scenario(api: Api) -> None:
        crd = definition()
        await establish(api, crd)
        assert (await api("POST", WIDGETS, widget(size=9, name="abc", ports=[{"name": "x", "number": 7}]))).status == 201
        properties = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]
        tighter = [
            {"op": "replace", "path": f"{ROOT}/size/maximum", "value": 5},
            {"op": "add", "path": f"{ROOT}/ports/items/properties/number/minimum", "value": 50},
        ]
        assert "size" in properties
        assert (await api.patch("json", f"{CRDS}/widgets.example.com", tighter)).status == 200
        kept = await api.patch("merge", f"{WIDGETS}/a", {"spec": {"name": "abcd"}})
        assert kept.status == 200, kept.raw
        added = await api.patch("merge", f"{WIDGETS}/a", {"spec": {"ports": [{"name": "y", "number": 1}, {"name": "x", "number": 7}]}})
        assert [each["field"] for each in added.body["details"]["causes"]] == ["spec.ports[0].number"]
        changed = await api.patch("merge", f"{WIDGETS}/a", {"spec": {"size": 8}})
        assert [each["field"] for each in changed.body["details"]["causes"]] == ["spec.size"]

    run(scenario)


ROOT = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties"


def test_status_and_scale(run: Run) -> None:
    async def scenario(api: Api) -> None:
        scale = {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.ready", "labelSelectorPath": ".status.selector"}
        await establish(api, definition(versions=[version(subresources={"status": {}, "scale": scale})]))
        made = await api("POST", WIDGETS, widget() | {"status": {"ready": 5}})
        assert "status" not in made.body
        changed = await api.patch("merge", f"{WIDGETS}/a", {"spec": {"size": 2}, "status": {"ready": 1}})
        assert (changed.body["metadata"]["generation"], "status" in changed.body) == (2, False)
        told = await api.patch(
            "merge", f"{WIDGETS}/a/status",
            {"metadata": {"labels": {"a": "b"}}, "spec": {"size": 3}, "status": {"ready": 4, "selector": "a=b"}},
        )  # fmt: skip
        assert told.status == 200, told.raw
        assert told.body["status"] == {"ready": 4, "selector": "a=b"}
        assert (told.body["spec"]["size"], told.body["metadata"]["generation"], "labels" in told.body["metadata"]) == (2, 2, False)
        assert sorted((each.get("subresource", ""), sorted(each["fieldsV1"])) for each in
                      told.body["metadata"]["managedFields"]) == [("", ["f:spec"]), ("status", ["f:status"])]  # fmt: skip
        shown = (await api("GET", f"{WIDGETS}/a/scale")).body
        assert (shown["kind"], shown["spec"], shown["status"]) == ("Scale", {"replicas": 1}, {"replicas": 4, "selector": "a=b"})
        scaled = await api.patch("merge", f"{WIDGETS}/a/scale", {"spec": {"replicas": 7}})
        assert scaled.body["spec"] == {"replicas": 7}
        found = (await api("GET", f"{WIDGETS}/a")).body
        assert (found["spec"]["replicas"], found["metadata"]["generation"]) == (7, 3)

    run(scenario)


def test_generation_counts_everything_without_a_status_subresource(run: Run) -> None:
    async def scenario(api: Api) -> None:
        await establish(api, definition())
        await api("POST", WIDGETS, widget() | {"status": {"ready": 5}})
        labelled = await api.patch("merge", f"{WIDGETS}/a", {"metadata": {"labels": {"a": "b"}}})
        assert (labelled.body["metadata"]["generation"], labelled.body["status"]) == (1, {"ready": 5})
        told = await api.patch("merge", f"{WIDGETS}/a", {"status": {"ready": 6}})
        assert told.body["metadata"]["generation"] == 2
        missing = await api("GET", f"{WIDGETS}/a/status")
        assert missing.summary == (404, "NotFound", 'widgets.example.com "a" not found')

    run(scenario)


def test_printer_columns(run: Run) -> None:
    async def scenario(api: Api) -> None:
        columns = [
            {"name": "Size", "type": "integer", "jsonPath": ".spec.size", "description": "How large"},
            {"name": "Color", "type": "string", "jsonPath": ".spec.color", "priority": 1},
            {"name": "Port", "type": "integer", "jsonPath": '.spec.ports[?(@.name=="x")].number'},
            {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
            {"name": "None", "type": "string", "jsonPath": ".spec.nothing"},
        ]
        await establish(api, definition(versions=[version(additionalPrinterColumns=columns)]))
        await api("POST", WIDGETS, widget(ports=[{"name": "w"}, {"name": "x", "number": 5}]))
        table = (await api("GET", WIDGETS, accept="application/json;as=Table;g=meta.k8s.io;v=v1")).body
        shown = [(each["name"], each["type"], each["priority"]) for each in table["columnDefinitions"]]
        assert shown == [
            ("Name", "string", 0), ("Size", "integer", 0), ("Color", "string", 1), ("Port", "integer", 0), ("Age", "date", 0),
            ("None", "string", 0),
        ]  # fmt: skip
        assert table["columnDefinitions"][2]["description"] == "Custom resource definition column (in JSONPath format): .spec.color"
        assert table["rows"][0]["cells"] == ["a", 1, "red", 5, "0s", None]

    run(scenario)


def test_patches_and_media_types(run: Run) -> None:
    async def scenario(api: Api) -> None:
        await establish(api, definition())
        await api("POST", WIDGETS, widget())
        assert (await api.patch("json", f"{WIDGETS}/a", [{"op": "replace", "path": "/spec/size", "value": 3}])).body["spec"]["size"] == 3
        strategic = await api.patch("strategic", f"{WIDGETS}/a", {"spec": {"size": 3}})
        assert strategic.summary == (
            415, "UnsupportedMediaType", "the body of the request was in an unknown format - accepted media types include: "
            "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml",
        )  # fmt: skip
        protobuf = await api("POST", WIDGETS, b"k8s\x00", content_type="application/vnd.kubernetes.protobuf")
        assert protobuf.status == 415
        unconditional = await api("PUT", f"{WIDGETS}/a", widget(size=4))
        assert unconditional.summary == (
            422, "Invalid",
            'widgets.example.com "a" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update',
        )  # fmt: skip
        live = (await api("GET", f"{WIDGETS}/a")).body
        assert (await api("PUT", f"{WIDGETS}/a", live | {"spec": {"size": 4}})).body["spec"]["size"] == 4

    run(scenario)


def test_apply_merges_by_list_type(run: Run) -> None:
    async def scenario(api: Api) -> None:
        await establish(api, definition())
        one = widget(ports=[{"name": "a", "number": 1}], tags=["x"])
        two = {**one, "spec": {"ports": [{"name": "b", "number": 2}], "tags": ["y"], "size": 1}}
        assert (await api.patch("apply", f"{WIDGETS}/a?fieldManager=one", one)).status == 201
        both = await api.patch("apply", f"{WIDGETS}/a?fieldManager=two", two)
        assert both.status == 200, both.raw
        assert (both.body["spec"]["ports"], both.body["spec"]["tags"]) == (
            [{"name": "a", "number": 1}, {"name": "b", "number": 2}], ["x", "y"],
        )  # fmt: skip
        conflict = await api.patch("apply", f"{WIDGETS}/a?fieldManager=two", widget(size=2))
        assert (conflict.status, conflict.body["details"]["causes"][0]["field"]) == (409, ".spec.size")

    run(scenario)


def test_watch_and_selectable_fields(run: Run) -> None:
    async def scenario(api: Api) -> None:
        await establish(api, definition(versions=[version(selectableFields=[{"jsonPath": ".spec.color"}])]))
        watch = await api.watch(f"{WIDGETS}?watch=true&fieldSelector=spec.color%3Dgreen")
        await api("POST", WIDGETS, widget("a"))
        await api("POST", WIDGETS, widget("b", color="green"))
        assert await watch.take(1) == [("ADDED", "b")]
        found = (await api("GET", f"{WIDGETS}?fieldSelector=spec.color%3Dgreen")).body["items"]
        assert [item["metadata"]["name"] for item in found] == ["b"]
        assert (await api("GET", f"{WIDGETS}?fieldSelector=spec.size%3D1")).summary == (
            400, "BadRequest", "field label not supported: spec.size",
        )  # fmt: skip

    run(scenario)


def test_versions_without_conversion(run: Run) -> None:
    async def scenario(api: Api) -> None:
        older = version("v1beta1", storage=False, deprecated=True)
        await establish(api, definition(versions=[version(), older]))
        beta = "/apis/example.com/v1beta1/namespaces/default/widgets"
        made = await api("POST", beta, widget() | {"apiVersion": "example.com/v1beta1"})
        assert (made.status, made.body["apiVersion"]) == (201, "example.com/v1beta1"), made.raw
        assert made.warnings == ['299 - "example.com/v1beta1 Widget is deprecated"']
        assert (await api("GET", f"{WIDGETS}/a")).body["apiVersion"] == "example.com/v1"
        assert [each["apiVersion"] for each in (await api("GET", beta)).body["items"]] == ["example.com/v1beta1"]
        watch = await api.watch(f"{beta}?watch=true")
        event = await watch.next()
        assert (event["type"], event["object"]["apiVersion"]) == ("ADDED", "example.com/v1beta1")
        switched = [
            {"op": "replace", "path": "/spec/versions/0/storage", "value": False},
            {"op": "replace", "path": "/spec/versions/1/storage", "value": True},
        ]
        crd = await api.patch("json", f"{CRDS}/widgets.example.com", switched)
        assert crd.body["status"]["storedVersions"] == ["v1", "v1beta1"]
        assert (await api("GET", f"{WIDGETS}/a")).body["apiVersion"] == "example.com/v1"

    run(scenario)


def test_defaults_that_come_later_show_at_once(run: Run) -> None:
    async def scenario(api: Api) -> None:
        await establish(api, definition())
        await api("POST", WIDGETS, widget())
        later = [
            {"op": "add", "path": f"{ROOT}/weight", "value": {"type": "integer", "default": 3}},
            {"op": "remove", "path": f"{ROOT}/color"},
        ]
        assert (await api.patch("json", f"{CRDS}/widgets.example.com", later)).status == 200
        assert (await api("GET", f"{WIDGETS}/a")).body["spec"] == {"size": 1, "replicas": 1, "weight": 3}
        assert [each["spec"] for each in (await api("GET", WIDGETS)).body["items"]] == [{"size": 1, "replicas": 1, "weight": 3}]
        await api.restart()
        assert (await api("GET", f"{WIDGETS}/a")).body["spec"] == {"size": 1, "replicas": 1, "weight": 3}

    run(scenario)


def test_names_in_use_are_not_accepted_until_they_are_free(run: Run) -> None:
    async def scenario(api: Api) -> None:
        await establish(api, definition(names={"shortNames": ["wd"]}))
        rival = definition("widgetries", "Widget", names={"shortNames": ["wd"], "singular": "widgetry"})
        assert (await api("POST", CRDS, rival)).status == 201
        crd = await until(api, f"{CRDS}/widgetries.example.com", lambda answer: bool(answer.body["status"].get("conditions")))
        assert condition(crd, "NamesAccepted") == ("False", "ListKindConflict", '"WidgetList" is already in use')
        assert condition(crd, "Established") == ("False", "NotAccepted", "not all names are accepted")
        assert (await api("GET", "/apis/example.com/v1/widgetries")).status == 404
        await api("DELETE", f"{CRDS}/widgets.example.com")
        await until(api, "/apis/example.com/v1/widgetries", lambda answer: answer.status == 200)

    run(scenario)


def test_deletion_drains_instances(run: Run) -> None:
    async def scenario(api: Api) -> None:
        await establish(api, definition())
        await api("POST", WIDGETS, widget("free"))
        held = widget("held")
        held["metadata"]["finalizers"] = ["example.com/hold"]
        await api("POST", WIDGETS, held)
        deleted = await api("DELETE", f"{CRDS}/widgets.example.com")
        assert deleted.status == 200
        assert deleted.body["metadata"]["finalizers"] == ["customresourcecleanup.apiextensions.k8s.io"]
        assert condition(deleted.body, "Terminating") == (
            "True", "InstanceDeletionPending", "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon",
        )  # fmt: skip
        await until(api, WIDGETS, lambda answer: [each["metadata"]["name"] for each in answer.body["items"]] == ["held"])
        refused = await api("POST", WIDGETS, widget("new"))
        assert refused.summary == (405, "MethodNotAllowed", "create not allowed while custom resource definition is terminating")
        crd = (await api("GET", f"{CRDS}/widgets.example.com")).body
        assert condition(crd, "Terminating") == ("True", "InstanceDeletionInProgress", "CustomResource deletion is in progress")
        await api.patch("merge", f"{WIDGETS}/held", {"metadata": {"finalizers": None}})
        await until(api, f"{CRDS}/widgets.example.com", lambda answer: answer.status == 404)
        await until(api, WIDGETS, lambda answer: answer.status == 404)
        await establish(api, definition())
        assert (await api("GET", WIDGETS)).body["items"] == []

    run(scenario)


def test_restart_serves_what_was_established(run: Run) -> None:
    async def scenario(api: Api) -> None:
        await establish(api, definition())
        await api("POST", WIDGETS, widget())
        await api.restart()
        assert [each["metadata"]["name"] for each in (await api("GET", WIDGETS)).body["items"]] == ["a"]

    run(scenario)


def test_openapi_has_the_schema(run: Run) -> None:
    async def scenario(api: Api) -> None:
        await establish(api, definition())
        index = (await api("GET", "/openapi/v3")).body["paths"]
        document = (await api("GET", index["apis/example.com/v1"]["serverRelativeURL"])).body
        shown = document["components"]["schemas"]["com.example.v1.Widget"]
        assert shown["x-kubernetes-group-version-kind"] == [{"group": "example.com", "version": "v1", "kind": "Widget"}]
        assert shown["properties"]["spec"]["properties"]["size"] == {"type": "integer", "minimum": 1, "maximum": 10}
        assert "oneOf" in shown["properties"]["spec"]["properties"]["one"]
        assert "com.example.v1.WidgetList" in document["components"]["schemas"]
        older = (await api("GET", "/openapi/v2")).body["definitions"]["com.example.v1.Widget"]
        assert older["properties"]["spec"]["properties"]["one"] == {
            "type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}},
        }  # fmt: skip
        assert (await api("GET", "/openapi/v2", accept="application/com.github.proto-openapi.spec.v2@v1.0+protobuf")).status == 200
        assert orjson.dumps(older)

    run(scenario)
