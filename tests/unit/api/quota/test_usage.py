"""What objects use of quotas, and which quotas count them."""

from datetime import UTC, datetime
from typing import Any

import pytest

from proa.api.meta import Object
from proa.api.quota.scopes import counts
from proa.api.quota.usage import names_for, usage_of

NOW = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
PODS, SERVICES, CLAIMS = ("", "pods"), ("", "services"), ("", "persistentvolumeclaims")


def pod(*containers: Object, status: Object | None = None, metadata: Object | None = None, **spec: Any) -> Object:
    return {
        "metadata": metadata or {},
        "spec": {"containers": [{"name": "c", "resources": each} for each in containers], **spec},
        "status": status or {},
    }


def gone(timestamp: str) -> Object:
    return {"deletionTimestamp": timestamp, "deletionGracePeriodSeconds": 30}


CASES: list[tuple[tuple[str, str], Object, dict[str, str]]] = [
    (("apps", "deployments"), {}, {"count/deployments.apps": "1"}),
    (("", "secrets"), {}, {"count/secrets": "1", "secrets": "1"}),
    (PODS, pod(), {"count/pods": "1", "pods": "1"}),
    (
        PODS,
        pod(
            {"requests": {"cpu": "100m", "memory": "1Gi", "example.com/gpu": "2", "hugepages-2Mi": "4Mi"}, "limits": {"cpu": "1"}},
            {"requests": {"cpu": "200m"}},
            initContainers=[{"resources": {"requests": {"cpu": "1"}}}], overhead={"cpu": "50m"},
        ),
        {
            "count/pods": "1", "pods": "1", "cpu": "1050m", "requests.cpu": "1050m", "memory": "1Gi", "requests.memory": "1Gi",
            "requests.example.com/gpu": "2", "hugepages-2Mi": "4Mi", "requests.hugepages-2Mi": "4Mi", "limits.cpu": "1050m",
        },
    ),
    (PODS, pod(resources={"requests": {"cpu": "2"}}), {"count/pods": "1", "pods": "1", "cpu": "2", "requests.cpu": "2"}),
    (PODS, pod(status={"phase": "Failed"}), {"count/pods": "1"}),
    (PODS, pod(metadata=gone("2026-01-01T11:59:31Z")), {"count/pods": "1", "pods": "1"}),
    (PODS, pod(metadata=gone("2026-01-01T11:59:29Z")), {"count/pods": "1"}),
    (
        SERVICES, {"spec": {"type": "LoadBalancer", "ports": [{}, {"nodePort": 1}]}},
        {"count/services": "1", "services": "1", "services.nodeports": "2", "services.loadbalancers": "1"},
    ),
    (
        SERVICES, {"spec": {"type": "LoadBalancer", "allocateLoadBalancerNodePorts": False, "ports": [{}, {"nodePort": 1}]}},
        {"count/services": "1", "services": "1", "services.nodeports": "1", "services.loadbalancers": "1"},
    ),
    (
        CLAIMS, {"spec": {"storageClassName": "fast", "resources": {"requests": {"storage": "1Gi"}}}},
        {
            "count/persistentvolumeclaims": "1", "persistentvolumeclaims": "1", "requests.storage": "1Gi",
            "fast.storageclass.storage.k8s.io/persistentvolumeclaims": "1", "fast.storageclass.storage.k8s.io/requests.storage": "1Gi",
        },
    ),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "obj", "expected"), CASES)
def test_usage(kind: tuple[str, str], obj: Object, expected: dict[str, str]) -> None:
    assert {name: str(amount) for name, amount in usage_of(kind, obj, NOW).items()} == expected


NAMES = [
    "pods", "count/pods", "limits.cpu", "requests.example.com/gpu", "requests.storage", "services", "services.nodeports", "secrets",
    "count/deployments.apps", "fast.storageclass.storage.k8s.io/requests.storage", "persistentvolumeclaims", "requests.kubernetes.io/x",
]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (PODS, {"pods", "count/pods", "limits.cpu", "requests.example.com/gpu"}),
        (SERVICES, {"services", "services.nodeports"}),
        (CLAIMS, {"requests.storage", "fast.storageclass.storage.k8s.io/requests.storage", "persistentvolumeclaims"}),
        (("apps", "deployments"), {"count/deployments.apps"}),
        (("other", "secrets"), set()),
    ],
)
def test_names_that_a_kind_answers_for(kind: tuple[str, str], expected: set[str]) -> None:
    assert names_for(kind, NAMES) == expected


def selecting(operator: str, *values: str) -> Object:
    return {"scopeSelector": {"matchExpressions": [{"scopeName": "PriorityClass", "operator": operator, "values": list(values)}]}}


HIGH = pod({}, priorityClassName="high")
BURST = pod({"requests": {"cpu": "1"}})
NEAR = {"topologyKey": "z", "namespaceSelector": {}}


@pytest.mark.parametrize(
    ("spec", "kind", "obj", "expected"),
    [
        ({}, PODS, pod(), True),
        ({}, ("", "secrets"), {}, False),
        ({"scopes": ["Terminating"]}, PODS, pod(activeDeadlineSeconds=0), True),
        ({"scopes": ["Terminating"]}, PODS, pod(), False),
        ({"scopes": ["NotTerminating"]}, PODS, pod(), True),
        ({"scopes": ["BestEffort"]}, PODS, pod({}), True),
        ({"scopes": ["BestEffort"]}, PODS, BURST, False),
        ({"scopes": ["NotBestEffort", "Terminating"]}, PODS, BURST, False),
        (selecting("In", "high", "low"), PODS, HIGH, True),
        (selecting("In", "low"), PODS, HIGH, False),
        (selecting("NotIn", "low"), PODS, pod(), True),
        (selecting("Exists"), PODS, pod(), False),
        (selecting("DoesNotExist"), PODS, pod(), True),
        ({"scopes": ["PriorityClass"]}, PODS, HIGH, True),
        (
            {"scopes": ["CrossNamespacePodAffinity"]}, PODS,
            pod(affinity={"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [NEAR]}}), True,
        ),
        ({"scopes": ["CrossNamespacePodAffinity"]}, PODS, pod(), False),
    ],
)  # fmt: skip
def test_scopes(spec: Object, kind: tuple[str, str], obj: Object, expected: bool) -> None:
    assert counts({"spec": spec}, kind, obj, {"pods": "1", "count/services": "1"}) is expected


def test_scopes_are_about_pods_only() -> None:
    assert not counts({"spec": {"scopes": ["BestEffort"]}}, SERVICES, {}, {"services": "1"})
