"""Switches and settings of admission plugins, through the front door."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.integration.conftest import Api, running

PODS, MAPS, CLAIMS = (f"/api/v1/namespaces/default/{plural}" for plural in ("pods", "configmaps", "persistentvolumeclaims"))
POD: dict[str, Any] = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "a", "image": "i"}]}}
Scenario = Callable[[Api], Awaitable[None]]


def configuration(folder: Path, *plugins: dict[str, Any]) -> Path:
    path = folder / "admission.yaml"
    path.write_bytes(orjson.dumps({"apiVersion": "apiserver.config.k8s.io/v1", "kind": "AdmissionConfiguration", "plugins": plugins}))
    return path


def play(key: Path, folder: Path, scenario: Scenario, **config: Any) -> None:
    async def main() -> None:
        async with running(key, folder, **config) as api:
            await scenario(api)

    asyncio.run(main())


def test_plugins_are_switched_on_and_off(signing_key: Path, tmp_path: Path) -> None:
    async def scenario(api: Api) -> None:
        made = await api("POST", PODS, POD)
        assert (made.status, made.body["spec"]["containers"][0]["imagePullPolicy"]) == (201, "Always")
        assert [each["key"] for each in made.body["spec"].get("tolerations") or ()] == []

    plugins = {"enable_admission_plugins": ("AlwaysPullImages",), "disable_admission_plugins": ("DefaultTolerationSeconds",)}
    play(signing_key, tmp_path, scenario, **plugins)


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        ({"enable_admission_plugins": ("Nothing",)}, 'enable-admission-plugins plugin "Nothing" is unknown'),
        ({"enable_admission_plugins": ("Priority",), "disable_admission_plugins": ("Priority",)},
         "Priority in enable-admission-plugins and disable-admission-plugins overlapped"),
    ],
)  # fmt: skip
def test_switches_for_what_there_is_not(signing_key: Path, tmp_path: Path, config: dict[str, Any], problem: str) -> None:
    async def scenario(api: Api) -> None:
        raise AssertionError("the server must not start")

    with pytest.raises(ValueError, match=problem):
        play(signing_key, tmp_path, scenario, **config)


def test_pod_security_has_defaults_and_exemptions(signing_key: Path, tmp_path: Path) -> None:
    group = "pod-security.admission.config.k8s.io/v1"
    given = {
        "apiVersion": group, "kind": "PodSecurityConfiguration", "defaults": {"enforce": "baseline", "warn": "restricted"},
        "exemptions": {"usernames": ["ci"]},
    }  # fmt: skip

    async def scenario(api: Api) -> None:
        host = {"metadata": {"name": "p"}, "spec": {**POD["spec"], "hostNetwork": True}}
        refused = await api("POST", PODS, host)
        assert refused.summary == (403, "Forbidden", 'pods "p" is forbidden: violates PodSecurity "baseline:latest": host namespaces '
                                   "(hostNetwork=true)")  # fmt: skip
        warned = await api("POST", PODS, POD)
        assert (warned.status, len(warned.warnings)) == (201, 1)
        exempt = await api("POST", PODS, {**host, "metadata": {"name": "q"}}, user="ci", x_remote_group="system:masters")
        assert (exempt.status, exempt.warnings) == (201, [])

    file = configuration(tmp_path, {"name": "PodSecurity", "configuration": given})
    play(signing_key, tmp_path, scenario, admission_control_config_file=file)


def test_resources_that_only_a_quota_allows(signing_key: Path, tmp_path: Path) -> None:
    given = {
        "apiVersion": "apiserver.config.k8s.io/v1", "kind": "ResourceQuotaConfiguration",
        "limitedResources": [{"resource": "persistentvolumeclaims", "matchContains": ["gold.storageclass.storage.k8s.io/requests"]}],
    }  # fmt: skip

    async def scenario(api: Api) -> None:
        spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
        plain = await api("POST", CLAIMS, {"metadata": {"name": "plain"}, "spec": {**spec, "storageClassName": "tin"}})
        assert plain.status == 201
        gold = {"metadata": {"name": "gold"}, "spec": {**spec, "storageClassName": "gold"}}
        said = "insufficient quota to consume: gold.storageclass.storage.k8s.io/requests.storage"
        assert (await api("POST", CLAIMS, gold)).summary == (403, "Forbidden", f'persistentvolumeclaims "gold" is forbidden: {said}')

    file = configuration(tmp_path, {"name": "ResourceQuota", "configuration": given})
    play(signing_key, tmp_path, scenario, admission_control_config_file=file)


def test_events_beyond_the_rate_are_refused(signing_key: Path, tmp_path: Path) -> None:
    given = {
        "apiVersion": "eventratelimit.admission.k8s.io/v1alpha1", "kind": "Configuration",
        "limits": [{"type": "User", "qps": 1, "burst": 1}],
    }  # fmt: skip

    async def scenario(api: Api) -> None:
        about = {"kind": "Pod", "namespace": "default", "name": "p"}
        answers = [
            await api("POST", "/api/v1/namespaces/default/events", {"metadata": {"name": f"e{index}"}, "involvedObject": about})
            for index in range(2)
        ]
        assert [each.status for each in answers] == [201, 429]
        assert answers[1].summary[1:] == ("TooManyRequests", "Too many requests: limit reached on type User for key system:root")

    file = configuration(tmp_path, {"name": "EventRateLimit", "configuration": given})
    play(signing_key, tmp_path, scenario, admission_control_config_file=file, enable_admission_plugins=("EventRateLimit",))


def test_claims_in_use_stay_by_default(signing_key: Path, tmp_path: Path) -> None:
    async def scenario(api: Api) -> None:
        spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
        made = await api("POST", CLAIMS, {"metadata": {"name": "c"}, "spec": spec})
        assert made.body["metadata"]["finalizers"] == ["kubernetes.io/pvc-protection"]
        assert (await api("DELETE", f"{CLAIMS}/c")).body["metadata"]["deletionTimestamp"]

    play(signing_key, tmp_path, scenario)
