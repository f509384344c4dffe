"""The arithmetic of disruption budgets."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from proa.api.meta import Object
from proa.controllers.disruption.budget import build_status, described, disrupted, expectation, failed_status, healthy, needs_scale
from proa.lib.clock import format_time

NOW = datetime(2030, 1, 1, tzinfo=UTC)


def budget(status: Object | None = None, **spec: Any) -> Object:
    return {"metadata": {"name": "b", "namespace": "n", "generation": 3}, "spec": spec, "status": status or {}}


def pod(name: str, *, ready: bool = True, **metadata: Any) -> Object:
    conditions = [{"type": "Ready", "status": "True" if ready else "False"}]
    return {"metadata": {"name": name, "namespace": "n", **metadata}, "status": {"phase": "Running", "conditions": conditions}}


def before(seconds: float) -> str:
    return format_time(NOW - timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("spec", "scaled", "expected"),
    [
        ({"minAvailable": 2}, False, (4, 2)),
        ({"minAvailable": 0}, False, (4, 0)),
        ({"minAvailable": "50%"}, True, (7, 4)),
        ({"minAvailable": "100%"}, True, (7, 7)),
        ({"maxUnavailable": 1}, True, (7, 6)),
        ({"maxUnavailable": 9}, True, (7, 0)),
        ({"maxUnavailable": "30%"}, True, (7, 4)),
        ({"maxUnavailable": 0}, True, (7, 7)),
        ({}, False, (0, 0)),
    ],
)
def test_what_a_budget_expects_of_four_pods_whose_controllers_want_seven(spec: Object, scaled: bool, expected: tuple[int, int]) -> None:
    assert needs_scale(budget(**spec)) is scaled
    assert expectation(budget(**spec), 4, 7) == expected


def test_evictions_under_way_count_as_lost_until_they_are_overdue() -> None:
    recorded = {"soon": before(20), "sooner": before(50), "late": before(130), "going": before(1), "gone": before(1)}
    selected = [pod("soon"), pod("sooner"), pod("late"), pod("going", deletionTimestamp=before(0)), pod("fine"), pod("ill", ready=False)]
    found = disrupted(budget({"disruptedPods": recorded}), selected, NOW)
    assert found.waiting == {"soon": before(20), "sooner": before(50)}
    assert ([each["metadata"]["name"] for each in found.overdue], found.recheck) == (["late"], 70)
    assert healthy(selected, found.waiting) == 2


@pytest.mark.parametrize(
    ("current", "desired", "expected", "allowed", "reason"),
    [(3, 2, 3, 1, "SufficientPods"), (2, 2, 3, 0, "InsufficientPods"), (1, 2, 3, 0, "InsufficientPods"), (0, 0, 0, 0, "InsufficientPods")],
)
def test_the_status(current: int, desired: int, expected: int, allowed: int, reason: str) -> None:
    condition = {
        "type": "DisruptionAllowed", "status": "True" if allowed else "False", "reason": reason, "message": "", "observedGeneration": 3,
        "lastTransitionTime": before(0),
    }  # fmt: skip
    assert build_status(budget(), current, desired, expected, {}, NOW) == {
        "currentHealthy": current, "desiredHealthy": desired, "expectedPods": expected, "disruptionsAllowed": allowed,
        "observedGeneration": 3, "conditions": [condition],
    }  # fmt: skip


def test_a_status_that_says_nothing_new_is_the_same() -> None:
    once = build_status(budget(), 3, 2, 3, {"p": before(1)}, NOW)
    assert once["disruptedPods"] == {"p": before(1)}
    assert build_status(budget(once), 3, 2, 3, {"p": before(1)}, NOW + timedelta(hours=1)) == once


def test_what_cannot_be_calculated_allows_nothing() -> None:
    status = failed_status(budget({"disruptionsAllowed": 2, "expectedPods": 3, "observedGeneration": 2}), "no idea", NOW)
    assert (status["disruptionsAllowed"], status["expectedPods"], status["currentHealthy"], status["observedGeneration"]) == (0, 3, 0, 2)
    (condition,) = status["conditions"]
    assert (condition["status"], condition["reason"], condition["message"]) == ("False", "SyncFailed", "no idea")


def test_selectors_read_as_upstream_prints_them() -> None:
    told = described({"matchLabels": {"foo": "bar"}})
    assert told == "&LabelSelector{MatchLabels:map[string]string{foo: bar,},MatchExpressions:[]LabelSelectorRequirement{},}"
