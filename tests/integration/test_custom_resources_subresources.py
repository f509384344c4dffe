"""Scale and status of custom resources at their edges, and finalizers: tables of requests and answers."""

import copy
from typing import Any

import pytest

from tests.integration.conftest import Api, Run
from tests.integration.test_custom_resources import WIDGETS, definition, establish, version, widget

SCALE = {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.ready", "labelSelectorPath": ".status.selector"}
NAMED = 'Widget.example.com "a" is invalid: '


def scalable(**status: Any) -> dict[str, Any]:
    crd = copy.deepcopy(definition(versions=[version(subresources={"status": {}, "scale": SCALE})]))
    properties = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]
    properties["spec"]["properties"]["replicas"] = {"type": "integer"}
    properties["status"] = {"type": "object", "properties": {"ready": {"type": "integer"}, "selector": {"type": "string"}}, **status}
    return crd


SCALES: list[tuple[str, dict[str, Any], str, Any, tuple[int, str, str] | dict[str, Any]]] = [
    # what, spec of the resource, method or kind of patch, body, (code, reason, message) or spec of the Scale
    ("no count yet", {}, "GET", None,
     (500, "InternalError", 'Internal error occurred: the spec replicas field ".spec.replicas" does not exist')),
    ("first count", {}, "merge", {"spec": {"replicas": 3}}, {"replicas": 3}),
    ("a patch that says nothing", {}, "merge", {"metadata": {}},
     (400, "BadRequest", 'the spec replicas field ".spec.replicas" cannot be empty')),
    ("down to none", {"replicas": 2}, "merge", {"spec": {"replicas": 0}}, {}),
    ("negative", {"replicas": 2}, "merge", {"spec": {"replicas": -1}},
     (422, "Invalid", NAMED + ".spec.replicas: Invalid value: -1: should be a non-negative integer")),
    ("replaced", {"replicas": 2}, "PUT", {"metadata": {"name": "a"}, "spec": {"replicas": 5}}, {"replicas": 5}),
    ("replaced by nothing", {"replicas": 2}, "PUT", {"metadata": {"name": "a"}}, {}),
    ("of an older state", {"replicas": 2}, "PUT", {"metadata": {"name": "a", "resourceVersion": "1"}, "spec": {"replicas": 5}},
     (409, "Conflict", 'Operation cannot be fulfilled on widgets.example.com "a": the object has been modified; please apply your changes '
      "to the latest version and try again")),
    ("strategic", {"replicas": 2}, "strategic", {"spec": {"replicas": 5}},
     (415, "UnsupportedMediaType", "the body of the request was in an unknown format - accepted media types include: "
      "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml")),
    ("JSON patch", {"replicas": 2}, "json", [{"op": "replace", "path": "/spec/replicas", "value": 7}], {"replicas": 7}),
    ("wrong type", {"replicas": 2}, "merge", {"spec": {"replicas": "x"}},
     (422, "Invalid", "json: cannot unmarshal string into Go struct field ScaleSpec.spec.replicas of type int32")),
]  # fmt: skip


@pytest.mark.parametrize(("spec", "how", "body", "expected"), [row[1:] for row in SCALES], ids=[row[0] for row in SCALES])
def test_scale(run: Run, spec: dict[str, Any], how: str, body: Any, expected: Any) -> None:
    async def scenario(api: Api) -> None:
        await establish(api, scalable())
        assert (await api("POST", WIDGETS, widget(**spec))).status == 201
        target = f"{WIDGETS}/a/scale"
        if isinstance(body, dict) and how == "PUT":
            body.update(apiVersion="autoscaling/v1", kind="Scale")
        answer = await (api(how, target, body) if how.isupper() else api.patch(how, target, body))
        if isinstance(expected, tuple):
            assert answer.summary[:2] == expected[:2]
            assert answer.summary[2].endswith(expected[2])
            return
        assert (answer.status, answer.body["kind"], answer.body["spec"]) == (200, "Scale", expected), answer.raw
        assert (await api("GET", f"{WIDGETS}/a")).body["spec"]["replicas"] == expected.get("replicas", 0)

    run(scenario)


def test_scale_is_applied_and_owned(run: Run) -> None:
    async def scenario(api: Api) -> None:
        await establish(api, scalable())
        assert (await api("POST", f"{WIDGETS}?fieldManager=maker", widget(replicas=1))).status == 201
        wanted = {"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "a"}, "spec": {"replicas": 4}}
        refused = await api.patch("apply", f"{WIDGETS}/a/scale?fieldManager=scaler", wanted)
        assert (refused.status, refused.body["details"]["causes"][0]["field"]) == (409, ".spec.replicas")
        forced = await api.patch("apply", f"{WIDGETS}/a/scale?fieldManager=scaler&force=true", wanted)
        assert (forced.status, forced.body["spec"]) == (200, {"replicas": 4}), forced.raw
        managed = (await api("GET", f"{WIDGETS}/a")).body["metadata"]["managedFields"]
        assert [(each["manager"], each["subresource"], each["fieldsV1"]) for each in managed if each["operation"] == "Apply"] == [
            ("scaler", "scale", {"f:spec": {"f:replicas": {}}})
        ]

    run(scenario)


COUNTS: list[tuple[Any, str]] = [
    (-1, ".spec.replicas: Invalid value: -1: should be a non-negative integer"),
    (2**31, ".spec.replicas: Invalid value: 2147483648: should be less than or equal to 2147483647"),
]


@pytest.mark.parametrize(("replicas", "told"), COUNTS)
def test_counts_that_no_scale_could_show(run: Run, replicas: Any, told: str) -> None:
    async def scenario(api: Api) -> None:
        await establish(api, scalable())
        assert (await api("POST", WIDGETS, widget(replicas=replicas))).summary == (422, "Invalid", NAMED + told)

    run(scenario)


def test_status_alone_is_judged_when_status_is_written(run: Run) -> None:
    async def scenario(api: Api) -> None:
        await establish(api, scalable(required=["ready"]))
        assert (await api("POST", WIDGETS, widget())).status == 201
        for status, cause in [
            ({"ready": "x"}, ("status.ready", 'Invalid value: "string": ready in body must be of type integer: "string"')),
            ({}, ("status.ready", "Required value")),
            ({"ready": -1}, (".status.ready", "Invalid value: -1: should be a non-negative integer")),
        ]:
            answer = await api.patch("merge", f"{WIDGETS}/a/status", {"status": status})
            first = answer.body["details"]["causes"][0]
            assert (first["field"], first["message"]) == cause
        assert (await api.patch("merge", f"{WIDGETS}/a/status", {"status": {"ready": 1}})).body["status"] == {"ready": 1}

    run(scenario)


def test_a_finalizer_without_a_domain_is_warned_about_once(run: Run) -> None:
    async def scenario(api: Api) -> None:
        await establish(api, definition())
        body = widget()
        body["metadata"]["finalizers"] = ["mine", "example.com/theirs", "orphan"]
        made = await api("POST", WIDGETS, body)
        assert made.warnings == [
            '299 - "metadata.finalizers: \\"mine\\": prefer a domain-qualified finalizer name including a path (/) to avoid accidental '
            'conflicts with other finalizer writers"'
        ]
        assert (await api.patch("merge", f"{WIDGETS}/a", {"spec": {"size": 2}})).warnings == []

    run(scenario)
