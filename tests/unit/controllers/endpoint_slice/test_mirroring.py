"""Endpoints written by hand appear as slices."""

import asyncio
from typing import Any

import pytest

from proa.api import meta
from proa.api.kinds import ENDPOINT_SLICES, ENDPOINTS, SERVICES
from proa.api.meta import Object
from proa.controllers.endpoint_slice.mirroring import build, is_mirrored
from proa.controllers.rehearsal import rehearse


def service(**spec: Any) -> Object:
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "db", "namespace": "n"}, "spec": {"clusterIP": "10.0.0.1", **spec}}


def endpoints(*ips: str, not_ready: tuple[str, ...] = (), **metadata: Any) -> Object:
    subset = {"addresses": [{"ip": ip} for ip in ips], "notReadyAddresses": [{"ip": ip} for ip in not_ready], "ports": [{"port": 5432}]}
    return {
        "apiVersion": "v1",
        "kind": "Endpoints",
        "metadata": {"name": "db", "namespace": "n", "uid": "e", **metadata},
        "subsets": [subset],
    }


def test_families_and_readiness_are_mirrored_and_followed() -> None:
    async def main() -> None:
        async with rehearse(build, service(), endpoints("192.0.2.1", "2001:db8::1", not_ready=("192.0.2.2",))) as stage:
            found = sorted(stage.objects(ENDPOINT_SLICES), key=lambda each: str(each["addressType"]))
            assert [(each["addressType"], each["endpoints"], each["ports"]) for each in found] == [
                (
                    "IPv4",
                    [
                        {"addresses": ["192.0.2.1"], "conditions": {"ready": True}},
                        {"addresses": ["192.0.2.2"], "conditions": {"ready": False}},
                    ],
                    [{"name": "", "protocol": "TCP", "port": 5432}],
                ),
                ("IPv6", [{"addresses": ["2001:db8::1"], "conditions": {"ready": True}}], [{"name": "", "protocol": "TCP", "port": 5432}]),
            ]
            assert meta.labels(found[0]) == {
                "kubernetes.io/service-name": "db",
                "endpointslice.kubernetes.io/managed-by": "endpointslicemirroring-controller.k8s.io",
            }
            stage.client.modify(endpoints("192.0.2.9"))
            await stage.settle()
            (left,) = stage.objects(ENDPOINT_SLICES)
            assert [each["addresses"] for each in left["endpoints"]] == [["192.0.2.9"]]
            assert meta.name(left) == meta.name(found[0])
            await stage.client.delete(ENDPOINTS, "db", "n")
            await stage.settle()
            assert stage.objects(ENDPOINT_SLICES) == []

    asyncio.run(main())


def test_a_selector_ends_the_mirror() -> None:
    async def main() -> None:
        async with rehearse(build, service(), endpoints("192.0.2.1")) as stage:
            await stage.client.patch(SERVICES, "db", {"spec": {"selector": {"app": "db"}}}, "n")
            await stage.settle()
            assert stage.objects(ENDPOINT_SLICES) == []

    asyncio.run(main())


@pytest.mark.parametrize(
    ("written", "owner", "expected"),
    [
        (endpoints("192.0.2.1"), service(), True),
        (endpoints("192.0.2.1"), None, False),
        (endpoints("192.0.2.1", labels={"endpointslice.kubernetes.io/skip-mirror": "true"}), service(), False),
        (endpoints("192.0.2.1", annotations={"control-plane.alpha.kubernetes.io/leader": "x"}), service(), False),
    ],
)
def test_what_is_mirrored(written: Object, owner: Object | None, expected: bool) -> None:
    assert is_mirrored(written, owner) is expected
