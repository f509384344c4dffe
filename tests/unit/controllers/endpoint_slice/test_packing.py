"""Where endpoints go, and how few slices are written for it."""

from typing import Any

import pytest

from proa.api.meta import Object
from proa.controllers.endpoint_slice.endpoints import PortKey
from proa.controllers.endpoint_slice.packing import plan_slices

SERVICE: Object = {
    "apiVersion": "v1", "kind": "Service",
    "metadata": {"name": "web", "namespace": "n", "uid": "s", "labels": {"team": "a"}},
    "spec": {"clusterIP": "10.0.0.1", "ports": [{"port": 80}]},
}  # fmt: skip
PORTS: PortKey = (("", "TCP", 80, ""),)


def endpoint(number: int, *, ready: bool = True) -> Object:
    return {"addresses": [f"10.1.{number // 256}.{number % 256}"], "targetRef": {"uid": str(number)}, "conditions": {"ready": ready}}


def slices(*sizes: int, start: int = 0) -> list[Object]:
    """Full-grown slices with so many endpoints each."""
    built: list[Object] = []
    for size in sizes:
        (made,) = plan_slices(SERVICE, {"IPv4": {PORTS: [endpoint(start + number) for number in range(size)]}}, []).create
        built.append({**made, "metadata": {**made["metadata"], "name": f"web-{len(built)}", "uid": f"slice-{len(built)}"}})
        start += size
    return built


def shape(plan: Any) -> tuple[list[int], list[int], int]:
    return [len(each["endpoints"]) for each in plan.create], sorted(len(each["endpoints"]) for each in plan.update), len(plan.delete)


@pytest.mark.parametrize(
    ("endpoints", "existing", "expected"),
    [
        pytest.param(range(0), [], ([0], [], 0), id="a placeholder for none"),
        pytest.param(range(3), [], ([3], [], 0), id="first"),
        pytest.param(range(250), [], ([100, 100, 50], [], 0), id="at most 100 each"),
        pytest.param(range(3), slices(3), ([], [], 0), id="nothing changed"),
        pytest.param(range(4), slices(3), ([], [4], 0), id="one more"),
        pytest.param(range(2), slices(3), ([], [2], 0), id="one fewer"),
        pytest.param(range(0), slices(3), ([], [0], 0), id="none left: the slice becomes the placeholder"),
        pytest.param(range(151), slices(100, 50), ([], [51], 0), id="the full one is left alone"),
        pytest.param(range(131), slices(50, 80), ([], [81], 0), id="the fullest that can take it"),
        pytest.param([*range(1, 130), 500], slices(50, 80), ([], [50], 0), id="a slice that changes anyway is filled first"),
        pytest.param(range(230), slices(90, 90), ([50], [], 0), id="no partial spreading over unchanged slices"),
        pytest.param(range(100, 150), slices(100, 50), ([], [], 1), id="an empty slice goes"),
    ],
)
def test_packing(endpoints: Any, existing: list[Object], expected: tuple[list[int], list[int], int]) -> None:
    desired = {"IPv4": {PORTS: [endpoint(number) for number in endpoints]}}
    assert shape(plan_slices(SERVICE, desired, existing)) == expected


def test_changed_readiness_is_an_update_in_place() -> None:
    (existing,) = slices(3)
    desired = {"IPv4": {PORTS: [endpoint(0), endpoint(1, ready=False), endpoint(2)]}}
    plan = plan_slices(SERVICE, desired, [existing])
    assert [each["endpoints"] for each in plan.update] == [desired["IPv4"][PORTS]]


def test_pods_with_other_port_numbers_get_slices_of_their_own() -> None:
    other: PortKey = (("", "TCP", 8080, ""),)
    plan = plan_slices(SERVICE, {"IPv4": {PORTS: [endpoint(1)], other: [endpoint(2)]}}, [])
    assert [(each["ports"], len(each["endpoints"])) for each in plan.create] == [
        ([{"name": "", "protocol": "TCP", "port": 80}], 1),
        ([{"name": "", "protocol": "TCP", "port": 8080}], 1),
    ]


def test_a_family_that_is_no_longer_wanted_goes() -> None:
    (existing,) = slices(1)
    plan = plan_slices(SERVICE, {"IPv6": {PORTS: [endpoint(0)]}}, [existing])
    assert (len(plan.create), plan.delete) == (1, [existing])


def test_metadata_of_a_slice() -> None:
    (created,) = plan_slices({**SERVICE, "spec": {"clusterIP": "None"}}, {"IPv4": {(): []}}, []).create
    assert created["metadata"] == {
        "generateName": "web-",
        "namespace": "n",
        "labels": {
            "team": "a",
            "kubernetes.io/service-name": "web",
            "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
            "service.kubernetes.io/headless": "",
        },
        "annotations": {},
        "ownerReferences": [
            {"apiVersion": "v1", "kind": "Service", "name": "web", "uid": "s", "controller": True, "blockOwnerDeletion": True}
        ],
    }
