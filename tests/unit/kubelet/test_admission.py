"""Pods that do not fit here."""

from typing import Any

import pytest

from proa.kubelet.admission import admit
from tests.unit.kubelet.objects import container, pod

WRONG_NODE = ("NodeAffinity", "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector")
NODE = {"metadata": {"name": "n1", "labels": {"disk": "ssd"}}, "status": {"allocatable": {"cpu": "9", "example.com/gpu": "2"}}}
ALLOCATABLE = {"cpu": "1", "memory": "1Gi", "pods": "2"}


def asks(**amounts: str) -> dict[str, Any]:
    return pod(container(resources={"requests": amounts}))


def sysctl(name: str, **spec: Any) -> dict[str, Any]:
    return pod(securityContext={"sysctls": [{"name": name, "value": "1"}]}, **spec)


def on(key: str, operator: str, *values: str) -> dict[str, Any]:
    term = {"matchExpressions": [{"key": key, "operator": operator, "values": list(values)}]}
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}}


@pytest.mark.parametrize(
    ("given", "others", "expected"),
    [
        (pod(), [], None),
        (pod(), [pod(), pod()], ("OutOfpods", "Node didn't have enough resource: pods, requested: 1, used: 2, capacity: 2")),
        (asks(cpu="600m"), [asks(cpu="600m")],
         ("OutOfcpu", "Node didn't have enough resource: cpu, requested: 600, used: 600, capacity: 1000")),
        (asks(memory="1Gi"), [], None),
        (asks(memory="2Gi"), [],
         ("OutOfmemory", "Node didn't have enough resource: memory, requested: 2147483648, used: 0, capacity: 1073741824")),
        (asks(**{"example.com/gpu": "1"}), [asks(**{"example.com/gpu": "1"})], None),
        (asks(**{"example.com/gpu": "2"}), [asks(**{"example.com/gpu": "1"})],
         ("OutOfexample.com/gpu", "Node didn't have enough resource: example.com/gpu, requested: 2, used: 1, capacity: 2")),
        (asks(**{"example.com/counted-elsewhere": "1"}), [], None),
        (pod(nodeSelector={"disk": "ssd"}), [], None),
        (pod(nodeSelector={"disk": "hdd"}), [], WRONG_NODE),
        (pod(affinity=on("disk", "In", "ssd")), [], None),
        (pod(affinity=on("disk", "NotIn", "ssd")), [], WRONG_NODE),
        (sysctl("net.ipv4.tcp_syncookies"), [], None),
        (sysctl("net.ipv4.tcp_syncookies", hostNetwork=True), [],
         ("SysctlForbidden", 'forbidden sysctl: "net.ipv4.tcp_syncookies" not allowed with host net enabled')),
        (sysctl("kernel.msgmax"), [], ("SysctlForbidden", 'forbidden sysctl: "kernel.msgmax" not allowlisted')),
        (sysctl("net.core.somaxconn"), [], None),
        (pod(container(securityContext={"appArmorProfile": {"type": "RuntimeDefault"}})), [],
         ("AppArmor", "Cannot enforce AppArmor: AppArmor is not enabled on the host")),
    ],
)  # fmt: skip
def test_admission(given: dict[str, Any], others: list[dict[str, Any]], expected: tuple[str, str] | None) -> None:
    assert admit(given, others, NODE, ALLOCATABLE, ["net.core.*"], apparmor=False) == expected
