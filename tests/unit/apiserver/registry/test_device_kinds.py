"""resource.k8s.io: claims, classes, slices and taint rules, and their older forms over the same stored object."""

from collections.abc import Callable
from typing import Any

import pytest

from proa.api.resource import Resource
from tests.unit.apiserver.registry.rules import DELETE, Object, born, changed, on_create, on_status, on_update

Find = Callable[..., Resource]

GROUP = "resource.k8s.io"
CLAIM: Object = {
    "metadata": {"name": "c", "namespace": "default"},
    "spec": {"devices": {"requests": [{"name": "gpu", "exactly": {"deviceClassName": "gpu.example.com"}}]}},
}
SLICE: Object = {
    "metadata": {"name": "s"},
    "spec": {
        "driver": "gpu.example.com",
        "nodeName": "n1",
        "pool": {"name": "n1", "resourceSliceCount": 1, "generation": 1},
        "devices": [{"name": "gpu-0", "attributes": {"model": {"string": "x"}}, "capacity": {"memory": {"value": "1Gi"}}}],
    },
}
RULE: Object = {"metadata": {"name": "r"}, "spec": {"taint": {"key": "example.com/broken", "effect": "NoExecute"}}}
RESULT: Object = {"request": "gpu", "driver": "gpu.example.com", "pool": "n1", "device": "gpu-0"}
_REFERENCE = "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'"


@pytest.mark.parametrize(
    ("plural", "base", "path", "value", "expected"),
    [
        ("resourceclaims", CLAIM, "", None, []),
        ("resourceclaims", CLAIM, "spec.devices.requests.0.exactly", DELETE,
         ["spec.devices.requests[0]: Required value: exactly one of `exactly` or `firstAvailable` is required"]),
        ("resourceclaims", CLAIM, "spec.devices.requests.0.exactly.deviceClassName", "",
         ["spec.devices.requests[0].exactly.deviceClassName: Required value"]),
        ("resourceclaims", CLAIM, "spec.devices.requests.0.exactly.count", -1,
         ["spec.devices.requests[0].exactly.count: Invalid value: -1: must be greater than zero"]),
        ("resourceclaims", CLAIM, "spec.devices.requests.0.exactly.allocationMode", "Some", [
            'spec.devices.requests[0].exactly.allocationMode: Unsupported value: "Some": supported values: "All", "ExactCount"']),
        ("resourceclaims", CLAIM, "spec.devices.requests.1", CLAIM["spec"]["devices"]["requests"][0],
         ['spec.devices.requests[1]: Duplicate value: "gpu"']),
        ("resourceclaims", CLAIM, "spec.devices.constraints", [{"requests": ["disk"], "matchAttribute": "example.com/numa"}],
         [f'spec.devices.constraints[0].requests[0]: Invalid value: "disk": {_REFERENCE}']),
        ("resourceclaims", CLAIM, "spec.devices.config", [{"requests": ["gpu"]}], ["spec.devices.config[0].opaque: Required value"]),
        ("resourceslices", SLICE, "", None, []),
        ("resourceslices", SLICE, "spec.driver", DELETE, ["spec.driver: Required value"]),
        ("resourceslices", SLICE, "spec.nodeName", DELETE, [
            "spec: Required value: exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required"]),
        ("resourceslices", SLICE, "spec.allNodes", True, [
            'spec: Invalid value: "{`nodeName`, `allNodes`}": exactly one of `nodeName`, `nodeSelector`, `allNodes`, '
            "`perDeviceNodeSelection` is required, but multiple fields are set"]),
        ("resourceslices", SLICE, "spec.pool.resourceSliceCount", 0,
         ["spec.pool.resourceSliceCount: Invalid value: 0: must be greater than zero"]),
        ("resourceslices", SLICE, "spec.devices.1", {"name": "gpu-0"}, ['spec.devices[1]: Duplicate value: "gpu-0"']),
        ("devicetaintrules", RULE, "", None, []),
        ("devicetaintrules", RULE, "spec.taint.effect", DELETE, ["spec.taint.effect: Required value"]),
        ("deviceclasses", {"metadata": {"name": "c"}}, "spec.selectors", [{}], ["spec.selectors[0].cel: Required value"]),
        ("deviceclasses", {"metadata": {"name": "c"}}, "spec.extendedResourceName", "cpu",
         ['spec.extendedResourceName: Invalid value: "cpu": must be a valid extended resource name']),
    ],
)  # fmt: skip
def test_create(find: Find, plural: str, base: Object, path: str, value: Any, expected: list[str]) -> None:
    assert on_create(find(plural, GROUP), changed(base, path, value)) == expected


def test_a_claim_never_changes_and_a_slice_in_parts(find: Find) -> None:
    claims, slices = find("resourceclaims", GROUP), find("resourceslices", GROUP)
    assert [line.split(": ")[0] for line in on_update(claims, CLAIM, "spec.devices.requests.0.name", "tpu")] == ["spec"]
    assert on_update(slices, SLICE, "spec.pool.generation", 2) == []
    assert on_update(slices, SLICE, "spec.driver", "other.example.com") == [
        'spec.driver: Invalid value: "other.example.com": field is immutable'
    ]


@pytest.mark.parametrize(
    ("status", "former", "expected"),
    [
        ({"allocation": {"devices": {"results": [RESULT]}}, "reservedFor": [{"resource": "pods", "name": "p", "uid": "u"}]}, {}, []),
        ({"reservedFor": [{"resource": "pods", "name": "p", "uid": "u"}]}, {},
         ["status.reservedFor: Forbidden: may not be specified when `allocated` is not set"]),
        ({"allocation": {"devices": {"results": [RESULT | {"request": "disk"}]}}}, {},
         [f'status.allocation.devices.results[0].request: Invalid value: "disk": {_REFERENCE}']),
        ({"allocation": {"devices": {"results": [RESULT]}}, "devices": [RESULT | {"device": "gpu-1"}]}, {}, [
            'status.devices[0]: Invalid value: "gpu.example.com/n1/gpu-1": must be an allocated device in the claim']),
        ({}, {"allocation": {"devices": {"results": [RESULT]}}}, []),
    ],
)  # fmt: skip
def test_status_of_a_claim(find: Find, status: Object, former: Object, expected: list[str]) -> None:
    assert on_status(find("resourceclaims", GROUP), CLAIM, status, former) == expected


def test_status_keeps_metadata(find: Find) -> None:
    strategy = find("resourceclaims", GROUP).subresources["status"].strategy
    assert strategy is not None
    old = born(find("resourceclaims", GROUP), CLAIM)
    new = changed(changed(old, "metadata.labels", {"a": "b"}), "metadata.finalizers", ["a.b/c"])
    strategy.prepare_for_update(new, old, None)  # type: ignore[arg-type]
    assert new["metadata"] == old["metadata"]


def test_a_claim_in_three_versions(find_any: Find) -> None:
    old, new = find_any("resourceclaims", GROUP, "v1beta1"), find_any("resourceclaims", GROUP, "v1")
    flat: Object = {
        "metadata": {"name": "c", "namespace": "default"},
        "spec": {"devices": {"requests": [{"name": "gpu", "deviceClassName": "gpu.example.com"}]}},
    }
    obj = born(old, flat)
    stored = old.convert(obj, "v1")
    assert stored == born(new, CLAIM)
    assert stored["spec"]["devices"]["requests"] == [
        {"name": "gpu", "exactly": {"deviceClassName": "gpu.example.com", "allocationMode": "ExactCount", "count": 1}}
    ]
    assert old.convert(stored, "v1beta1") == obj
    assert find_any("resourceclaims", GROUP, "v1beta2").convert(stored, "v1beta2") == stored | {"apiVersion": f"{GROUP}/v1beta2"}


def test_a_slice_in_its_oldest_form(find_any: Find) -> None:
    old, new = find_any("resourceslices", GROUP, "v1beta1"), find_any("resourceslices", GROUP, "v1")
    stored = born(new, SLICE)
    shown = old.convert(stored, "v1beta1")
    assert shown["spec"]["devices"][0]["basic"]["attributes"] == {"model": {"string": "x"}}
    assert old.convert(shown, "v1") == stored


def test_a_taint_says_since_when(find: Find) -> None:
    assert born(find("devicetaintrules", GROUP), RULE)["spec"]["taint"]["timeAdded"] == "2026-01-01T00:00:00Z"


def test_status_of_a_request_for_pools(find_any: Find) -> None:
    requests = find_any("resourcepoolstatusrequests", GROUP, "v1alpha3")
    request: Object = {"metadata": {"name": "r"}, "spec": {"driver": "gpu.example.com"}}
    assert on_create(requests, request) == []
    assert on_create(requests, changed(request, "spec.driver", DELETE)) == ["spec.driver: Required value: driver name is required"]
    assert on_create(requests, changed(request, "spec.limit", 0)) == ["spec.limit: Invalid value: 0: must be at least 1"]
    assert on_status(requests, request, {"poolCount": -1}) == ["status.poolCount: Invalid value: -1: must be non-negative"]
