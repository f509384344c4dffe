"""Rules of pod specs beyond names and images: claims, mounts and devices, host namespaces, restart rules, hooks."""

from collections.abc import Callable
from typing import Any

import pytest

from proa.api.resource import Resource
from tests.unit.apiserver.registry.rules import Object, changed, on_create

Find = Callable[..., Resource]
POD: Object = {
    "metadata": {"name": "p", "namespace": "default"},
    "spec": {
        "containers": [{"name": "c", "image": "i"}],
        "volumes": [{"name": "d", "persistentVolumeClaim": {"claimName": "d"}}, {"name": "e", "emptyDir": {}}],
    },
}
C = "spec.containers[0]"
MOUNT: Object = {"name": "e", "mountPath": "/e"}
DEVICE: Object = {"name": "d", "devicePath": "/dev/x"}
RULE: Object = {"action": "Restart", "exitCodes": {"operator": "In", "values": [1]}}


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("", None, []),
        ("spec.resourceClaims", [{"name": "gpu", "resourceClaimName": "c"}], []),
        ("spec.resourceClaims", [{"name": "gpu"}], [
            'spec.resourceClaims[0]: Invalid value: {"name":"gpu"}: must specify one of: '
            "`resourceClaimName`, `resourceClaimTemplateName`"]),
        ("spec.containers.0.resources", {"claims": [{"name": "gpu"}]}, [
            f'{C}.resources.claims[0]: Not found: "gpu": must be one of the names in pod.spec.resourceClaims which is empty']),
        ("spec.readinessGates", [{"conditionType": "a.b/ready"}], []),
        ("spec.containers.0.volumeMounts", [MOUNT | {"mountPropagation": "Bidirectional"}], [
            f"{C}.volumeMounts.mountPropagation: Forbidden: Bidirectional mount propagation is available only to "
            "privileged containers"]),
        ("spec.containers.0.volumeMounts", [MOUNT | {"recursiveReadOnly": "Enabled"}],
         [f"{C}.volumeMounts.recursiveReadOnly: Forbidden: may only be specified when readOnly is true"]),
        ("spec.containers.0.volumeDevices", [DEVICE], []),
        ("spec.containers.0.volumeDevices", [DEVICE, DEVICE], [
            f'{C}.volumeDevices[1].name: Invalid value: "d": must be unique',
            f'{C}.volumeDevices[1].devicePath: Invalid value: "/dev/x": must be unique']),
        ("spec.containers.0.volumeDevices", [DEVICE | {"name": "e"}], [
            f'{C}.volumeDevices[0].name: Invalid value: "e": can only use volume source type of PersistentVolumeClaim or Ephemeral for '
            "block mode"]),
        ("spec.containers.0.restartPolicyRules", [RULE],
         [f"{C}.restartPolicy: Required value: must specify restartPolicy when restart rules are used"]),
        ("spec.containers.0.resizePolicy", [{"resourceName": "disk", "restartPolicy": "NotRequired"}],
         [f'{C}.resizePolicy: Unsupported value: "disk": supported values: "cpu", "memory"']),
        ("spec.containers.0.lifecycle", {"preStop": {"sleep": {"seconds": 31}}}, [
            f"{C}.lifecycle.preStop.sleep: Invalid value: 31: must be non-negative and less than terminationGracePeriodSeconds (30)"]),
        ("spec.os", {"name": "plan9"}, ['spec.os: Unsupported value: "plan9": supported values: "linux", "windows"']),
        ("spec.overhead", {"cpu": "-1"}, ['spec.overhead.limits[cpu]: Invalid value: "-1": must be greater than or equal to 0']),
        ("spec.dnsConfig", {"searches": ["a" * 63 + "." + "b" * 63] * 20}, None),
    ],
)  # fmt: skip
def test_new_pods(find: Find, path: str, value: Any, expected: list[str] | None) -> None:
    found = on_create(find("pods"), changed(POD, path, value))
    if expected is None:
        assert [line.rpartition(": ")[2] for line in found] == [
            "must not have more than 2048 characters (including spaces) in the search list"
        ]
    else:
        assert found == expected


@pytest.mark.parametrize(("field", "told"), [("hostNetwork", "hostNetwork"), ("hostPID", "HostPID"), ("hostIPC", "HostIPC")])
def test_a_pod_with_users_of_its_own_shares_no_other_namespace(find: Find, field: str, told: str) -> None:
    pod = changed(changed(POD, "spec.hostUsers", False), f"spec.{field}", True)
    assert on_create(find("pods"), pod) == [f"spec.{told}: Forbidden: when `hostUsers` is false"]


def test_one_name_for_a_mount_and_a_device(find: Find) -> None:
    pod = changed(changed(POD, "spec.containers.0.volumeDevices", [DEVICE]), "spec.containers.0.volumeMounts", [MOUNT | {"name": "d"}])
    assert on_create(find("pods"), pod) == [
        f'{C}.volumeMounts[0].name: Invalid value: "d": must not already exist in volumeDevices',
        f'{C}.volumeDevices[0].name: Invalid value: "d": must not already exist in volumeMounts',
    ]
