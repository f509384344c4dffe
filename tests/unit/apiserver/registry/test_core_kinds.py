"""LimitRanges, ResourceQuotas, Events, and the status of what makes pods."""

from collections.abc import Callable
from typing import Any

import pytest

from proa.api.resource import Resource
from tests.unit.apiserver.registry.rules import DELETE, Object, born, changed, on_create, on_status, on_update

Find = Callable[..., Resource]

META: Object = {"name": "x", "namespace": "default"}
LIMITS: Object = {"metadata": META, "spec": {"limits": [{"type": "Container", "max": {"cpu": "2"}, "min": {"cpu": "1"}}]}}
QUOTA: Object = {"metadata": META, "spec": {"hard": {"pods": "10", "requests.cpu": "4"}}}
EVENT: Object = {"metadata": META, "involvedObject": {"kind": "Pod", "namespace": "default", "name": "p"}, "reason": "Started"}
NEW_EVENT: Object = {
    "metadata": META,
    "regarding": {"kind": "Pod", "namespace": "default", "name": "p"},
    "eventTime": "2026-01-01T00:00:00.000000Z",
    "reportingController": "acme.io/x",
    "reportingInstance": "x-1",
    "action": "Start",
    "reason": "Started",
    "type": "Normal",
}


@pytest.mark.parametrize(
    ("plural", "base", "path", "value", "expected"),
    [
        ("limitranges", LIMITS, "", None, []),
        ("limitranges", LIMITS, "spec.limits.0.min.cpu", "3", [
            'spec.limits[0].min[cpu]: Invalid value: "3": min value 3 is greater than max value 2',
            'spec.limits[0].defaultRequest[cpu]: Invalid value: "2": min value 3 is greater than default request value 2',
            'spec.limits[0].default[cpu]: Invalid value: "3": min value 3 is greater than default value 2',
        ]),
        ("limitranges", LIMITS, "spec.limits.0.type", "Box",
         ['spec.limits[0].type: Invalid value: "Box": must be a standard limit type or fully qualified']),
        ("limitranges", LIMITS, "spec.limits.0.type", "PersistentVolumeClaim", [
            "spec.limits[0].limits: Required value: either minimum or maximum storage value is required, but neither was provided"]),
        ("limitranges", LIMITS, "spec.limits.1", {"type": "Container"}, ['spec.limits[1].type: Duplicate value: "Container"']),
        ("limitranges", LIMITS, "spec.limits.1", {"type": "Pod", "default": {"cpu": "1"}},
         ["spec.limits[1].default: Forbidden: may not be specified when `type` is 'Pod'"]),
        ("resourcequotas", QUOTA, "", None, []),
        ("resourcequotas", QUOTA, "spec.hard", {"pods": "-1"},
         ['spec.hard[pods]: Invalid value: "-1": must be greater than or equal to 0']),
        ("resourcequotas", QUOTA, "spec.hard", {"pods": "1500m"}, ['spec.hard[pods]: Invalid value: "1500m": must be an integer']),
        ("resourcequotas", QUOTA, "spec.hard", {"beds": "1"},
         ['spec.hard[beds]: Invalid value: "beds": must be a standard resource type or fully qualified',
          'spec.hard[beds]: Invalid value: "beds": must be a standard resource for quota']),
        ("resourcequotas", QUOTA, "spec.scopes", ["Odd"], ['spec.scopes: Invalid value: ["Odd"]: unsupported scope']),
        ("resourcequotas", QUOTA, "spec.scopes", ["BestEffort"],
         ['spec.scopes: Invalid value: ["BestEffort"]: unsupported scope applied to resource']),
        ("events", EVENT, "", None, []),
        ("events", EVENT, "involvedObject.namespace", "other",
         ['involvedObject.namespace: Invalid value: "other": does not match event.namespace']),
    ],
)  # fmt: skip
def test_create(find: Find, plural: str, base: Object, path: str, value: Any, expected: list[str]) -> None:
    assert on_create(find(plural), changed(base, path, value)) == expected


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("", None, []),
        ("type", "Odd", ['type: Invalid value: "": has invalid value: Odd']),
        ("action", DELETE, ["action: Required value"]),
        ("reason", "x" * 129, ['reason: Invalid value: "": can have at most 128 characters']),
        ("series", {"count": 1, "lastObservedTime": "2026-01-01T00:00:00Z"},
         ['series.count: Invalid value: "": should be at least 2']),
        ("deprecatedCount", 1, ['count: Invalid value: "": needs to be unset']),
    ],
)  # fmt: skip
def test_new_events(find: Find, path: str, value: Any, expected: list[str]) -> None:
    assert on_create(find("events", "events.k8s.io"), changed(NEW_EVENT, path, value)) == expected


@pytest.mark.parametrize(("field", "value"), [("series", {"count": 1}), ("reason", "Stopped"), ("note", "x"), ("type", "Warning")])
def test_every_field_of_an_event_may_change(find: Find, field: str, value: Any) -> None:
    assert on_update(find("events", "events.k8s.io"), NEW_EVENT, field, value) == []


def test_a_limit_range_completes_itself(find: Find) -> None:
    limit = born(find("limitranges"), LIMITS)["spec"]["limits"][0]
    assert (limit["default"], limit["defaultRequest"]) == ({"cpu": "2"}, {"cpu": "2"})


TEMPLATE: Object = {"metadata": {"labels": {"app": "x"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
WORKLOAD: Object = {"metadata": META, "spec": {"selector": {"matchLabels": {"app": "x"}}, "template": TEMPLATE, "serviceName": "x"}}


@pytest.mark.parametrize(
    ("plural", "status", "former", "expected"),
    [
        ("deployments", {"replicas": 2, "readyReplicas": 2, "availableReplicas": 1}, {}, []),
        ("deployments", {"observedGeneration": -1}, {},
         ["status.observedGeneration: Invalid value: -1: must be greater than or equal to 0"]),
        ("deployments", {"replicas": 1, "updatedReplicas": 2}, {},
         ["status.updatedReplicas: Invalid value: 2: cannot be greater than status.replicas"]),
        ("deployments", {"replicas": 2, "readyReplicas": 1, "availableReplicas": 2}, {},
         ["status.availableReplicas: Invalid value: 2: cannot be greater than readyReplicas"]),
        ("deployments", {"collisionCount": 1}, {"collisionCount": 2}, ["status.collisionCount: Invalid value: 1: cannot be decremented"]),
        ("replicasets", {"replicas": 1, "fullyLabeledReplicas": 2}, {},
         ["status.fullyLabeledReplicas: Invalid value: 2: cannot be greater than status.replicas"]),
        ("statefulsets", {"replicas": 1, "currentReplicas": 2}, {},
         ["status.currentReplicas: Invalid value: 2: cannot be greater than status.replicas"]),
        ("statefulsets", {"replicas": 2, "availableReplicas": 1}, {},
         ["status.availableReplicas: Invalid value: 1: cannot be greater than status.readyReplicas"]),
        ("daemonsets", {"numberReady": -1}, {}, ["status.numberReady: Invalid value: -1: must be greater than or equal to 0"]),
    ],
)  # fmt: skip
def test_status_of_workloads(find: Find, plural: str, status: Object, former: Object, expected: list[str]) -> None:
    assert on_status(find(plural, "apps"), WORKLOAD, status, former) == expected
