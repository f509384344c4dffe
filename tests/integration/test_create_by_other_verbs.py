"""PUT and apply of what isn't there: who may create by them, with which answers, and that the right to change is not enough."""

from typing import Any

import pytest

from tests.integration.conftest import Api, Run

NS = "/api/v1/namespaces/default"
MAPS = f"{NS}/configmaps"
LEASES = "/apis/coordination.k8s.io/v1/namespaces/default/leases"
RBAC = "/apis/rbac.authorization.k8s.io/v1/namespaces/default"


async def allow(api: Api, user: str, *verbs: str) -> None:
    rules = [{"apiGroups": ["", "coordination.k8s.io"], "resources": ["configmaps", "leases"], "verbs": list(verbs)}]
    await api("POST", f"{RBAC}/roles", {"metadata": {"name": user}, "rules": rules})
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": user}
    subject = {"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": user}
    await api("POST", f"{RBAC}/rolebindings", {"metadata": {"name": user}, "roleRef": reference, "subjects": [subject]})


def test_changing_is_not_creating(run: Run) -> None:
    async def scenario(api: Api) -> None:
        await allow(api, "editor", "update", "patch")
        await allow(api, "author", "update", "patch", "create")
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"k": "v"}}
        lease = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "a"}, "spec": {"holderIdentity": "h"}}
        refused = await api.patch("apply", f"{MAPS}/a?fieldManager=m", body, user="editor")
        why = 'User "editor" cannot create resource "configmaps" in API group "" in the namespace "default"'
        assert refused.summary == (403, "Forbidden", f'configmaps "a" is forbidden: {why}')
        assert (await api("PUT", f"{LEASES}/a", lease, user="editor")).summary[:2] == (403, "Forbidden")
        assert (await api("GET", f"{MAPS}/a")).status == (await api("GET", f"{LEASES}/a")).status == 404
        assert (await api.patch("apply", f"{MAPS}/a?fieldManager=m", body, user="author")).status == 201
        assert (await api("PUT", f"{LEASES}/a", lease, user="author")).status == 201
        assert (await api.patch("apply", f"{MAPS}/a?fieldManager=m", body | {"data": {"k": "w"}}, user="editor")).status == 200

    run(scenario)


CREATED: list[tuple[str, str, Any, tuple[int, str]]] = [
    ("a lease", f"{LEASES}/a", {"metadata": {"name": "a"}}, (201, "")),
    ("with a version, which says nothing", f"{LEASES}/a", {"metadata": {"name": "a", "resourceVersion": "7"}}, (201, "")),
    ("a config map", f"{MAPS}/a", {"metadata": {"name": "a"}}, (404, "NotFound")),
    ("no name", f"{LEASES}/a", {"metadata": {}}, (400, "BadRequest")),
]


@pytest.mark.parametrize(("target", "body", "expected"), [row[1:] for row in CREATED], ids=[row[0] for row in CREATED])
def test_put_of_what_is_not_there(run: Run, target: str, body: Any, expected: tuple[int, str]) -> None:
    async def scenario(api: Api) -> None:
        answer = await api("PUT", target, body)
        assert (answer.status, answer.body.get("reason", "")) == expected

    run(scenario)


def test_apply_of_what_is_not_there(run: Run) -> None:
    async def scenario(api: Api) -> None:
        body: Any = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "uid": "x"}}
        refused = await api.patch("apply", f"{MAPS}/a?fieldManager=m", body)
        why = "uid mismatch: the provided object specified uid x, and no existing object was found"
        assert refused.summary == (409, "Conflict", f'Operation cannot be fulfilled on configmaps "a": {why}')
        body["metadata"] = {"name": "a", "resourceVersion": "7"}
        assert (await api.patch("apply", f"{MAPS}/a?fieldManager=m", body)).status == 201
        assert (await api.patch("apply", f"{MAPS}/a?fieldManager=m", body)).summary[:2] == (409, "Conflict")
        assert (await api.patch("apply", f"{MAPS}/b?fieldManager=m", body)).summary[:2] == (400, "BadRequest")

    run(scenario)


UNREADABLE = "application/x-nothing"


@pytest.mark.parametrize("method", ["POST", "PUT", "merge", "apply", "DELETE", "collection"])
def test_who_can_not_read_the_answer_changes_nothing(run: Run, method: str) -> None:
    async def scenario(api: Api) -> None:
        made = (await api("POST", MAPS, {"metadata": {"name": "a"}})).body
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "b" if method == "POST" else "a"}, "data": {"x": "y"}}
        if method in ("merge", "apply"):
            answer = await api.patch(method, f"{MAPS}/a?fieldManager=m", body, accept=UNREADABLE)
        else:
            sent = {"collection": "DELETE"}.get(method, method)
            target = MAPS if method in ("POST", "collection") else f"{MAPS}/a"
            answer = await api(sent, target, None if sent == "DELETE" else body, accept=UNREADABLE)
        message = "only the following media types are accepted: application/json, application/yaml, application/vnd.kubernetes.protobuf"
        assert answer.summary == (406, "NotAcceptable", message)
        assert (await api("GET", MAPS)).body["items"] == [{key: made[key] for key in made if key not in ("apiVersion", "kind")}]

    run(scenario)


def test_an_owner_that_is_named_twice(run: Run) -> None:
    async def scenario(api: Api) -> None:
        owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "o", "uid": "u"}
        body: Any = {"metadata": {"name": "a", "ownerReferences": [owner, dict(owner), owner | {"name": "p", "uid": "v"}]}}
        told = (
            ".metadata.ownerReferences contains duplicate entries{}; API server dedups owner references in 1.20+, and may reject such "
            "requests as early as 1.24; please fix your requests; duplicate UID(s) observed: u"
        )
        made = await api("POST", MAPS, body)
        assert [each["name"] for each in made.body["metadata"]["ownerReferences"]] == ["o", "p"]
        assert made.warnings == [f'299 - "{told.format("")}"']
        put = await api("PUT", f"{MAPS}/a", body)
        assert (put.warnings, put.body["metadata"]["resourceVersion"]) == (made.warnings, made.body["metadata"]["resourceVersion"])
        patched = await api.patch("merge", f"{MAPS}/a", {"metadata": {"ownerReferences": [owner, owner]}})
        assert patched.warnings == [f'299 - "{told.format(" after mutating admission happens")}"']
        assert len(patched.body["metadata"]["ownerReferences"]) == 1

    run(scenario)
