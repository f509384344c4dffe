"""Sizes of ReplicaSets in one step, as tables."""

from typing import Any

import pytest

from proa.api import meta
from proa.api.meta import Object
from proa.controllers.deployment import arithmetic, scaling


def deployment(replicas: int, surge: Any = "25%", unavailable: Any = "25%") -> Object:
    rolling = {"maxSurge": surge, "maxUnavailable": unavailable}
    return {"metadata": {"name": "d"}, "spec": {"replicas": replicas, "strategy": {"type": "RollingUpdate", "rollingUpdate": rolling}}}


def replica_set(name: str, replicas: int, available: int | None = None, *, noted: int = 0, largest: int = 0) -> Object:
    """Names are creation order."""
    annotations = {"deployment.kubernetes.io/desired-replicas": str(noted), "deployment.kubernetes.io/max-replicas": str(largest)}
    return {
        "metadata": {"name": name, "uid": name, "creationTimestamp": name, "annotations": annotations if noted else {}},
        "spec": {"replicas": replicas},
        "status": {"availableReplicas": replicas if available is None else available},
    }


def sizes(steps: list[scaling.Resize]) -> dict[str, int]:
    return {meta.name(each.replica_set): each.replicas for each in steps}


@pytest.mark.parametrize(
    ("replicas", "surge", "unavailable", "resolved"),
    [
        (4, "25%", "25%", (1, 1)),
        (3, "25%", "25%", (1, 0)),
        (10, "30%", "10%", (3, 1)),
        (1, 0, 0, (0, 1)),
        (3, "0%", "10%", (0, 1)),
        (2, 5, 5, (5, 2)),
        (0, 1, 1, (1, 0)),
    ],
)
def test_fenceposts(replicas: int, surge: Any, unavailable: Any, resolved: tuple[int, int]) -> None:
    wanted = deployment(replicas, surge, unavailable)
    assert (arithmetic.max_surge(wanted), arithmetic.max_unavailable(wanted)) == resolved


@pytest.mark.parametrize(
    ("replicas", "surge", "new", "old", "resized"),
    [
        (10, 0, 0, 10, {}),
        (10, 0, 0, 8, {"2": 2}),
        (10, 2, 0, 10, {"2": 2}),
        (10, 5, 6, 3, {"2": 10}),
        (10, 5, 12, 0, {"2": 10}),
        (10, 5, 10, 5, {}),
    ],
)
def test_resize_new(replicas: int, surge: int, new: int, old: int, resized: dict[str, int]) -> None:
    assert sizes(scaling.resize_new(deployment(replicas, surge, 0), replica_set("2", new), [replica_set("1", old)])) == resized


@pytest.mark.parametrize(
    ("unavailable", "new", "old", "resized"),
    [
        pytest.param(0, replica_set("3", 2, 0), [replica_set("1", 10)], {}, id="nothing may go"),
        pytest.param(2, replica_set("3", 0), [replica_set("1", 10)], {"1": 8}, id="as much as may be unavailable"),
        pytest.param(0, replica_set("3", 2), [replica_set("1", 10)], {"1": 8}, id="what the new one replaced"),
        pytest.param(2, replica_set("3", 0), [replica_set("1", 10, 6)], {"1": 8}, id="unhealthy ones within the budget"),
        pytest.param(3, replica_set("3", 5), [replica_set("1", 4, 0), replica_set("2", 4)], {"1": 0, "2": 2}, id="unhealthy, then oldest"),
        pytest.param(2, replica_set("3", 0), [replica_set("1", 0)], {}, id="none left"),
    ],
)
def test_shrink_old(unavailable: int, new: Object, old: list[Object], resized: dict[str, int]) -> None:
    assert sizes(scaling.shrink_old(deployment(10, 5, unavailable), new, old)) == resized


@pytest.mark.parametrize(
    ("wanted", "new", "old", "resized"),
    [
        pytest.param(deployment(12, 0), replica_set("1", 10, noted=10, largest=10), [], {"1": 12}, id="one only"),
        pytest.param(
            deployment(15, 0), replica_set("2", 5, noted=10, largest=10), [replica_set("1", 5, noted=10, largest=10)], {"2": 8, "1": 7},
            id="growing: newer takes the rounding",
        ),
        pytest.param(
            deployment(5, 0), replica_set("2", 5, noted=10, largest=10), [replica_set("1", 5, noted=10, largest=10)], {"1": 2, "2": 3},
            id="shrinking: older takes the rounding",
        ),
        pytest.param(
            deployment(20, 0), replica_set("2", 2, noted=10, largest=10), [replica_set("1", 8, noted=10, largest=10)], {"1": 16, "2": 4},
            id="in proportion",
        ),
        pytest.param(
            deployment(0, 1), replica_set("2", 4, noted=10, largest=11), [replica_set("1", 7, noted=10, largest=11)], {"1": 0, "2": 0},
            id="to zero",
        ),
        pytest.param(
            deployment(5, 0), replica_set("2", 5, noted=5, largest=5), [replica_set("1", 3, noted=9, largest=9)], {"1": 0}, id="saturated"
        ),
    ],
)  # fmt: skip
def test_scale(wanted: Object, new: Object, old: list[Object], resized: dict[str, int]) -> None:
    assert sizes(scaling.scale(wanted, new, old)) == resized
