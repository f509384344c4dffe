"""storage.k8s.io, volumes and claims: a valid object, one change, and all that is then wrong."""

from collections.abc import Callable
from typing import Any

import pytest

from proa.api.resource import Resource
from tests.unit.apiserver.registry.rules import DELETE, Object, born, changed, on_create, on_status, on_update

Find = Callable[..., Resource]

CLASS: Object = {"metadata": {"name": "fast"}, "provisioner": "csi.example.com", "parameters": {"tier": "gold"}}
ATTRIBUTES: Object = {"metadata": {"name": "gold"}, "driverName": "csi.example.com", "parameters": {"iops": "9000"}}
DRIVER: Object = {"metadata": {"name": "csi.example.com"}, "spec": {"volumeLifecycleModes": ["Persistent"]}}
NODE: Object = {"metadata": {"name": "n1"}, "spec": {"drivers": [{"name": "csi.example.com", "nodeID": "n1", "topologyKeys": ["zone"]}]}}
CAPACITY: Object = {"metadata": {"name": "c", "namespace": "default"}, "storageClassName": "fast", "capacity": "1Gi"}
ATTACHMENT: Object = {
    "metadata": {"name": "a"},
    "spec": {"attacher": "csi.example.com", "nodeName": "n1", "source": {"persistentVolumeName": "pv"}},
}
VOLUME: Object = {
    "metadata": {"name": "pv"},
    "spec": {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": "/data"}},
}
CLAIM: Object = {
    "metadata": {"name": "data", "namespace": "default"},
    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}, "storageClassName": "fast"},
}
SUBDOMAIN = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an "
    "alphanumeric character (e.g. 'example.com', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
CREATES: list[tuple[str, str, Object, str, Any, list[str]]] = [
    ("storageclasses", "storage.k8s.io", CLASS, "", None, []),
    ("storageclasses", "storage.k8s.io", CLASS, "provisioner", "", ["provisioner: Required value"]),
    ("storageclasses", "storage.k8s.io", CLASS, "reclaimPolicy", "Recycle",
     ['reclaimPolicy: Unsupported value: "Recycle": supported values: "Delete", "Retain"']),
    ("storageclasses", "storage.k8s.io", CLASS, "volumeBindingMode", "Later",
     ['volumeBindingMode: Unsupported value: "Later": supported values: "Immediate", "WaitForFirstConsumer"']),
    ("storageclasses", "storage.k8s.io", CLASS, "allowedTopologies", [{"matchLabelExpressions": [{"key": "zone", "values": []}]}],
     ["allowedTopologies[0].matchLabelExpressions[0].values: Required value"]),
    ("volumeattributesclasses", "storage.k8s.io", ATTRIBUTES, "parameters", {},
     ["parameters: Required value: must contain at least one key/value pair"]),
    ("csidrivers", "storage.k8s.io", DRIVER, "spec.volumeLifecycleModes", ["Forever"],
     ['spec.volumeLifecycleModes: Unsupported value: "Forever": supported values: "Persistent", "Ephemeral"']),
    ("csidrivers", "storage.k8s.io", DRIVER, "spec.tokenRequests", [{"audience": "a"}, {"audience": "a"}],
     ['spec.tokenRequests[1].audience: Duplicate value: "a"']),
    ("csidrivers", "storage.k8s.io", DRIVER, "spec.nodeAllocatableUpdatePeriodSeconds", 5,
     ["spec.nodeAllocatableUpdatePeriodSeconds: Invalid value: 5: must be greater than or equal to 10 seconds"]),
    ("csinodes", "storage.k8s.io", NODE, "spec.drivers.1", {"name": "csi.example.com", "nodeID": "n1"},
     ['spec.drivers[1].name: Duplicate value: "csi.example.com"']),
    ("csinodes", "storage.k8s.io", NODE, "spec.drivers.0.nodeID", "", ["spec.drivers[0].nodeID: Required value"]),
    ("csinodes", "storage.k8s.io", NODE, "spec.drivers.0.topologyKeys", ["zone", "zone"],
     ['spec.drivers[0]: Duplicate value: "zone"']),
    ("csistoragecapacities", "storage.k8s.io", CAPACITY, "capacity", "-1",
     ['capacity: Invalid value: "-1": must be greater than or equal to 0']),
    ("csistoragecapacities", "storage.k8s.io", CAPACITY, "storageClassName", "A",
     [f'storageClassName: Invalid value: "A": {SUBDOMAIN}']),
    ("volumeattachments", "storage.k8s.io", ATTACHMENT, "spec.source", {},
     ["spec.source: Required value: must specify exactly one of inlineVolumeSpec and persistentVolumeName"]),
    ("persistentvolumes", "", VOLUME, "", None, []),
    ("persistentvolumes", "", VOLUME, "spec.accessModes", [], ["spec.accessModes: Required value"]),
    ("persistentvolumes", "", VOLUME, "spec.accessModes", ["ReadWriteOncePod", "ReadWriteOnce"],
     ["spec.accessModes: Forbidden: may not use ReadWriteOncePod with other access modes"]),
    ("persistentvolumes", "", VOLUME, "spec.capacity", {}, [
        "spec.capacity: Required value", 'spec.capacity: Unsupported value: {}: supported values: "storage"']),
    ("persistentvolumes", "", VOLUME, "spec.capacity", {"storage": "0"},
     ['spec.capacity[storage]: Invalid value: "0": must be greater than zero']),
    ("persistentvolumes", "", VOLUME, "spec.hostPath", DELETE, ["spec: Required value: must specify a volume type"]),
    ("persistentvolumes", "", VOLUME, "spec.nfs", {"server": "a", "path": "/"},
     ["spec.nfs: Forbidden: may not specify more than 1 volume type"]),
    ("persistentvolumes", "", VOLUME, "spec.hostPath.path", "/a/../b",
     ['spec.hostPath.path: Invalid value: "/a/../b": must not contain \'..\'']),
    ("persistentvolumeclaims", "", CLAIM, "", None, []),
    ("persistentvolumeclaims", "", CLAIM, "spec.accessModes", DELETE,
     ["spec.accessModes: Required value: at least 1 access mode is required"]),
    ("persistentvolumeclaims", "", CLAIM, "spec.resources", {}, ["spec.resources[storage]: Required value"]),
    ("persistentvolumeclaims", "", CLAIM, "spec.resources.requests.storage", "0",
     ['spec.resources[storage]: Invalid value: "0": must be greater than zero']),
    ("persistentvolumeclaims", "", CLAIM, "spec.volumeMode", "Tape",
     ['spec.volumeMode: Unsupported value: "Tape": supported values: "Block", "Filesystem"']),
    ("persistentvolumeclaims", "", CLAIM, "spec.dataSourceRef", {"kind": "Backup", "name": "b"},
     ['spec.dataSource: Invalid value: "Backup": must be \'PersistentVolumeClaim\' when referencing the default apiGroup',
      'spec.dataSourceRef: Invalid value: "Backup": must be \'PersistentVolumeClaim\' when referencing the default apiGroup']),
]  # fmt: skip


@pytest.mark.parametrize(("plural", "group", "base", "path", "value", "expected"), CREATES)
def test_create(find: Find, plural: str, group: str, base: Object, path: str, value: Any, expected: list[str]) -> None:
    assert on_create(find(plural, group), changed(base, path, value)) == expected


UPDATES: list[tuple[str, str, Object, str, Any, list[str]]] = [
    ("storageclasses", "storage.k8s.io", CLASS, "allowVolumeExpansion", True, []),
    ("storageclasses", "storage.k8s.io", CLASS, "parameters", {"tier": "tin"},
     ["parameters: Forbidden: updates to parameters are forbidden."]),
    ("storageclasses", "storage.k8s.io", CLASS, "provisioner", "other",
     ["provisioner: Forbidden: updates to provisioner are forbidden."]),
    ("storageclasses", "storage.k8s.io", CLASS, "volumeBindingMode", "WaitForFirstConsumer",
     ['volumeBindingMode: Invalid value: "WaitForFirstConsumer": field is immutable']),
    ("volumeattributesclasses", "storage.k8s.io", ATTRIBUTES, "driverName", "other",
     ["driverName: Forbidden: updates to driverName are forbidden."]),
    ("csinodes", "storage.k8s.io", NODE, "spec.drivers", [], []),
    ("csinodes", "storage.k8s.io", NODE, "spec.drivers.0.nodeID", "n2",
     ['spec.drivers: Invalid value: {"name":"csi.example.com","nodeID":"n2","topologyKeys":["zone"]}: '
      "field is immutable"]),
    ("csistoragecapacities", "storage.k8s.io", CAPACITY, "capacity", "2Gi", []),
    ("csistoragecapacities", "storage.k8s.io", CAPACITY, "storageClassName", "slow",
     ['storageClassName: Invalid value: "slow": field is immutable']),
    ("persistentvolumes", "", VOLUME, "spec.persistentVolumeReclaimPolicy", "Delete", []),
    ("persistentvolumes", "", VOLUME, "spec.volumeMode", "Block",
     ['volumeMode: Invalid value: "Block": field is immutable']),
    ("persistentvolumeclaims", "", CLAIM, "spec.volumeName", "pv", []),
    ("persistentvolumeclaims", "", CLAIM, "spec.accessModes", ["ReadWriteMany"],
     ["spec: Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims\n"
      '  spec.accessModes[0]:\n- \t"ReadWriteOnce"\n+ \t"ReadWriteMany"']),
]  # fmt: skip


@pytest.mark.parametrize(("plural", "group", "base", "path", "value", "expected"), UPDATES)
def test_update(find: Find, plural: str, group: str, base: Object, path: str, value: Any, expected: list[str]) -> None:
    assert on_update(find(plural, group), base, path, value) == expected


def test_a_volume_keeps_its_source(find: Find) -> None:
    found = on_update(find("persistentvolumes"), VOLUME, "spec.hostPath.path", "/other")
    assert found == [
        "spec.persistentvolumesource: Forbidden: spec.persistentvolumesource is immutable after creation\n"
        '  spec.hostPath.path:\n- \t"/data"\n+ \t"/other"'
    ]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ({"phase": "Bound", "capacity": {"storage": "1Gi"}}, []),
        ({"capacity": {"storage": "-1"}}, ['status.capacity[storage]: Invalid value: -1: must be a valid resource quantity']),
        ({"allocatedResources": {"cpu": "1"}},
         ['status.allocatedResources: Unsupported value: "cpu": supported values: "storage"']),
    ],
)  # fmt: skip
def test_status_of_a_claim(find: Find, status: Object, expected: list[str]) -> None:
    assert on_status(find("persistentvolumeclaims"), CLAIM, status) == expected


def test_defaults_of_a_volume_and_of_a_driver(find_any: Find) -> None:
    volume = born(find_any("persistentvolumes"), VOLUME)
    assert volume["spec"]["persistentVolumeReclaimPolicy"] == "Retain"
    assert volume["spec"]["volumeMode"] == "Filesystem"
    assert volume["status"] == {"phase": "Pending"}
    driver = born(find_any("csidrivers", "storage.k8s.io"), {"metadata": {"name": "a"}, "spec": {}})["spec"]
    assert (driver["attachRequired"], driver["podInfoOnMount"], driver["fsGroupPolicy"]) == (True, False, "ReadWriteOnceWithFSType")
