"""Cluster IPs by ServiceCIDR and IPAddress: ranges that come and go, claims that come and go with their Services, and their repair."""

from typing import Any

import pytest

from proa.api import meta
from proa.storage.interface import Collection
from tests.integration.conftest import Api, Run
from tests.integration.controllers import until, working

SERVICES = "/api/v1/namespaces/default/services"
CIDRS = "/apis/networking.k8s.io/v1/servicecidrs"
ADDRESSES = "/apis/networking.k8s.io/v1/ipaddresses"
CONTROLLER = "service-cidrs-controller"


def service(name: str, **spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": name}, "spec": {"ports": [{"port": 80}], **spec}}


def claim(address: str, **parent: str) -> dict[str, Any]:
    return {"metadata": {"name": address}, "spec": {"parentRef": parent or {"resource": "gateways", "group": "example.com", "name": "g"}}}


def cidr(name: str, *cidrs: str) -> dict[str, Any]:
    return {"metadata": {"name": name}, "spec": {"cidrs": list(cidrs)}}


async def names(api: Api) -> set[str]:
    return {meta.name(each) for each in (await api("GET", ADDRESSES)).body["items"]}


def collection(api: Api) -> Collection:
    return api.server.context.served["networking.k8s.io", "v1", "ipaddresses"].objects


async def repaired(api: Api) -> list[tuple[str, str]]:
    """(reason, note) of what the repair has told after one more round."""
    await api.clock.advance(181)
    for _ in range(50):
        await api.clock.advance(0.01)
    events = (await api("GET", "/apis/events.k8s.io/v1/events")).body["items"]
    return [(each["reason"], each["note"]) for each in events if each["reportingController"] == "ipallocator-repair-controller"]


def test_a_service_comes_and_goes_with_its_claim(run: Run) -> None:
    async def scenario(api: Api) -> None:
        made = (await api("POST", SERVICES, service("a"))).body
        address = made["spec"]["clusterIP"]
        found = (await api("GET", f"{ADDRESSES}/{address}")).body
        assert found["metadata"]["labels"] == {
            "ipaddress.kubernetes.io/ip-family": "IPv4",
            "ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io",
        }
        assert found["spec"] == {"parentRef": {"resource": "services", "namespace": "default", "name": "a"}}
        assert await names(api) == {"10.96.0.1", address}
        external = {**made, "spec": {"type": "ExternalName", "externalName": "x.y"}}
        assert (await api("PUT", f"{SERVICES}/a", external)).status == 200
        assert await names(api) == {"10.96.0.1"}
        back = (
            await api.patch("merge", f"{SERVICES}/a", {"spec": {"type": "ClusterIP", "externalName": None, "ports": [{"port": 1}]}})
        ).body
        assert await names(api) == {"10.96.0.1", back["spec"]["clusterIP"]}
        assert (await api("DELETE", f"{SERVICES}/a")).status == 200
        assert await names(api) == {"10.96.0.1"}

    run(scenario)


def test_a_second_service_of_the_name_leaves_the_claim_of_the_first(run: Run) -> None:
    async def scenario(api: Api) -> None:
        twice = service("a", clusterIP="10.96.0.77")
        assert (await api("POST", SERVICES, twice)).status == 201
        claimed = (await api("GET", f"{ADDRESSES}/10.96.0.77")).body
        assert (await api("POST", SERVICES, twice)).status == 409
        assert (await api("GET", f"{ADDRESSES}/10.96.0.77")).body == claimed

    run(scenario)


def test_nothing_is_claimed_by_a_dry_run_a_headless_or_a_refused_service(run: Run) -> None:
    async def scenario(api: Api) -> None:
        assert (await api("POST", f"{SERVICES}?dryRun=All", service("a"))).status == 201
        assert (await api("POST", SERVICES, service("headless", clusterIP="None"))).status == 201
        assert (await api("POST", SERVICES, service("headless"))).status == 409
        assert await names(api) == {"10.96.0.1"}

    run(scenario)


@pytest.mark.parametrize(
    ("wanted", "why"),
    [
        ("10.96.0.1", "provided IP is already allocated"),
        ("10.96.7.7", "provided IP is already allocated"),
        ("10.1.0.1", "the provided network does not match the current range"),
        ("10.96.0.0", "the provided IP (10.96.0.0) is not in the valid range. The range of valid IPs is 10.96.0.0/16"),
        ("10.96.255.255", "the provided IP (10.96.255.255) is not in the valid range. The range of valid IPs is 10.96.0.0/16"),
        ("2001:db8::1", None),
    ],
)
def test_addresses_that_a_service_can_not_have(run: Run, wanted: str, why: str | None) -> None:
    async def scenario(api: Api) -> None:
        assert (await api("POST", ADDRESSES, claim("10.96.7.7"))).status == 201
        answer = await api("POST", SERVICES, service("a", clusterIP=wanted))
        told = f'spec.clusterIPs: Invalid value: ["{wanted}"]: failed to allocate IP {wanted}: {why}'
        if why is None:
            told = f'spec.clusterIPs[0]: Invalid value: ["{wanted}"]: IPv6 is not configured on this cluster'
        assert answer.summary == (422, "Invalid", f'Service "a" is invalid: {told}')

    run(scenario)


@pytest.mark.parametrize(
    ("target", "body", "causes"),
    [
        (CIDRS, cidr("a"), [("spec.cidrs", "Required value: at least one CIDR required")]),
        (
            CIDRS, cidr("a", "10.0.0.0/24", "10.1.0.0/24"),
            [("spec.cidrs", 'Invalid value: {"CIDRs":["10.0.0.0/24","10.1.0.0/24"]}: may specify no more than one IP for each IP family, '
                            "i.e 192.168.0.0/24 and 2001:db8::/64")],
        ),
        (CIDRS, cidr("a", "10.0.0.0"), [
            ("spec.cidrs[0]", 'Invalid value: "10.0.0.0": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)')]),
        (CIDRS, cidr("a", "10.0.0.5/24"), [
            ("spec.cidrs[0]", 'Invalid value: "10.0.0.5/24": must not have bits set beyond the prefix length')]),
        (ADDRESSES, {"metadata": {"name": "10.0.0.1"}, "spec": {"parentRef": {}}}, [
            ("spec.parentRef.resource", "Required value"), ("spec.parentRef.name", "Required value")]),
        (ADDRESSES, {"metadata": {"name": "10.0.0.1"}, "spec": {}}, [("spec.parentRef", "Required value")]),
    ],
)  # fmt: skip
def test_refused(run: Run, target: str, body: Any, causes: list[tuple[str, str]]) -> None:
    async def scenario(api: Api) -> None:
        answer = await api("POST", target, body)
        assert (answer.status, answer.body["reason"]) == (422, "Invalid")
        assert [(each["field"], each["message"]) for each in answer.body["details"]["causes"]] == causes

    run(scenario)


def test_ranges_only_gain_a_second_family(run: Run) -> None:
    async def scenario(api: Api) -> None:
        made = (await api("POST", CIDRS, cidr("a", "10.1.0.0/24"))).body
        other = await api("PUT", f"{CIDRS}/a", {**made, "spec": {"cidrs": ["10.2.0.0/24"]}})
        assert other.body["details"]["causes"][0] == {
            "reason": "FieldValueInvalid", "field": "spec.cidrs[0]", "message": 'Invalid value: "10.2.0.0/24": field is immutable',
        }  # fmt: skip
        assert (await api("PUT", f"{CIDRS}/a", {**made, "spec": {"cidrs": ["10.1.0.0/24", "fd00::/112"]}})).status == 200

    run(scenario)


def test_services_get_addresses_of_a_new_range_until_it_goes(run: Run) -> None:
    async def scenario(api: Api) -> None:
        async with working(api, CONTROLLER):
            assert (await api("POST", CIDRS, cidr("more", "10.200.0.0/28"))).status == 201
            ready = (await until(api, f"{CIDRS}/more", lambda answer: bool(answer.body.get("status", {}).get("conditions")))).body
            assert ready["metadata"]["finalizers"] == ["networking.k8s.io/service-cidr-finalizer"]
            condition = ready["status"]["conditions"][0]
            assert (condition["status"], condition["message"]) == ("True", "Kubernetes Service CIDR is ready")
            assert (await api("POST", SERVICES, service("a", clusterIP="10.200.0.5"))).status == 201
            assert (await api("DELETE", f"{CIDRS}/more")).status == 200
            busy = await until(api, f"{CIDRS}/more", lambda answer: answer.body["status"]["conditions"][0]["status"] == "False")
            assert busy.body["status"]["conditions"][0]["reason"] == "Terminating"
            refused = await api("POST", SERVICES, service("b", clusterIP="10.200.0.6"))
            assert refused.body["message"].endswith("the provided network does not match the current range")
            await api.clock.advance(30)
            assert (await api("GET", f"{CIDRS}/more")).status == 200
            assert (await api("DELETE", f"{SERVICES}/a")).status == 200
            await until(api, f"{CIDRS}/more", lambda answer: answer.status == 404)

    run(scenario)


def test_a_range_within_another_goes_though_it_is_in_use_but_not_before_ten_seconds(run: Run) -> None:
    async def scenario(api: Api) -> None:
        async with working(api, CONTROLLER):
            assert (await api("POST", CIDRS, cidr("inner", "10.96.8.0/24"))).status == 201
            await until(api, f"{CIDRS}/inner", lambda answer: bool(answer.body["metadata"].get("finalizers")))
            assert (await api("POST", SERVICES, service("a", clusterIP="10.96.8.5"))).status == 201
            assert (await api("DELETE", f"{CIDRS}/inner")).status == 200
            await api.clock.advance(8)
            assert (await api("GET", f"{CIDRS}/inner")).status == 200
            await api.clock.advance(3)
            await until(api, f"{CIDRS}/inner", lambda answer: answer.status == 404)

    run(scenario)


def test_the_default_range_is_ready_from_the_start(run: Run) -> None:
    async def scenario(api: Api) -> None:
        default = (await api("GET", f"{CIDRS}/kubernetes")).body
        assert default["spec"]["cidrs"] == ["10.96.0.0/16"]
        assert default["status"]["conditions"][0]["message"] == "Kubernetes default Service CIDR is ready"

    run(scenario)


def test_a_claim_that_a_service_needs_is_made_again_at_once(run: Run) -> None:
    async def scenario(api: Api) -> None:
        address = (await api("POST", SERVICES, service("a"))).body["spec"]["clusterIP"]
        assert (await api("DELETE", f"{ADDRESSES}/{address}")).status == 200
        assert (await until(api, f"{ADDRESSES}/{address}", lambda answer: answer.status == 200)).body["spec"]["parentRef"]["name"] == "a"
        assert await repaired(api) == [("ClusterIPNotAllocated", f"Cluster IP [IPv4]: {address} is not allocated; repairing")]

    run(scenario)


def test_claims_that_nobody_has_are_dropped_and_strangers_left_alone(run: Run) -> None:
    async def scenario(api: Api) -> None:
        leaked = claim("10.96.9.1", resource="services", namespace="default", name="gone")
        leaked["metadata"]["labels"] = {"ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io"}
        for each in (leaked, claim("10.96.9.2", resource="services", namespace="default", name="gone"), claim("10.96.9.3")):
            assert (await api("POST", ADDRESSES, each)).status == 201
        told = await repaired(api)
        note = "IPAddress: 10.96.9.1 for Service default/gone appears to have leaked: cleaning up"
        assert told == [("IPAddressNotAllocated", note)]
        assert await names(api) == {"10.96.0.1", "10.96.9.2", "10.96.9.3"}

    run(scenario)


def test_a_start_after_a_crash_repairs_both_halves(run: Run) -> None:
    async def scenario(api: Api) -> None:
        kept = (await api("POST", SERVICES, service("kept"))).body["spec"]["clusterIP"]
        gone = (await api("POST", SERVICES, service("gone"))).body["spec"]["clusterIP"]

        async def accept(obj: Any) -> None:
            return None

        await api.server.context.served["", "v1", "services"].objects.delete("default/gone", accept)
        await collection(api).delete(kept, accept)
        await api.restart()
        assert await names(api) == {"10.96.0.1", kept}
        assert (await api("POST", SERVICES, service("again", clusterIP=gone))).status == 201

    run(scenario)
