"""Slices and Endpoints follow Services and pods."""

import asyncio
from typing import Any

from proa.api import meta
from proa.api.kinds import ENDPOINT_SLICES, ENDPOINTS, PODS, SERVICES
from proa.api.meta import Object
from proa.controllers.endpoint_slice.controller import build
from proa.controllers.endpoints import build as build_endpoints
from proa.controllers.rehearsal import rehearse


def service(**spec: Any) -> Object:
    ports = [{"name": "http", "port": 80, "protocol": "TCP", "targetPort": "web"}]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web", "namespace": "n", "uid": "s"},
        "spec": {"clusterIP": "10.0.0.1", "selector": {"app": "web"}, "ports": ports, "ipFamilies": ["IPv4"], **spec},
    }


def pod(name: str, ip: str, *, ready: bool = True, port: int = 8080, app: str = "web", **metadata: Any) -> Object:
    condition = {"type": "Ready", "status": "True" if ready else "False"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "n", "uid": name, "labels": {"app": app}, **metadata},
        "spec": {"nodeName": "n1", "containers": [{"name": "c", "ports": [{"name": "web", "containerPort": port, "protocol": "TCP"}]}]},
        "status": {"phase": "Running", "podIP": ip, "podIPs": [{"ip": ip}], "conditions": [condition]},
    }


NODE = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n1", "labels": {"topology.kubernetes.io/zone": "z1"}}}


def test_an_endpoint_says_what_its_pod_is() -> None:
    async def main() -> None:
        dying = pod("dying", "10.1.0.2", deletionTimestamp="2030-01-01T00:00:00Z")
        async with rehearse(build, NODE, service(), pod("a", "10.1.0.1"), dying, pod("x", "10.1.0.3", app="other")) as stage:
            (found,) = stage.objects(ENDPOINT_SLICES)
            common = {"nodeName": "n1", "zone": "z1"}
            assert (found["addressType"], found["ports"]) == ("IPv4", [{"name": "http", "protocol": "TCP", "port": 8080}])
            assert found["endpoints"] == [
                {
                    "addresses": ["10.1.0.1"],
                    "conditions": {"ready": True, "serving": True, "terminating": False},
                    "targetRef": {"kind": "Pod", "namespace": "n", "name": "a", "uid": "a"},
                    **common,
                },
                {
                    "addresses": ["10.1.0.2"],
                    "conditions": {"ready": False, "serving": True, "terminating": True},
                    "targetRef": {"kind": "Pod", "namespace": "n", "name": "dying", "uid": "dying"},
                    **common,
                },
            ]

    asyncio.run(main())


def test_changes_are_followed_with_one_write_each() -> None:
    async def main() -> None:
        async with rehearse(build, service(), pod("a", "10.1.0.1")) as stage:
            stage.client.actions.clear()
            stage.client.add(pod("b", "10.1.0.2", ready=False))
            await stage.settle()
            stage.client.modify(pod("b", "10.1.0.2"))
            await stage.settle()
            await stage.client.delete(PODS, "a", "n", grace_period_seconds=0)
            await stage.settle()
            (found,) = stage.objects(ENDPOINT_SLICES)
            assert [(each["addresses"], each["conditions"]["ready"]) for each in found["endpoints"]] == [(["10.1.0.2"], True)]
            assert [each.verb for each in stage.client.actions if each.resource == "endpointslices"] == ["update"] * 3

    asyncio.run(main())


def test_a_relabelled_pod_leaves_and_a_changed_selector_moves() -> None:
    async def main() -> None:
        async with rehearse(build, service(), pod("a", "10.1.0.1"), pod("b", "10.1.0.2", app="new")) as stage:
            await stage.client.patch(PODS, "a", {"metadata": {"labels": {"app": "off"}}}, "n")
            await stage.settle()
            assert stage.objects(ENDPOINT_SLICES)[0]["endpoints"] == []
            await stage.client.patch(SERVICES, "web", {"spec": {"selector": {"app": "new"}}}, "n")
            await stage.settle()
            assert [each["addresses"] for each in stage.objects(ENDPOINT_SLICES)[0]["endpoints"]] == [["10.1.0.2"]]

    asyncio.run(main())


def test_services_without_selector_are_left_alone() -> None:
    async def main() -> None:
        async with rehearse(build, service(selector=None), pod("a", "10.1.0.1")) as stage:
            assert stage.objects(ENDPOINT_SLICES) == []

    asyncio.run(main())


def test_endpoints_group_ports_with_the_same_addresses() -> None:
    async def main() -> None:
        ports = [{"name": "http", "port": 80, "targetPort": 8080}, {"name": "named", "port": 81, "targetPort": "web"}]
        pods = [pod("a", "10.1.0.1"), pod("b", "10.1.0.2", ready=False), pod("c", "10.1.0.3", port=9090)]
        async with rehearse(build_endpoints, service(ports=ports), *pods) as stage:
            (found,) = stage.objects(ENDPOINTS)
            assert meta.labels(found) == {"endpoints.kubernetes.io/managed-by": "endpoint-controller"}

            def ips(subset: Object, field: str) -> list[str]:
                return [each["ip"] for each in subset.get(field, [])]

            shown = [(ips(each, "addresses"), ips(each, "notReadyAddresses"), each["ports"]) for each in found["subsets"]]
            assert shown == [
                (["10.1.0.1", "10.1.0.3"], ["10.1.0.2"], [{"name": "http", "port": 8080, "protocol": "TCP"}]),
                (["10.1.0.1"], ["10.1.0.2"], [{"name": "named", "port": 8080, "protocol": "TCP"}]),
                (["10.1.0.3"], [], [{"name": "named", "port": 9090, "protocol": "TCP"}]),
            ]
            await stage.client.delete(SERVICES, "web", "n")
            await stage.settle()
            assert stage.objects(ENDPOINTS) == []

    asyncio.run(main())


def test_an_unnamed_port_has_no_name() -> None:
    async def main() -> None:
        async with rehearse(build_endpoints, service(ports=[{"port": 80, "targetPort": 8080}]), pod("a", "10.1.0.1")) as stage:
            assert stage.objects(ENDPOINTS)[0]["subsets"][0]["ports"] == [{"port": 8080, "protocol": "TCP"}]

    asyncio.run(main())


def test_endpoints_are_cut_at_a_thousand() -> None:
    async def main() -> None:
        pods = [pod(f"p{number}", f"10.1.{number // 250}.{number % 250 + 1}") for number in range(1001)]
        async with rehearse(build_endpoints, service(), *pods) as stage:
            (found,) = stage.objects(ENDPOINTS)
            assert len(found["subsets"][0]["addresses"]) == 1000
            assert meta.annotations(found) == {"endpoints.kubernetes.io/over-capacity": "truncated"}

    asyncio.run(main())
