"""What DELETE decides, by object and options."""

from copy import deepcopy
from typing import Any

import pytest

from proa.apiserver.options import DeleteOptions
from proa.apiserver.verbs.removal import finalizers_after, plan_removal

NOW = "2030-01-01T00:00:00Z"


def obj(finalizers: list[str] | None = None, **metadata: Any) -> dict[str, Any]:
    meta: dict[str, Any] = {"name": "a", **metadata}
    if finalizers:
        meta["finalizers"] = finalizers
    return {"metadata": meta}


def pod(phase: str = "Running", node: str = "n", finalizers: list[str] | None = None, **metadata: Any) -> dict[str, Any]:
    return obj(finalizers, **metadata) | {"spec": {"nodeName": node, "terminationGracePeriodSeconds": 30}, "status": {"phase": phase}}


def marked(seconds: int, finalizers: list[str] | None = None, **more: Any) -> dict[str, Any]:
    stamp = {"deletionTimestamp": f"2030-01-01T00:00:{seconds:02d}Z", "deletionGracePeriodSeconds": seconds}
    return obj(finalizers, **more, **stamp)["metadata"]  # type: ignore[no-any-return]


CASES: list[tuple[str, dict[str, Any], DeleteOptions, bool, str, dict[str, Any]]] = [
    ("nothing holds it", obj(), DeleteOptions(), False, "delete", {"name": "a"}),
    ("a finalizer holds it", obj(["x/y"], generation=3), DeleteOptions(), False, "update", marked(0, ["x/y"], generation=4)),
    ("foreground", obj(), DeleteOptions(propagation_policy="Foreground"), False, "update", marked(0, ["foregroundDeletion"])),
    ("orphan", obj(), DeleteOptions(propagation_policy="Orphan"), False, "update", marked(0, ["orphan"])),
    ("old orphan flag", obj(), DeleteOptions(orphan_dependents=True), False, "update", marked(0, ["orphan"])),
    ("background", obj(["orphan"]), DeleteOptions(propagation_policy="Background"), False, "delete", {"name": "a"}),
    ("marked already", marked(0, ["x/y"]), DeleteOptions(), False, "update", marked(0, ["x/y"])),
    ("a running pod", pod(), DeleteOptions(), True, "update", marked(30)),
    ("a grace of its own", pod(), DeleteOptions(grace_period_seconds=5), True, "update", marked(5)),
    ("a negative grace", pod(), DeleteOptions(grace_period_seconds=-1), True, "update", marked(1)),
    ("no grace", pod(), DeleteOptions(grace_period_seconds=0), True, "expire", marked(0)),
    ("an unscheduled pod", pod("Pending", ""), DeleteOptions(), True, "expire", marked(0)),
    ("a finished pod", pod("Succeeded"), DeleteOptions(), True, "expire", marked(0)),
    ("an unscheduled pod with a finalizer", pod("Pending", "", ["x/y"]), DeleteOptions(), True, "update", marked(0, ["x/y"])),
    ("deleting already", pod() | {"metadata": marked(30)}, DeleteOptions(), True, "pending", marked(30)),
    ("a longer grace", pod() | {"metadata": marked(30)}, DeleteOptions(grace_period_seconds=40), True, "pending", marked(30)),
    ("a shorter grace", pod() | {"metadata": marked(30)}, DeleteOptions(grace_period_seconds=10), True, "update", marked(10)),
    ("then none", pod() | {"metadata": marked(30)}, DeleteOptions(grace_period_seconds=0), True, "expire", marked(0)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("target", "options", "graceful", "outcome", "metadata"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_plan(target: dict[str, Any], options: DeleteOptions, graceful: bool, outcome: str, metadata: dict[str, Any]) -> None:
    planned = deepcopy(target if "metadata" in target else {"metadata": target})
    assert plan_removal(planned, options, NOW, graceful=graceful).outcome == outcome
    assert planned["metadata"] == metadata


@pytest.mark.parametrize(
    ("before", "options", "after"),
    [
        (["a/b", "orphan"], DeleteOptions(), ["a/b", "orphan"]),
        (["orphan"], DeleteOptions(propagation_policy="Foreground"), ["foregroundDeletion"]),
        (["foregroundDeletion"], DeleteOptions(orphan_dependents=False), []),
        ([], DeleteOptions(), []),
    ],
)
def test_finalizers(before: list[str], options: DeleteOptions, after: list[str]) -> None:
    assert finalizers_after(before, options) == after
