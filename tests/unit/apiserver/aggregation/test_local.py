"""Which APIServices the server makes, mends and removes: the table of kube-aggregator's auto-registration."""

from typing import Any

import pytest

from proa.apiserver.aggregation.local import ALWAYS, LABEL, ON_START, Wanted, api_service, plan

BUILTIN, CUSTOM = Wanted("apps", "v1", custom=False), Wanted("example.com", "v1", custom=True)


def present(wanted: Wanted, label: str | None, **spec: Any) -> dict[str, Any]:
    made = api_service(wanted)
    made["metadata"]["labels"] = {LABEL: label} if label else {}
    made["spec"] |= spec
    return made


ALL_OLD = frozenset({BUILTIN.name, CUSTOM.name})
NONE: frozenset[str] = frozenset()


@pytest.mark.parametrize(
    ("wanted", "found", "old", "settled", "verbs"),
    [
        ([BUILTIN], [], NONE, NONE, ["create"]),
        ([BUILTIN], [], NONE, ALL_OLD, []),
        ([CUSTOM], [], NONE, NONE, ["create"]),
        ([CUSTOM], [], NONE, ALL_OLD, ["create"]),
        ([BUILTIN], [present(BUILTIN, None, versionPriority=3)], ALL_OLD, NONE, []),
        ([], [present(BUILTIN, None)], ALL_OLD, NONE, []),
        ([BUILTIN], [present(BUILTIN, ON_START, versionPriority=3)], NONE, NONE, []),
        ([], [present(BUILTIN, ON_START)], NONE, NONE, []),
        ([BUILTIN], [present(BUILTIN, ON_START, versionPriority=3)], ALL_OLD, NONE, ["update"]),
        ([BUILTIN], [present(BUILTIN, ON_START)], ALL_OLD, NONE, []),
        ([], [present(BUILTIN, ON_START)], ALL_OLD, NONE, ["delete"]),
        ([], [present(BUILTIN, ON_START)], ALL_OLD, ALL_OLD, []),
        ([CUSTOM], [present(CUSTOM, ALWAYS, versionPriority=3)], ALL_OLD, ALL_OLD, ["update"]),
        ([CUSTOM], [present(CUSTOM, ON_START)], ALL_OLD, NONE, ["update"]),
        ([], [present(CUSTOM, ALWAYS)], NONE, NONE, ["delete"]),
        ([Wanted("apiregistration.k8s.io", "v1", custom=False)], [], NONE, NONE, []),
    ],
)
def test_what_happens(
    wanted: list[Wanted], found: list[dict[str, Any]], old: frozenset[str], settled: frozenset[str], verbs: list[str]
) -> None:  # fmt: skip
    actions = plan(wanted, {each["metadata"]["name"]: each for each in found}, old, settled)
    assert [verb for verb, _ in actions] == verbs


@pytest.mark.parametrize(
    ("group", "version", "priorities"),
    [
        ("", "v1", (18000, 1)),
        ("apps", "v1", (17800, 15)),
        ("autoscaling", "v2", (17500, 30)),
        ("autoscaling", "v1", (17500, 15)),
        ("storage.k8s.io", "v1beta1", (16800, 9)),
        ("storage.k8s.io", "v1alpha1", (16800, 1)),
        ("flowcontrol.apiserver.k8s.io", "v1", (16100, 21)),
        ("resource.k8s.io", "v1beta2", (16200, 15)),
    ],
)
def test_priorities_are_upstreams(group: str, version: str, priorities: tuple[int, int]) -> None:
    spec = api_service(Wanted(group, version, custom=False))["spec"]
    assert (spec["groupPriorityMinimum"], spec["versionPriority"]) == priorities
