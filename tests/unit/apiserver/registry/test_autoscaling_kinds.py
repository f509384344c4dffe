"""Autoscalers in both versions, and disruption budgets."""

from collections.abc import Callable
from typing import Any

import pytest

from proa.api.resource import Resource
from tests.unit.apiserver.registry.rules import DELETE, Object, born, changed, on_create, on_status

Find = Callable[..., Resource]

SCALER: Object = {
    "metadata": {"name": "h", "namespace": "default"},
    "spec": {"maxReplicas": 3, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}},
}
CPU: Object = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}}}
ODD_TYPE = 'Unsupported value: "Odd": supported values: "ContainerResource", "External", "Object", "Pods", "Resource"'
BUDGET: Object = {
    "metadata": {"name": "b", "namespace": "default"},
    "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "web"}}},
}


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("", None, []),
        ("spec.maxReplicas", 0, [
            "spec.maxReplicas: Invalid value: 0: must be greater than 0",
            "spec.maxReplicas: Invalid value: 0: must be greater than or equal to `minReplicas`"]),
        ("spec.minReplicas", 0, [
            "spec.minReplicas: Invalid value: 0: must be greater than or equal to 1",
            "spec.metrics: Forbidden: must specify at least one Object or External metric to support scaling to zero replicas"]),
        ("spec.minReplicas", 9, ["spec.maxReplicas: Invalid value: 3: must be greater than or equal to `minReplicas`"]),
        ("spec.scaleTargetRef.name", DELETE, ["spec.scaleTargetRef.name: Required value"]),
        ("spec.metrics", [CPU], []),
        ("spec.metrics", [changed(CPU, "resource.target.averageUtilization", 0)],
         ["spec.metrics[0].resource.target.averageUtilization: Invalid value: 0: must be greater than 0"]),
        ("spec.metrics", [changed(CPU, "type", "Odd")], [
            f"spec.metrics[0].type: {ODD_TYPE}", f"spec.metrics[0].type: {ODD_TYPE}"]),
        ("spec.behavior", {"scaleUp": {"stabilizationWindowSeconds": 4000}}, [
            "spec.behavior.scaleUp.stabilizationWindowSeconds: Invalid value: 4000: must be less than or equal to 3600"]),
        ("spec.behavior", {"scaleDown": {"policies": [{"type": "Pods", "value": 0, "periodSeconds": 1}]}}, [
            "spec.behavior.scaleDown.policies[0].value: Invalid value: 0: must be greater than zero"]),
    ],
)  # fmt: skip
def test_new_autoscalers(find: Find, path: str, value: Any, expected: list[str]) -> None:
    assert on_create(find("horizontalpodautoscalers", "autoscaling", "v2"), changed(SCALER, path, value)) == expected


def test_one_autoscaler_in_two_versions(find: Find) -> None:
    first = find("horizontalpodautoscalers", "autoscaling", "v1")
    obj = born(first, changed(SCALER, "spec.targetCPUUtilizationPercentage", 60))
    stored = first.convert(obj, first.storage_version)
    assert stored["apiVersion"] == "autoscaling/v2"
    assert stored["spec"]["metrics"] == [changed(CPU, "resource.target.averageUtilization", 60)]
    assert first.convert(stored, "v1")["spec"]["targetCPUUtilizationPercentage"] == 60


def test_status_of_an_autoscaler(find: Find) -> None:
    scalers = find("horizontalpodautoscalers", "autoscaling", "v2")
    assert on_status(scalers, SCALER, {"currentReplicas": 1, "desiredReplicas": 2}) == []
    assert on_status(scalers, SCALER, {"currentReplicas": -1, "desiredReplicas": 2}) == [
        "status.currentReplicas: Invalid value: -1: must be greater than or equal to 0"
    ]


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("", None, []),
        ("spec.minAvailable", "110%", ['spec.minAvailable: Invalid value: "110%": must not be greater than 100%']),
        ("spec.minAvailable", -1, ["spec.minAvailable: Invalid value: -1: must be greater than or equal to 0"]),
        ("spec.unhealthyPodEvictionPolicy", "Never", [
            'spec.unhealthyPodEvictionPolicy: Unsupported value: "Never": supported values: "AlwaysAllow", "IfHealthyBudget"']),
    ],
)  # fmt: skip
def test_new_budgets(find: Find, path: str, value: Any, expected: list[str]) -> None:
    assert on_create(find("poddisruptionbudgets", "policy"), changed(BUDGET, path, value)) == expected


def test_a_budget_says_one_of_the_two(find: Find) -> None:
    found = on_create(find("poddisruptionbudgets", "policy"), changed(BUDGET, "spec.maxUnavailable", 1))
    assert [line.rpartition(": ")[2] for line in found] == ["minAvailable and maxUnavailable cannot be both set"]


def test_status_of_a_budget(find: Find) -> None:
    counts = {"currentHealthy": 1, "desiredHealthy": 1, "expectedPods": 1, "disruptionsAllowed": -1}
    assert on_status(find("poddisruptionbudgets", "policy"), BUDGET, counts) == [
        "status.disruptionsAllowed: Invalid value: -1: must be greater than or equal to 0"
    ]
    bad = {"type": "DisruptionAllowed", "status": "Perhaps", "reason": "x", "lastTransitionTime": "2026-01-01T00:00:00Z"}
    assert on_status(find("poddisruptionbudgets", "policy"), BUDGET, {"conditions": [bad]}) == [
        'status.conditions[0].status: Unsupported value: "Perhaps": supported values: "False", "True", "Unknown"'
    ]
