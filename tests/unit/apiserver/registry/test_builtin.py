from collections.abc import Callable

import pytest

from proa.api.resource import ALL_VERBS, Resource
from proa.api.schema import Schema, load_schema
from proa.apiserver.registry.builtin import builtin_resources, enabled

Find = Callable[..., Resource]
GA_GROUPS = {
    "", "admissionregistration.k8s.io", "apiextensions.k8s.io", "apiregistration.k8s.io", "apps", "authentication.k8s.io",
    "authorization.k8s.io", "autoscaling", "batch", "certificates.k8s.io", "coordination.k8s.io", "discovery.k8s.io", "events.k8s.io",
    "flowcontrol.apiserver.k8s.io", "networking.k8s.io", "node.k8s.io", "policy", "rbac.authorization.k8s.io", "resource.k8s.io",
    "scheduling.k8s.io", "storage.k8s.io", "storagemigration.k8s.io",
}  # fmt: skip


def test_every_stable_kind_with_an_object_of_its_own_is_served(schema: Schema) -> None:
    """The published schema is the judge: each GA kind that has metadata, but for what travels only through subresources."""
    travelling = {"Scale", "Eviction", "TokenRequest", "Status", "APIGroup", "APIVersions"}
    published = {
        (each["group"], each["version"], each["kind"])
        for definition in schema.definitions.values()
        if "metadata" in definition.get("properties", {})
        for each in definition.get("x-kubernetes-group-version-kind", ())
        if each["version"] in ("v1", "v2") and not each["kind"].endswith("List") and each["kind"] not in travelling
    }
    served = {(each.id.group, each.id.version, each.id.kind) for each in builtin_resources(schema)}
    missing = {each for each in published - served if each[2] not in ("DeleteOptions", "WatchEvent")}
    assert missing == set()
    assert {group for group, _, _ in served} == GA_GROUPS


def test_older_versions_serve_what_they_publish() -> None:
    served = {each.id.group_resource for each in builtin_resources(load_schema("1.25"))}
    assert "deployments.apps" in served
    assert "deviceclasses.resource.k8s.io" not in served


def test_pods_are_served_as_upstream_does(find: Find) -> None:
    pods = find("pods")
    assert (pods.singular, pods.short_names, pods.categories, pods.verbs) == ("pod", ("po",), ("all",), ALL_VERBS)
    assert {name: (each.kind, each.verbs) for name, each in pods.subresources.items()} == {
        "attach": ("PodAttachOptions", ("create", "get")),
        "binding": ("Binding", ("create",)),
        "ephemeralcontainers": ("Pod", ("get", "patch", "update")),
        "eviction": ("Eviction", ("create",)),
        "exec": ("PodExecOptions", ("create", "get")),
        "log": ("Pod", ("get",)),
        "portforward": ("PodPortForwardOptions", ("create", "get")),
        "proxy": ("PodProxyOptions", ("create", "delete", "get", "patch", "update")),
        "resize": ("Pod", ("get", "patch", "update")),
        "status": ("Pod", ("get", "patch", "update")),
    }
    assert [column.name for column in pods.columns][:4] == ["Name", "Ready", "Status", "Restarts"]


@pytest.mark.parametrize(
    ("api_version", "plural", "config", "served"),
    [
        ("v1", "pods", {}, True),
        ("resource.k8s.io/v1beta2", "resourceclaims", {}, False),
        ("resource.k8s.io/v1beta2", "resourceclaims", {"api/beta": True}, True),
        ("resource.k8s.io/v1beta2", "resourceclaims", {"resource.k8s.io/v1beta2": True}, True),
        ("resource.k8s.io/v1beta2", "resourceclaims", {"api/beta": True, "resource.k8s.io/v1beta2/resourceclaims": False}, False),
        ("batch/v1", "jobs", {"batch/v1": False}, False),
        ("internal.apiserver.k8s.io/v1alpha1", "storageversions", {"api/all": True}, True),
    ],
)
def test_runtime_configuration(api_version: str, plural: str, config: dict[str, bool], served: bool) -> None:
    assert enabled(api_version, plural, config) is served


def test_beta_versions_share_the_stored_object(schema: Schema) -> None:
    resources = builtin_resources(schema, {"resource.k8s.io/v1beta2": True})
    beta = next(each for each in resources if each.id.plural == "resourceclaims" and each.id.version == "v1beta2")
    assert (beta.storage_version, beta.storage_key) == ("v1", "/registry/resource.k8s.io/resourceclaims/")
    assert beta.convert({"apiVersion": "resource.k8s.io/v1beta2", "kind": "ResourceClaim"}, "v1")["apiVersion"] == "resource.k8s.io/v1"


def test_events_of_both_groups_are_one_object(find: Find) -> None:
    core, new = find("events"), find("events", "events.k8s.io")
    assert core.storage_key == new.storage_key == "/registry/events/"
    event = {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"name": "e"},
        "regarding": {"kind": "Pod"},
        "note": "n",
        "reason": "R",
    }
    stored = new.convert(event, new.storage_version)
    assert stored == {
        "apiVersion": "v1", "kind": "Event", "metadata": {"name": "e"}, "involvedObject": {"kind": "Pod"}, "message": "n", "reason": "R",
    }  # fmt: skip
    assert new.convert(stored, "v1") == event


def test_autoscalers_survive_the_way_through_v1(find: Find) -> None:
    v1 = find("horizontalpodautoscalers", "autoscaling", "v1")
    cpu = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}}}
    memory = {"type": "Resource", "resource": {"name": "memory", "target": {"type": "AverageValue", "averageValue": "1Gi"}}}
    original = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "h", "annotations": {"a": "b"}},
        "spec": {"maxReplicas": 3, "metrics": [memory, cpu], "behavior": {"scaleDown": {"selectPolicy": "Min"}}},
        "status": {"desiredReplicas": 0, "conditions": [{"type": "AbleToScale", "status": "True"}]},
    }
    old = v1.convert(original, "v1")
    assert old["status"] == {"currentReplicas": 0, "desiredReplicas": 0}
    assert old["spec"] == {"maxReplicas": 3, "targetCPUUtilizationPercentage": 50}
    assert v1.convert(old, v1.storage_version) == original


@pytest.mark.parametrize(
    ("plural", "group", "obj", "fields"),
    [
        (
            "pods",
            "",
            {"spec": {"nodeName": "n"}, "status": {"phase": "Running", "podIPs": [{"ip": "10.0.0.1"}]}},
            {"spec.nodeName": "n", "status.phase": "Running", "spec.hostNetwork": "false", "status.podIP": "", "status.podIPs": "10.0.0.1"},
        ),
        ("nodes", "", {"spec": {"unschedulable": True}}, {"spec.unschedulable": "true"}),
        ("jobs", "batch", {"status": {"succeeded": 2}}, {"status.successful": "2"}),
        ("replicasets", "apps", {}, {"status.replicas": "0"}),
        ("events", "", {"source": {"component": "kubelet"}, "reason": "Pulled"}, {"source": "kubelet", "reason": "Pulled", "type": ""}),
    ],
)
def test_selectable_fields(find: Find, plural: str, group: str, obj: dict[str, object], fields: dict[str, str]) -> None:
    resource = find(plural, group)
    found = resource.selectable_fields(obj)
    assert {name: found[name] for name in fields} == fields
    assert tuple(found) == resource.selectable_field_names
