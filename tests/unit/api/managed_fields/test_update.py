from typing import Any

import pytest

from proa.api.managed_fields.update import update_managed_fields
from proa.api.schema import load_schema
from proa.api.schema_node import SchemaNode

NOW = "2030-01-01T00:00:00Z"
LATER = "2030-01-01T00:00:09Z"


@pytest.fixture(scope="module")
def deployment() -> SchemaNode:
    return load_schema("1.37").node("io.k8s.api.apps.v1.Deployment")


def web(**spec: Any) -> dict[str, Any]:
    container = {"name": "web", "image": "web:1", "resources": {}, "ports": [{"containerPort": 80, "protocol": "TCP"}]}
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [container], "dnsPolicy": "ClusterFirst"}}
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%"}}
    whole = {"replicas": 1, "selector": {"matchLabels": {"app": "web"}}, "strategy": strategy, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "labels": {"app": "web"}}, "spec": whole | spec}


def update(
    old: dict[str, Any] | None, new: dict[str, Any], manager: str, node: SchemaNode, time: str = NOW, subresource: str = ""
) -> list[dict[str, Any]]:
    update_managed_fields(old, new, manager, api_version="apps/v1", subresource=subresource, time=time, node=node)
    entries: list[dict[str, Any]] = new["metadata"].get("managedFields", [])
    return entries


def owned(entries: list[dict[str, Any]]) -> dict[str, Any]:
    return {entry["manager"] + entry.get("subresource", ""): entry["fieldsV1"] for entry in entries}


def test_a_create_owns_what_it_sets_as_a_real_cluster_writes_it(deployment: SchemaNode) -> None:
    assert update(None, web(), "kubectl-create", deployment) == [
        {
            "manager": "kubectl-create",
            "operation": "Update",
            "apiVersion": "apps/v1",
            "time": NOW,
            "fieldsType": "FieldsV1",
            "fieldsV1": {
                "f:metadata": {"f:labels": {".": {}, "f:app": {}}},
                "f:spec": {
                    "f:replicas": {},
                    "f:selector": {},
                    "f:strategy": {"f:type": {}, "f:rollingUpdate": {".": {}, "f:maxSurge": {}}},
                    "f:template": {
                        "f:metadata": {"f:labels": {".": {}, "f:app": {}}},
                        "f:spec": {
                            "f:containers": {
                                'k:{"name":"web"}': {
                                    ".": {},
                                    "f:name": {},
                                    "f:image": {},
                                    "f:resources": {},
                                    "f:ports": {
                                        ".": {},
                                        'k:{"containerPort":80,"protocol":"TCP"}': {".": {}, "f:containerPort": {}, "f:protocol": {}},
                                    },
                                }
                            },
                            "f:dnsPolicy": {},
                        },
                    },
                },
            },
        }
    ]


def test_whoever_changes_a_field_takes_it_from_the_others(deployment: SchemaNode) -> None:
    live = web()
    update(None, live, "creator", deployment)
    scaled = web(replicas=3) | {"metadata": dict(live["metadata"])}
    entries = update(live, scaled, "scaler", deployment, LATER)
    fields = owned(entries)
    assert fields["scaler"] == {"f:spec": {"f:replicas": {}}}
    assert "f:replicas" not in fields["creator"]["f:spec"]
    assert {entry["manager"]: entry["time"] for entry in entries} == {"creator": NOW, "scaler": LATER}


def test_a_write_that_changes_nothing_changes_no_owner_and_no_time(deployment: SchemaNode) -> None:
    live = web()
    before = update(None, live, "creator", deployment)
    same = web() | {"metadata": {"name": "web", "labels": {"app": "web"}}}
    assert update(live, same, "other", deployment, LATER) == before


def test_the_status_endpoint_owns_status_only_and_separately(deployment: SchemaNode) -> None:
    live = web()
    update(None, live, "creator", deployment)
    reported = live | {
        "metadata": dict(live["metadata"]),
        "status": {"replicas": 1, "conditions": [{"type": "Available", "status": "True"}]},
    }
    fields = owned(update(live, reported, "creator", deployment, LATER, subresource="status"))
    assert fields["creatorstatus"] == {
        "f:status": {
            ".": {},
            "f:replicas": {},
            "f:conditions": {".": {}, 'k:{"type":"Available"}': {".": {}, "f:type": {}, "f:status": {}}},
        }
    }


def test_what_is_removed_is_owned_by_nobody(deployment: SchemaNode) -> None:
    live = web()
    update(None, live, "creator", deployment)
    bare = web() | {"metadata": {"name": "web", "managedFields": live["metadata"]["managedFields"]}}
    assert "f:metadata" not in owned(update(live, bare, "remover", deployment, LATER))["creator"]


def test_an_empty_entry_forgets_all_managers(deployment: SchemaNode) -> None:
    live = web()
    update(None, live, "creator", deployment)
    reset = web() | {"metadata": {"name": "web", "labels": {"app": "web"}, "managedFields": [{}]}}
    assert update(live, reset, "other", deployment, LATER) == []


def test_more_than_ten_updaters_are_gathered(deployment: SchemaNode) -> None:
    live = web()
    update(None, live, "creator", deployment)
    for number in range(15):
        labels = live["metadata"]["labels"] | {f"l{number}": "x"}
        changed = web() | {"metadata": {"name": "web", "labels": labels, "managedFields": live["metadata"]["managedFields"]}}
        update(live, changed, f"m{number:02}", deployment, f"2030-01-01T00:00:{number + 10}Z")
        live = changed
    managers = [entry["manager"] for entry in live["metadata"]["managedFields"]]
    assert len(managers) == 10
    assert "ancient-changes" in managers
    assert managers[-1] == "m14"
