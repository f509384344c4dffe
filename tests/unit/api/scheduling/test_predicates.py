"""Taints, node selectors and host ports."""

from typing import Any

import pytest

from proa.api.scheduling.host_ports import HostPort, conflict
from proa.api.scheduling.node_affinity import required_node_affinity
from proa.api.scheduling.taints import count_untolerated_preferences, find_untolerated, tolerates

TAINT = {"key": "k", "value": "5", "effect": "NoSchedule"}


@pytest.mark.parametrize(
    ("toleration", "expected"),
    [
        ({"operator": "Exists"}, True),
        ({"key": "k", "operator": "Exists", "effect": "NoSchedule"}, True),
        ({"key": "k", "operator": "Exists", "effect": "NoExecute"}, False),
        ({"key": "k", "value": "5"}, True),
        ({"key": "k", "operator": "Equal", "value": "6"}, False),
        ({"key": "other", "operator": "Exists"}, False),
        ({"value": "5"}, False),
        ({"key": "k", "operator": "Gt", "value": "4"}, True),
        ({"key": "k", "operator": "Gt", "value": "5"}, False),
        ({"key": "k", "operator": "Lt", "value": "6"}, True),
        ({"key": "k", "operator": "Lt", "value": "x"}, False),
    ],
)
def test_tolerations(toleration: dict[str, Any], expected: bool) -> None:
    assert tolerates(toleration, TAINT) is expected


def test_preferences_are_counted_and_keep_nobody_off() -> None:
    soft = {"key": "soft", "effect": "PreferNoSchedule"}
    taints = [soft, {**soft, "key": "other"}, TAINT]
    tolerations = [{"key": "other", "operator": "Exists"}]
    assert (count_untolerated_preferences(taints, tolerations), find_untolerated(taints, tolerations)) == (1, TAINT)


def expression(key: str, operator: str, *values: str) -> dict[str, Any]:
    return {"key": key, "operator": operator, "values": list(values)}


def named(operator: str, name: str) -> dict[str, Any]:
    return {"matchFields": [expression("metadata.name", operator, name)]}


def affinity(*terms: dict[str, Any]) -> dict[str, Any]:
    return {"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": list(terms)}}}}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({}, True),
        ({"nodeSelector": {"disk": "ssd"}}, True),
        ({"nodeSelector": {"disk": "hdd"}}, False),
        (affinity(), False),
        (affinity({}), False),
        (affinity({"matchExpressions": [expression("disk", "In", "ssd", "nvme")]}), True),
        (affinity({"matchExpressions": [expression("disk", "NotIn", "ssd")]}), False),
        (affinity({"matchExpressions": [expression("gpu", "NotIn", "a")]}), True),
        (affinity({"matchExpressions": [expression("disk", "Exists"), expression("gpu", "DoesNotExist")]}), True),
        (affinity({"matchExpressions": [expression("cores", "Gt", "8")]}), True),
        (affinity({"matchExpressions": [expression("cores", "Lt", "16")]}), False),
        (affinity({"matchExpressions": [expression("disk", "Gt", "1")]}), False),
        (affinity(named("In", "n")), True),
        (affinity(named("NotIn", "n")), False),
        (affinity(named("In", "other"), {"matchExpressions": [expression("disk", "Exists")]}), True),
        ({"nodeSelector": {"disk": "hdd"}, **affinity({"matchExpressions": [expression("disk", "Exists")]})}, False),
    ],
)
def test_required_node_affinity(spec: dict[str, Any], expected: bool) -> None:
    node = {"metadata": {"name": "n", "labels": {"disk": "ssd", "cores": "16"}}}
    assert required_node_affinity(spec).matches(node) is expected


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        ([named("In", "a")], {"a"}),
        ([named("In", "a"), named("In", "b")], {"a", "b"}),
        ([named("In", "a"), {"matchExpressions": [expression("x", "Exists")]}], None),
        ([named("NotIn", "a")], None),
    ],
)
def test_the_only_nodes_that_affinity_names(terms: list[dict[str, Any]], expected: set[str] | None) -> None:
    assert required_node_affinity(affinity(*terms)).node_names() == expected


@pytest.mark.parametrize(
    ("wanted", "used", "expected"),
    [
        (("0.0.0.0", "TCP", 80), ("0.0.0.0", "TCP", 80), True),
        (("0.0.0.0", "TCP", 80), ("10.0.0.1", "TCP", 80), True),
        (("10.0.0.1", "TCP", 80), ("0.0.0.0", "TCP", 80), True),
        (("10.0.0.1", "TCP", 80), ("10.0.0.2", "TCP", 80), False),
        (("0.0.0.0", "TCP", 80), ("0.0.0.0", "UDP", 80), False),
        (("0.0.0.0", "TCP", 80), ("0.0.0.0", "TCP", 81), False),
    ],
)
def test_host_ports_collide(wanted: HostPort, used: HostPort, expected: bool) -> None:
    assert conflict([wanted], [used]) is expected
