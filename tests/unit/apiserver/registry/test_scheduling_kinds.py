"""scheduling.k8s.io, coordination.k8s.io, node.k8s.io, storagemigration.k8s.io and lifecycle.k8s.io."""

from collections.abc import Callable
from typing import Any

import pytest

from proa.api.resource import Resource
from tests.unit.apiserver.registry.rules import DELETE, Object, born, changed, on_create, on_status, on_update

Find = Callable[..., Resource]

S, L = "scheduling.k8s.io", "lifecycle.k8s.io"
META: Object = {"name": "x", "namespace": "default"}
PRIORITY: Object = {"metadata": {"name": "high"}, "value": 1000}
GANG: Object = {"gang": {"minCount": 2}}
TEMPLATE: Object = {"name": "workers", "schedulingPolicy": GANG}
WORKLOAD: Object = {"metadata": META, "spec": {"podGroupTemplates": [TEMPLATE]}}
GROUP: Object = {"metadata": META, "spec": {"schedulingPolicy": GANG, "resourceClaims": [{"name": "gpu", "resourceClaimName": "c"}]}}
LEASE: Object = {"metadata": META, "spec": {"leaseDurationSeconds": 10}}
CANDIDATE: Object = {
    "metadata": META,
    "spec": {"leaseName": "l", "binaryVersion": "1.37.0", "emulationVersion": "1.37.0", "strategy": "OldestEmulationVersion"},
}
RUNTIME: Object = {"metadata": {"name": "r"}, "handler": "runc"}
MIGRATION: Object = {"metadata": {"name": "m"}, "spec": {"resource": {"group": "apps", "resource": "deployments"}}}
POD = {"name": "p", "uid": "01234567-89ab-cdef-0123-456789abcdef"}
REQUEST: Object = {"metadata": META, "spec": {"target": {"pod": POD}, "requester": "acme.io/drain", "intent": "Eviction"}}
UNION = "must specify one of: `basic`, `gang`"


def nested(depth: int) -> Object:
    """A template with templates below it."""
    inner: Object = {"podGroupTemplates": [TEMPLATE]} if depth == 1 else {"compositePodGroupTemplates": [nested(depth - 1)]}
    return {"name": f"level-{depth}", "schedulingPolicy": {"basic": {}}} | inner


@pytest.mark.parametrize(
    ("resource", "base", "path", "value", "expected"),
    [
        (("priorityclasses", S), PRIORITY, "", None, []),
        (("priorityclasses", S), PRIORITY, "value", 1_000_000_001,
         ["value: Forbidden: maximum allowed value of a user defined priority is 1000000000"]),
        (("priorityclasses", S), PRIORITY, "metadata.name", "system-mine", [
            "metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use only. error: system-mine is "
            "not a known system priority class"]),
        (("priorityclasses", S), PRIORITY, "preemptionPolicy", "Maybe",
         ['preemptionPolicy: Unsupported value: "Maybe": supported values: "PreemptLowerPriority", "Never"']),
        (("workloads", S, "v1beta1"), WORKLOAD, "", None, []),
        (("workloads", S, "v1beta1"), WORKLOAD, "spec.podGroupTemplates", DELETE,
         ['spec: Invalid value: "": must specify one of: `podGroupTemplates`, `compositePodGroupTemplates`']),
        (("workloads", S, "v1beta1"), WORKLOAD, "spec.podGroupTemplates.0.schedulingPolicy", {},
         [f'spec.podGroupTemplates[0].schedulingPolicy: Invalid value: "": {UNION}']),
        (("workloads", S, "v1beta1"), WORKLOAD, "spec.podGroupTemplates.1", TEMPLATE,
         ['spec.podGroupTemplates[1]: Duplicate value: {"name":"workers","schedulingPolicy":{"gang":{"minCount":2}}}']),
        (("workloads", S, "v1beta1"), WORKLOAD, "spec.podGroupTemplates.1", TEMPLATE | {"name": "b", "priorityClassName": "high"},
         ["spec: Invalid value: null: detected multiple priority configurations"]),
        (("podgroups", S, "v1beta1"), GROUP, "", None, []),
        (("podgroups", S, "v1beta1"), GROUP, "spec.schedulingPolicy.gang.minCount", 0,
         ["spec.schedulingPolicy.gang.minCount: Required value"]),
        (("podgroups", S, "v1beta1"), GROUP, "spec.schedulingPolicy.basic", {},
         ['spec.schedulingPolicy: Invalid value: "{basic, gang}": must specify exactly one of: `basic`, `gang`']),
        (("compositepodgroups", S, "v1alpha3"), {"metadata": META, "spec": {"schedulingPolicy": {"gang": {"minGroupCount": 1}}}}, "", None,
         ["spec.workloadRef: Required value"]),
        (("leases", "coordination.k8s.io"), LEASE, "", None, []),
        (("leases", "coordination.k8s.io"), LEASE, "spec.leaseDurationSeconds", 0,
         ["spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0"]),
        (("leases", "coordination.k8s.io"), LEASE, "spec.preferredHolder", "me",
         ["spec.preferredHolder: Forbidden: may only be specified if `strategy` is defined"]),
        (("leasecandidates", "coordination.k8s.io", "v1beta1"), CANDIDATE, "", None, []),
        (("leasecandidates", "coordination.k8s.io", "v1beta1"), CANDIDATE, "spec.binaryVersion", "1.36.0",
         ['spec.binaryVersion: Invalid value: "1.36.0": must be greater than or equal to `emulationVersion`']),
        (("leasecandidates", "coordination.k8s.io", "v1beta1"), CANDIDATE, "spec.leaseName", "", ["spec.leaseName: Required value"]),
        (("runtimeclasses", "node.k8s.io"), RUNTIME, "", None, []),
        (("runtimeclasses", "node.k8s.io"), RUNTIME, "overhead", {"podFixed": {"cpu": "-1"}},
         ['overhead.limits[cpu]: Invalid value: "-1": must be greater than or equal to 0']),
        (("storageversionmigrations", "storagemigration.k8s.io"), MIGRATION, "", None, []),
        (("storageversionmigrations", "storagemigration.k8s.io"), MIGRATION, "spec.resource.resource", "",
         ["spec.resource.resource: Required value: resource is required to be set"]),
        (("evictionrequests", L, "v1alpha1"), REQUEST, "", None, []),
        (("evictionrequests", L, "v1alpha1"), REQUEST, "spec.requester", "drain",
         ['spec.requester: Invalid value: "drain": must be a domain-prefixed path (such as "acme.io/foo")']),
        (("evictionrequests", L, "v1alpha1"), REQUEST, "spec.intent", "Maybe",
         ['spec.intent: Unsupported value: "Maybe": supported values: "Eviction", "Withdrawn"']),
        (("evictionrequests", L, "v1alpha1"), REQUEST, "spec.target.pod.uid", "x",
         ['spec.target.pod.uid: Invalid value: "x": must be a lowercase UUID in 8-4-4-4-12 format']),
    ],
)  # fmt: skip
def test_create(find_any: Find, resource: tuple[str, ...], base: Object, path: str, value: Any, expected: list[str]) -> None:
    assert on_create(find_any(*resource), changed(base, path, value)) == expected


@pytest.mark.parametrize(
    ("resource", "base", "path", "value", "expected"),
    [
        (("priorityclasses", S), PRIORITY, "value", 5, ["value: Forbidden: may not be changed in an update."]),
        (("priorityclasses", S), PRIORITY, "description", "x", []),
        (("workloads", S, "v1beta1"), WORKLOAD, "spec.podGroupTemplates.0.schedulingPolicy.gang.minCount", 5, []),
        (("podgroups", S, "v1beta1"), GROUP, "spec.schedulingPolicy.gang.minCount", 5, []),
        (("runtimeclasses", "node.k8s.io"), RUNTIME, "handler", "kata", ['handler: Invalid value: "kata": field is immutable']),
        (("leasecandidates", "coordination.k8s.io", "v1beta1"), CANDIDATE, "spec.leaseName", "m",
         ['spec.leaseName: Invalid value: "m": field is immutable']),
        (("evictionrequests", L, "v1alpha1"), REQUEST, "spec.intent", "Withdrawn", []),
        (("evictionrequests", L, "v1alpha1"), REQUEST, "spec.requester", "acme.io/other",
         ['spec.requester: Invalid value: "acme.io/other": field is immutable']),
    ],
)  # fmt: skip
def test_update(find_any: Find, resource: tuple[str, ...], base: Object, path: str, value: Any, expected: list[str]) -> None:
    assert on_update(find_any(*resource), base, path, value) == expected


def test_templates_of_a_workload_are_four_deep_at_most(find_any: Find) -> None:
    workloads = find_any("workloads", S, "v1beta1")
    deep = {"metadata": META, "spec": {"compositePodGroupTemplates": [nested(3)]}}
    assert on_create(workloads, deep) == []
    deep["spec"]["compositePodGroupTemplates"] = [nested(4)]
    found = on_create(workloads, deep)
    assert [line.rpartition(": ")[2] for line in found] == ["maximum template hierarchy depth is 4"]


def test_status_of_groups_and_evictions(find_any: Find) -> None:
    assert on_status(find_any("podgroups", S, "v1beta1"), GROUP, {"resourceClaimStatuses": [{"name": "disk"}]}) == [
        'status.resourceClaimStatuses[0].name: Invalid value: "disk": must match the name of an entry in `spec.resourceClaims`'
    ]
    requests = find_any("evictionrequests", L, "v1alpha1")
    assert on_status(requests, REQUEST, {"observedGeneration": 1}, {"observedGeneration": 2}) == [
        "status.observedGeneration: Invalid value: 1: must not be decremented"
    ]
    migrations = find_any("storageversionmigrations", "storagemigration.k8s.io")
    assert on_status(migrations, MIGRATION, {"resourceVersion": "7"}, {"resourceVersion": "5"}) == [
        'status.resourceVersion: Invalid value: "7": field is immutable'
    ]


def test_generation(find_any: Find) -> None:
    """Groups of pods have none; a PriorityClass stays at one."""
    assert "generation" not in born(find_any("podgroups", S, "v1beta1"), GROUP)["metadata"]
    assert born(find_any("priorityclasses", S), PRIORITY)["metadata"]["generation"] == 1
