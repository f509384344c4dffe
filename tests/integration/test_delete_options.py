"""DeleteOptions in every form and place, and what updates are checked against: request -> status, reason, message, and what is left."""

from typing import Any

import pytest

from tests.integration.conftest import Api, Run

MAPS = "/api/v1/namespaces/default/configmaps"
A = f"{MAPS}/a"
INVALID = 'DeleteOptions.meta.k8s.io "" is invalid: '
BOTH = f'{INVALID}propagationPolicy: Invalid value: "Orphan": orphanDependents and deletionPropagation cannot be both set'
YAML = "application/yaml"

GONE: list[tuple[str, Any, str]] = [
    ("", None, "application/json"),
    ("", {}, "application/json"),
    ("", {"kind": "DeleteOptions", "apiVersion": "v1"}, "application/json"),
    ("", {"kind": "DeleteOptions", "apiVersion": "apps/v1", "propagationPolicy": "Background"}, "application/json"),
    ("", {"kind": "DeleteOptions", "apiVersion": "meta.k8s.io/v1", "orphanDependents": False}, "application/json"),
    ("", {"preconditions": {"uid": "UID"}}, "application/json"),
    ("", {"preconditions": {"uid": "UID", "resourceVersion": "VERSION"}}, "application/json"),
    ("", {"gracePeriodSeconds": 30}, "application/json"),
    ("", {"unknown": 1}, "application/json"),
    ("", b"propagationPolicy: Background\n", YAML),
    ("?propagationPolicy=Background", None, "application/json"),
    ("?gracePeriodSeconds=0&orphanDependents=false", None, "application/json"),
    ("?propagationPolicy=Orphan", {}, "application/json"),
]


def filled(value: Any, made: Any) -> Any:
    """The table's words UID and VERSION as the object has them."""
    if isinstance(value, dict):
        return {key: filled(each, made) for key, each in value.items()}
    return {"UID": made["metadata"]["uid"], "VERSION": made["metadata"]["resourceVersion"]}.get(value, value) if value.__hash__ else value


@pytest.mark.parametrize(("query", "body", "content_type"), GONE, ids=[f"{row[0]} {row[1]}" for row in GONE])
def test_gone_at_once(run: Run, query: str, body: Any, content_type: str) -> None:
    """A body, even an empty one, makes the query's options not count."""

    async def scenario(api: Api) -> None:
        made = (await api("POST", MAPS, {"metadata": {"name": "a"}})).body
        answer = await api("DELETE", f"{A}{query}", filled(body, made), content_type=content_type)
        assert (answer.status, answer.body["kind"], answer.body["status"]) == (200, "Status", "Success"), answer.raw
        assert answer.body["details"] == {"name": "a", "kind": "configmaps", "uid": made["metadata"]["uid"]}
        assert (await api("GET", A)).status == 404

    run(scenario)


KEPT: list[tuple[str, Any, int, list[str] | None]] = [
    ("", {"propagationPolicy": "Foreground"}, 200, ["foregroundDeletion"]),
    ("?propagationPolicy=Foreground", None, 200, ["foregroundDeletion"]),
    ("", {"propagationPolicy": "Orphan"}, 200, ["orphan"]),
    ("", {"orphanDependents": True}, 200, ["orphan"]),
    ("?orphanDependents=true", None, 200, ["orphan"]),
    ("?dryRun=All", None, 200, None),
    ("", {"dryRun": ["All"]}, 200, None),
    ("", {"dryRun": ["All"], "propagationPolicy": "Foreground"}, 200, None),
]


@pytest.mark.parametrize(("query", "body", "status", "finalizers"), KEPT, ids=[f"{row[0]} {row[1]}" for row in KEPT])
def test_kept(run: Run, query: str, body: Any, status: int, finalizers: list[str] | None) -> None:
    async def scenario(api: Api) -> None:
        made = (await api("POST", MAPS, {"metadata": {"name": "a"}})).body
        answer = await api("DELETE", f"{A}{query}", body)
        assert answer.status == status
        left = (await api("GET", A)).body
        if finalizers is None:
            assert left == made
        else:
            assert (answer.body, left["metadata"]["finalizers"]) == (left, finalizers)
            assert left["metadata"]["deletionGracePeriodSeconds"] == 0

    run(scenario)


def test_cascading_that_has_to_wait_is_accepted(run: Run) -> None:
    async def scenario(api: Api) -> None:
        await api("POST", MAPS, {"metadata": {"name": "a", "finalizers": ["x.io/y"]}})
        assert (await api("DELETE", A, {"orphanDependents": False})).status == 202

    run(scenario)


CONFLICT = 'Operation cannot be fulfilled on configmaps "a": '
DELETION = CONFLICT.replace("configmaps", "ConfigMap")
STORED = "StorageError: invalid object, Code: 4, Key: /registry/configmaps/default/a, ResourceVersion: 0, AdditionalErrorMsg: "
REFUSED: list[tuple[str, Any, tuple[int, str, str]]] = [
    ("", {"propagationPolicy": "Orphan", "orphanDependents": True}, (422, "Invalid", BOTH)),
    ("?propagationPolicy=Orphan&orphanDependents=true", None, (422, "Invalid", BOTH)),
    ("", {"propagationPolicy": "Never"},
     (422, "Invalid", f'{INVALID}propagationPolicy: Unsupported value: "Never": supported values: "Foreground", "Background", "Orphan", '
      '"nil"')),
    ("?dryRun=Some", None, (422, "Invalid", f'{INVALID}dryRun: Unsupported value: ["Some"]: supported values: "All"')),
    ("", {"preconditions": {"uid": "other"}},
     (409, "Conflict", f"{DELETION}the UID in the precondition (other) does not match the UID in record (UID). "
      "The object might have been deleted and then recreated")),
    ("", {"preconditions": {"resourceVersion": "1"}},
     (409, "Conflict", f"{DELETION}the ResourceVersion in the precondition (1) does not match the ResourceVersion in record (VERSION). "
      "The object might have been modified")),
    ("", {"kind": "ListOptions"}, (400, "BadRequest", "decoded object cannot be converted to DeleteOptions")),
    ("", {"kind": "ConfigMap"}, (400, "BadRequest", 'no kind "ConfigMap" is registered for version "meta.k8s.io/v1" in scheme '
     '"k8s.io/apimachinery/pkg/apis/meta/internalversion/scheme/register.go:27"')),
    ("", {"kind": "Pod", "apiVersion": "v1"}, (400, "BadRequest", 'no kind "Pod" is registered for version "v1" in scheme '
     '"k8s.io/apimachinery/pkg/apis/meta/internalversion/scheme/register.go:27"')),
    ("?gracePeriodSeconds=x", None, (400, "BadRequest", 'strconv.ParseInt: parsing "x": invalid syntax')),
]  # fmt: skip


@pytest.mark.parametrize(("query", "body", "expected"), REFUSED, ids=[f"{row[0]} {row[1]}" for row in REFUSED])
@pytest.mark.parametrize("method", ["one", "collection"])
def test_refused(run: Run, method: str, query: str, body: Any, expected: tuple[int, str, str]) -> None:
    async def scenario(api: Api) -> None:
        made = (await api("POST", MAPS, {"metadata": {"name": "a"}})).body
        answer = await api("DELETE", f"{A if method == 'one' else MAPS}{query}", body)
        message = expected[2].replace("VERSION", made["metadata"]["resourceVersion"]).replace("(UID)", f"({made['metadata']['uid']})")
        assert answer.summary == (*expected[:2], message)
        assert (await api("GET", A)).body == made

    run(scenario)


UPDATES: list[tuple[Any, tuple[int, str, str]]] = [
    ({"uid": "other"}, (409, "Conflict", f"{CONFLICT}{STORED}Precondition failed: UID in precondition: other, UID in object meta: UID")),
    ({"resourceVersion": "1"},
     (409, "Conflict",
      f"{CONFLICT}the object has been modified; please apply your changes to the latest version and try again")),
    ({"name": "b"}, (400, "BadRequest", "the name of the object (b) does not match the name on the URL (a)")),
    ({"namespace": "other"},
     (400, "BadRequest", "the namespace of the provided object does not match the namespace sent on the request")),
]  # fmt: skip


@pytest.mark.parametrize(("metadata", "expected"), UPDATES, ids=[str(row[0]) for row in UPDATES])
@pytest.mark.parametrize("method", ["PUT", "merge", "dry"])
def test_updates_that_are_refused(run: Run, method: str, metadata: Any, expected: tuple[int, str, str]) -> None:
    async def scenario(api: Api) -> None:
        made = (await api("POST", MAPS, {"metadata": {"name": "a"}})).body
        body = {"metadata": {"name": "a", **metadata}}
        target = f"{A}?dryRun=All" if method == "dry" else A
        answer = await (api.patch("merge", A, body) if method == "merge" else api("PUT", target, body))
        if (method, metadata) == ("merge", {"uid": "other"}):
            # Only a whole object is looked up by its UID; a patch would change it.
            assert answer.summary == (422, "Invalid", 'ConfigMap "a" is invalid: metadata.uid: Invalid value: "other": field is immutable')
            return
        assert answer.summary == (*expected[:2], expected[2].replace("meta: UID", f"meta: {made['metadata']['uid']}"))
        assert (await api("GET", A)).body == made

    run(scenario)


def test_generation_steps_with_what_is_wanted(run: Run) -> None:
    async def scenario(api: Api) -> None:
        base = "/apis/apps/v1/namespaces/default/deployments"
        template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
        made = await api("POST", base, {"metadata": {"name": "d"}, "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": template}})
        generations = [made.body["metadata"]["generation"]]
        for target, body in (
            ("", {"metadata": {"labels": {"x": "y"}}}), ("", {"spec": {"replicas": 2}}), ("/status", {"status": {"replicas": 2}}),
            ("/scale", {"spec": {"replicas": 3}}), ("", {"spec": {"replicas": 3}}), ("?dryRun=All", {"spec": {"replicas": 9}}),
        ):  # fmt: skip
            await api.patch("merge", f"{base}/d{target}", body)
            generations.append((await api("GET", f"{base}/d")).body["metadata"]["generation"])
        assert generations == [1, 1, 2, 2, 3, 3, 3]
        marked = await api("DELETE", f"{base}/d", {"propagationPolicy": "Foreground"})
        assert marked.body["metadata"]["generation"] == 4

    run(scenario)
