"""Quotas through the front door: what each kind uses, when it is charged, how a refusal is told."""

import asyncio
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.integration.conftest import Api, Run, running

Object = dict[str, Any]
BASE = "/api/v1/namespaces/default"
QUOTAS, PODS, SERVICES, CLAIMS = (f"{BASE}/{plural}" for plural in ("resourcequotas", "pods", "services", "persistentvolumeclaims"))
DEVICE_CLAIMS = "/apis/resource.k8s.io/v1/namespaces/default/resourceclaims"
GPUS, TPUS = "gpu.example.com.deviceclass.resource.k8s.io/devices", "tpu.example.com.deviceclass.resource.k8s.io/devices"


async def quota(api: Api, hard: Object, used: Object | None = None, name: str = "q", **spec: Any) -> None:
    """A quota that the controller has taken note of."""
    answer = await api("POST", QUOTAS, {"metadata": {"name": name}, "spec": {"hard": hard, **spec}})
    assert answer.status == 201, answer.body
    status = {"hard": hard, "used": dict.fromkeys(hard, "0") if used is None else used}
    answer = await api("PUT", f"{QUOTAS}/{name}/status", {**answer.body, "status": status})
    assert answer.status == 200, answer.body


async def used(api: Api, name: str = "q") -> Object:
    found: Object = (await api("GET", f"{QUOTAS}/{name}")).body["status"]["used"]
    return found


def service(kind: str, ports: int = 1, **spec: Any) -> Object:
    listed = [{"name": f"p{index}", "port": index + 1} for index in range(ports)]
    return {"metadata": {"name": "s"}, "spec": {"type": kind, "ports": listed, **spec}}


def claim(size: str, **spec: Any) -> Object:
    resources = {"requests": {"storage": size}}
    return {
        "metadata": {"name": "c"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": resources, "storageClassName": "tin", **spec},
    }


def devices(*requests: Object) -> Object:
    named = [{"name": f"r{index}", **request} for index, request in enumerate(requests)]
    return {"metadata": {"name": "d"}, "spec": {"devices": {"requests": named}}}


def exactly(device_class: str, **more: Any) -> Object:
    return {"exactly": {"deviceClassName": f"{device_class}.example.com", **more}}


def either(*alternatives: tuple[str, Object]) -> Object:
    listed = [
        {"name": f"a{index}", "deviceClassName": f"{device_class}.example.com", **more}
        for index, (device_class, more) in enumerate(alternatives)
    ]
    return {"firstAvailable": listed}


USES: list[tuple[str, Object, Object]] = [
    (SERVICES, service("NodePort", 2), {"services": "1", "services.nodeports": "2", "services.loadbalancers": "0", "count/services": "1"}),
    (SERVICES, service("LoadBalancer", 2), {"services.nodeports": "2", "services.loadbalancers": "1"}),
    (SERVICES, service("LoadBalancer", 2, allocateLoadBalancerNodePorts=False), {"services.nodeports": "0", "services.loadbalancers": "1"}),
    (
        CLAIMS, claim("1500m"),
        {
            "requests.storage": "2", "persistentvolumeclaims": "1", "tin.storageclass.storage.k8s.io/requests.storage": "2",
            "tin.storageclass.storage.k8s.io/persistentvolumeclaims": "1", "gold.storageclass.storage.k8s.io/requests.storage": "0",
        },
    ),
    (f"{BASE}/events", {"metadata": {"name": "e"}, "involvedObject": {"namespace": "default"}}, {"count/events": "0"}),
    (DEVICE_CLAIMS, devices(exactly("gpu")), {GPUS: "1", TPUS: "0", "count/resourceclaims.resource.k8s.io": "1"}),
    (DEVICE_CLAIMS, devices(exactly("gpu", count=2), exactly("gpu", count=3)), {GPUS: "5"}),
    (DEVICE_CLAIMS, devices(exactly("gpu", count=2)), {"requests.deviceclass.resource.kubernetes.io/gpu.example.com": "2"}),
    (DEVICE_CLAIMS, devices(exactly("gpu", allocationMode="All")), {GPUS: "32"}),
    (
        DEVICE_CLAIMS, devices(either(("gpu", {"count": 2}), ("tpu", {"count": 4}), ("gpu", {"count": 3})), exactly("gpu")),
        {GPUS: "4", TPUS: "4"},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("path", "body", "expected"), USES)
def test_what_an_object_uses(run: Run, path: str, body: Object, expected: Object) -> None:
    async def scenario(api: Api) -> None:
        await quota(api, dict.fromkeys(expected, "100"))
        answer = await api("POST", path, body)
        assert answer.status == 201, answer.body
        assert await used(api) == expected

    run(scenario)


def test_devices_beyond_the_quota(run: Run) -> None:
    async def scenario(api: Api) -> None:
        await quota(api, {GPUS: "1"})
        refused = await api("POST", DEVICE_CLAIMS, devices(exactly("gpu", count=2)))
        why = f"exceeded quota: q, requested: {GPUS}=2, used: {GPUS}=0, limited: {GPUS}=1"
        assert refused.summary == (403, "Forbidden", f'resourceclaims.resource.k8s.io "d" is forbidden: {why}')

    run(scenario)


def test_what_is_given_back_is_left_to_the_controller(run: Run) -> None:
    async def scenario(api: Api) -> None:
        await quota(api, {"services.nodeports": "2"})
        made = (await api("POST", SERVICES, service("NodePort", 2))).body
        ports = [{key: value for key, value in port.items() if key != "nodePort"} for port in made["spec"]["ports"]]
        answer = await api("PUT", f"{SERVICES}/s", {**made, "spec": {**made["spec"], "type": "ClusterIP", "ports": ports}})
        assert answer.status == 200, answer.body
        assert await used(api) == {"services.nodeports": "2"}
        refused = await api("PUT", f"{SERVICES}/s", {**answer.body, "spec": {**answer.body["spec"], "type": "NodePort"}})
        assert refused.summary[:2] == (403, "Forbidden")

    run(scenario)


def test_all_that_a_quota_does_not_know_is_told(run: Run) -> None:
    async def scenario(api: Api) -> None:
        await quota(api, {"pods": "2", "count/pods": "2", "configmaps": "1"}, {"pods": "0", "configmaps": "0"})
        body = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
        refused = await api("POST", PODS, body)
        assert refused.summary == (403, "Forbidden", 'pods "p" is forbidden: status unknown for quota: q, resources: count/pods,pods')

    run(scenario)


def test_claims_count_by_the_attributes_class_that_they_want_or_have(run: Run) -> None:
    async def scenario(api: Api) -> None:
        def scoped(*names: str) -> Object:
            return {"matchExpressions": [{"scopeName": "VolumeAttributesClass", "operator": "In", "values": list(names)}]}

        await quota(api, {"requests.storage": "10"}, name="gold", scopeSelector=scoped("gold"))
        await quota(api, {"requests.storage": "3"}, name="tin", scopeSelector=scoped("tin"))
        made = (await api("POST", CLAIMS, claim("2", volumeAttributesClassName="gold"))).body
        assert (await used(api, "gold"), await used(api, "tin")) == ({"requests.storage": "2"}, {"requests.storage": "0"})
        status = {"phase": "Bound", "currentVolumeAttributesClassName": "tin"}
        answer = await api("PUT", f"{CLAIMS}/c/status", {**made, "status": status})
        assert answer.status == 200, answer.body
        assert (await used(api, "gold"), await used(api, "tin")) == ({"requests.storage": "2"}, {"requests.storage": "2"})
        bigger = {**status, "allocatedResources": {"storage": "8"}}
        answer = await api("PUT", f"{CLAIMS}/c/status", {**answer.body, "status": bigger})
        assert answer.status == 200, answer.body
        assert (await used(api, "gold"), await used(api, "tin")) == ({"requests.storage": "8"}, {"requests.storage": "8"})

    run(scenario)


def test_a_scope_that_no_quota_covers_is_no_refusal(signing_key: Path, tmp_path: Path) -> None:
    """As upstream, which gives a plain error there."""
    scope = {"scopeName": "PriorityClass", "operator": "In", "values": ["system-cluster-critical"]}
    given = {
        "apiVersion": "apiserver.config.k8s.io/v1", "kind": "ResourceQuotaConfiguration",
        "limitedResources": [{"resource": "pods", "matchScopes": [scope]}],
    }  # fmt: skip
    file = tmp_path / "admission.yaml"
    plugins = [{"name": "ResourceQuota", "configuration": given}]
    file.write_bytes(orjson.dumps({"apiVersion": "apiserver.config.k8s.io/v1", "kind": "AdmissionConfiguration", "plugins": plugins}))
    pod = {"spec": {"containers": [{"name": "c", "image": "i"}], "priorityClassName": "system-cluster-critical"}}

    async def scenario() -> None:
        async with running(signing_key, tmp_path, admission_control_config_file=file) as api:
            refused = await api("POST", PODS, {**pod, "metadata": {"name": "p"}})
            why = "insufficient quota to match these scopes: [{PriorityClass In [system-cluster-critical]}]"
            assert refused.summary == (500, "", why)
            await quota(api, {"pods": "1"}, scopeSelector={"matchExpressions": [scope]})
            assert (await api("POST", PODS, {**pod, "metadata": {"name": "p"}})).status == 201

    asyncio.run(scenario())


def test_ranges_of_claims_bound_whatever_they_name(run: Run) -> None:
    async def scenario(api: Api) -> None:
        limit = {"type": "PersistentVolumeClaim", "min": {"storage": "1Gi", "ephemeral-storage": "1Gi"}}
        answer = await api("POST", f"{BASE}/limitranges", {"metadata": {"name": "l"}, "spec": {"limits": [limit]}})
        assert answer.status == 201, answer.body
        refused = await api("POST", CLAIMS, claim("1Gi"))
        why = "minimum ephemeral-storage usage per PersistentVolumeClaim is 1Gi.  No request is specified"
        assert refused.summary == (403, "Forbidden", f'persistentvolumeclaims "c" is forbidden: {why}')

    run(scenario)
