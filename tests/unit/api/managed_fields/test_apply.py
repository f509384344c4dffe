import copy
from typing import Any

import orjson
import pytest

from proa.api.errors import ApiError, ApplyConflict
from proa.api.managed_fields.apply import apply
from proa.api.managed_fields.update import update_managed_fields
from proa.api.schema import load_schema
from proa.api.schema_node import SchemaNode

NOW = "2030-01-01T00:00:00Z"
LATER = "2030-01-01T00:00:09Z"
Object = dict[str, Any]


@pytest.fixture(scope="module")
def node() -> SchemaNode:
    return load_schema("1.37").node("io.k8s.api.apps.v1.Deployment")


def config(spec: Object | None = None, **meta: Any) -> Object:
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"} | meta, "spec": spec or {}}


def pod(*containers: Object) -> Object:
    return {"template": {"spec": {"containers": list(containers)}}}


def ssa(live: Object | None, wanted: Object, manager: str, node: SchemaNode, *, force: bool = False, now: str = NOW) -> Object:
    return apply(live, wanted, manager, force=force, node=node, api_version="apps/v1", now=now)


def bare(obj: Object) -> Object:
    return obj | {"metadata": {key: value for key, value in obj["metadata"].items() if key != "managedFields"}}


def test_the_first_apply_creates_and_owns_what_it_says(node: SchemaNode) -> None:
    created = ssa(None, config({"replicas": 2}, labels={"app": "web"}), "alice", node)
    assert bare(created) == config({"replicas": 2}, labels={"app": "web"})
    assert created["metadata"]["managedFields"] == [
        {
            "manager": "alice",
            "operation": "Apply",
            "apiVersion": "apps/v1",
            "time": NOW,
            "fieldsType": "FieldsV1",
            "fieldsV1": {"f:metadata": {"f:labels": {"f:app": {}}}, "f:spec": {"f:replicas": {}}},
        }
    ]


def test_applying_the_same_again_changes_nothing_not_even_a_time(node: SchemaNode) -> None:
    wanted = config(pod({"name": "web", "image": "a", "ports": [{"containerPort": 80}]}))
    live = ssa(None, wanted, "alice", node)
    assert ssa(live, copy.deepcopy(wanted), "alice", node, now=LATER) == live


def test_a_field_of_another_manager_is_a_conflict(node: SchemaNode) -> None:
    live = config({"replicas": 1})
    update_managed_fields(None, live, "kubectl-client-side-apply", api_version="apps/v1", time=NOW, node=node)
    with pytest.raises(ApplyConflict) as caught:
        ssa(live, config({"replicas": 3}), "alice", node)
    assert caught.value.to_status() == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": 'Apply failed with 1 conflict: conflict with "kubectl-client-side-apply" using apps/v1: .spec.replicas',
        "reason": "Conflict",
        "details": {
            "causes": [
                {
                    "reason": "FieldManagerConflict",
                    "message": 'conflict with "kubectl-client-side-apply" using apps/v1',
                    "field": ".spec.replicas",
                }
            ]
        },
        "code": 409,
    }


def test_several_conflicts_are_listed_by_manager(node: SchemaNode) -> None:
    live = ssa(None, config({"replicas": 1, "paused": False}), "bob", node)
    with pytest.raises(ApplyConflict, match=r'^Apply failed with 2 conflicts: conflicts with "bob":\n- .spec.paused\n- .spec.replicas$'):
        ssa(live, config({"replicas": 2, "paused": True}), "alice", node)


def test_force_takes_the_field_over(node: SchemaNode) -> None:
    live = ssa(None, config({"replicas": 1}), "bob", node)
    forced = ssa(live, config({"replicas": 2}), "alice", node, force=True, now=LATER)
    assert forced["spec"] == {"replicas": 2}
    assert [entry["manager"] for entry in forced["metadata"]["managedFields"]] == ["alice"]


def test_equal_values_are_shared_and_survive_until_the_last_owner_lets_go(node: SchemaNode) -> None:
    live = ssa(None, config({"replicas": 1}), "bob", node)
    shared = ssa(live, config({"replicas": 1}), "alice", node)
    assert [entry["manager"] for entry in shared["metadata"]["managedFields"]] == ["alice", "bob"]
    left = ssa(shared, config({"paused": True}), "alice", node)
    assert left["spec"] == {"replicas": 1, "paused": True}
    gone = ssa(left, config({"minReadySeconds": 1}), "bob", node)
    assert gone["spec"] == {"paused": True, "minReadySeconds": 1}


def test_what_is_no_longer_applied_goes_with_its_defaults(node: SchemaNode) -> None:
    both = config(pod({"name": "a", "image": "a"}, {"name": "b", "image": "b", "env": [{"name": "X", "value": "1"}]}))
    live = ssa(None, both, "alice", node)
    live["spec"]["template"]["spec"]["containers"][1]["imagePullPolicy"] = "Always"
    left = ssa(live, config(pod({"name": "a", "image": "a"})), "alice", node)
    assert left["spec"] == pod({"name": "a", "image": "a"})


def test_an_item_stays_while_another_manager_owns_a_part_of_it(node: SchemaNode) -> None:
    live = ssa(None, config(pod({"name": "a", "image": "a"}, {"name": "b", "image": "b"})), "alice", node)
    live = ssa(live, config(pod({"name": "b", "tty": True})), "bob", node)
    left = ssa(live, config(pod({"name": "a", "image": "a"})), "alice", node)
    assert left["spec"] == pod({"name": "a", "image": "a"}, {"name": "b", "tty": True})


def test_keys_with_defaults_match(node: SchemaNode) -> None:
    live = ssa(None, config(pod({"name": "a", "ports": [{"containerPort": 80}]})), "alice", node)
    live["spec"]["template"]["spec"]["containers"][0]["ports"][0]["protocol"] = "TCP"
    named = config(pod({"name": "a", "ports": [{"containerPort": 80, "name": "http"}]}))
    assert ssa(live, named, "alice", node)["spec"] == pod(
        {"name": "a", "ports": [{"containerPort": 80, "protocol": "TCP", "name": "http"}]}
    )


def test_lists_follow_the_configuration_s_order_around_foreign_items(node: SchemaNode) -> None:
    live = ssa(None, config(pod({"name": "a"}, {"name": "x"}, {"name": "b"})), "bob", node)
    merged = ssa(live, config(pod({"name": "b"}, {"name": "a"}, {"name": "c"})), "alice", node)
    assert [each["name"] for each in merged["spec"]["template"]["spec"]["containers"]] == ["b", "a", "x", "c"]


def test_elements_without_their_key_are_refused(node: SchemaNode) -> None:
    with pytest.raises(ApiError) as caught:
        ssa(None, config(pod({"image": "a"}), namespace="n"), "alice", node)
    assert caught.value.message == (
        "failed to create typed patch object (n/web; apps/v1, Kind=Deployment): .spec.template.spec.containers: element 0: "
        'associative list with keys has an element that omits key field "name" (and doesn\'t have default value)'
    )


def test_an_object_from_before_the_first_apply_belongs_to_nobody_in_particular(node: SchemaNode) -> None:
    live = config({"replicas": 1})
    with pytest.raises(ApplyConflict, match=r'conflict with "before-first-apply" using apps/v1: .spec.replicas'):
        ssa(live, config({"replicas": 2}), "alice", node)


def test_kubectl_takes_over_from_its_own_client_side_apply(node: SchemaNode) -> None:
    said = config({"replicas": 1})
    annotation = "kubectl.kubernetes.io/last-applied-configuration"
    live = config({"replicas": 1, "paused": False}, annotations={annotation: orjson.dumps(said).decode()})
    update_managed_fields(None, live, "kubectl-client-side-apply", api_version="apps/v1", time=NOW, node=node)
    taken = ssa(live, config({"replicas": 5}), "kubectl", node, now=LATER)
    assert taken["spec"]["replicas"] == 5
    assert orjson.loads(taken["metadata"]["annotations"][annotation]) == config({"replicas": 5})
    with pytest.raises(ApplyConflict):
        ssa(live, config({"paused": True}), "kubectl", node)


def test_another_spelling_of_a_quantity_is_no_change(node: SchemaNode) -> None:
    live = ssa(None, config(pod({"name": "a", "resources": {"limits": {"cpu": "1"}}})), "bob", node)
    shared = ssa(live, config(pod({"name": "a", "resources": {"limits": {"cpu": "1000m"}}})), "alice", node)
    assert shared["spec"] == live["spec"]
    assert [entry["manager"] for entry in shared["metadata"]["managedFields"]] == ["alice", "bob"]


def test_the_live_object_is_left_alone(node: SchemaNode) -> None:
    live = ssa(None, config(pod({"name": "a", "image": "a"})), "alice", node)
    before = copy.deepcopy(live)
    changed = ssa(live, config(pod({"name": "a", "image": "b"})), "alice", node)
    changed["spec"]["template"]["spec"]["containers"][0]["tty"] = True
    assert live == before


def test_an_empty_place_that_is_owned_stays(node: SchemaNode) -> None:
    labelled = {"template": {"metadata": {"labels": {"app": "web"}}}}
    created = ssa(None, config(labelled), "alice", node)
    emptied = ssa(created, config({"template": {"metadata": {}}}), "alice", node)
    assert bare(emptied)["spec"] == {"template": {"metadata": {}}}
    assert ssa(emptied, config({"template": {"metadata": {}}}), "alice", node) == emptied
    assert bare(ssa(emptied, config({}), "alice", node))["spec"] == {}
