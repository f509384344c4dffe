"""Which pods go, and what the status says."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from proa.api import meta
from proa.api.meta import Object
from proa.controllers.replica_set.plan import build_status, plan_scaling, rank_for_deletion
from proa.lib.clock import format_time

NOW = datetime(2030, 1, 1, tzinfo=UTC)


def pod(
    name: str, *, node: str = "n1", phase: str = "Running", ready: float | None = 100, age: float = 1000, cost: str = "", restarts: int = 0
) -> Object:
    """`ready` is for how many seconds, None for not."""
    conditions = [] if ready is None else [{"type": "Ready", "status": "True", "lastTransitionTime": _ago(ready)}]
    annotations = {"controller.kubernetes.io/pod-deletion-cost": cost} if cost else {}
    return {
        "metadata": {"name": name, "uid": name, "creationTimestamp": _ago(age), "labels": {"app": "x"}, "annotations": annotations},
        "spec": {"nodeName": node},
        "status": {"phase": phase, "conditions": conditions, "containerStatuses": [{"restartCount": restarts}]},
    }


def _ago(seconds: float) -> str:
    return format_time(NOW - timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param(pod("b", node=""), pod("a"), id="unassigned"),
        pytest.param(pod("b", phase="Pending"), pod("a"), id="pending"),
        pytest.param(pod("b", phase="Unknown"), pod("a"), id="unknown"),
        pytest.param(pod("b", ready=None), pod("a"), id="not ready"),
        pytest.param(pod("b", cost="-5"), pod("a"), id="lower deletion cost"),
        pytest.param(pod("b", ready=10), pod("a", ready=500), id="ready for a shorter time"),
        pytest.param(pod("b", restarts=3), pod("a"), id="more restarts"),
        pytest.param(pod("b", age=10), pod("a", age=5000), id="younger"),
        pytest.param(pod("a", age=1000), pod("b", age=1010), id="about the same age: by UID"),
    ],
)
def test_deletion_order(first: Object, second: Object) -> None:
    assert [meta.name(each) for each in rank_for_deletion([second, first], [first, second], NOW)] == [meta.name(first), meta.name(second)]


def test_nodes_with_several_siblings_lose_theirs_first() -> None:
    candidates = [pod("a", node="n1"), pod("b", node="n2")]
    assert [meta.name(each) for each in rank_for_deletion(candidates, [*candidates, pod("sibling", node="n2")], NOW)] == ["b", "a"]


@pytest.mark.parametrize(
    ("replicas", "existing", "created", "deleted"), [(3, 1, 2, 0), (2, 2, 0, 0), (1, 3, 0, 2), (0, 2, 0, 2), (900, 0, 500, 0)]
)
def test_scaling(replicas: int, existing: int, created: int, deleted: int) -> None:
    active = [pod(str(number)) for number in range(existing)]
    plan = plan_scaling({"metadata": {}, "spec": {"replicas": replicas}}, active, active, NOW)
    assert (plan.create, len(plan.delete)) == (created, deleted)


def test_status_counts_and_failure_condition() -> None:
    spec: dict[str, Any] = {"replicas": 4, "minReadySeconds": 50, "template": {"metadata": {"labels": {"app": "x"}}}}
    replica_set = {"metadata": {"generation": 2}, "spec": spec}
    active = [pod("old", ready=100), pod("fresh", ready=10), pod("unready", ready=None)]
    assert build_status(replica_set, active, "quota", -1, NOW) == {
        "replicas": 3,
        "fullyLabeledReplicas": 3,
        "readyReplicas": 2,
        "availableReplicas": 1,
        "observedGeneration": 2,
        "conditions": [
            {
                "type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": "quota",
                "lastTransitionTime": "2030-01-01T00:00:00Z",
            }
        ],
    }  # fmt: skip
    assert build_status({**replica_set, "spec": {**spec, "replicas": 0}}, [], "", 0, NOW) == {
        "replicas": 0,
        "observedGeneration": 2,
    }
